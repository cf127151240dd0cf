//! The benchmark of HMM: `cargo run --release -p hmm-bench`.
//!
//! Builds HMM, workloads and other allocators (`setup`, `allocators`), runs
//! everything in mixed order (`plan`, `rounds`), each run under a stopwatch
//! (`measured`), and tells in tables and charts how HMM compares (`summary`,
//! `report`). `--help` has the options.

mod allocators;
mod machine;
mod measured;
mod options;
mod plan;
mod prepare;
mod programs;
mod report;
mod results;
mod rounds;
mod setup;
mod statistics;
mod summary;

use anyhow::Result;
use clap::Parser;
use options::Options;
use results::Results;
use setup::places::Places;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hmm-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let places = Places::find()?;
    let charts = options.charts.clone().unwrap_or_else(|| places.out.join("charts"));
    if options.list {
        return prepare::list(&places, options);
    }
    let results = match &options.from {
        Some(json) => Results::load(json)?,
        None => {
            let json = options.json.clone().unwrap_or_else(|| places.out.join("results.json"));
            let results = measure(&places, options, &json)?;
            eprintln!("every sample: {}", json.display());
            results
        }
    };
    // Whoever reads may stop reading, which is no error: `| head`.
    _ = writeln!(io::stdout(), "{}", report::text(&results));
    if let Some(path) = &options.markdown {
        report::write_markdown(&results, path)?;
        eprintln!("tables: {}", path.display());
    }
    for chart in report::charts::draw(&results, &charts)? {
        eprintln!("chart: {}", chart.display());
    }
    Ok(())
}

/// Prepares and runs everything that was asked for.
fn measure(places: &Places, options: &Options, json: &std::path::Path) -> Result<Results> {
    let mut stage = prepare::all(places, options)?;
    rounds::run(&mut stage, json)?;
    Ok(stage.results)
}
