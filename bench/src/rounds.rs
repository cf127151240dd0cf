//! The measuring itself: rounds over all workloads and allocators, mixed, so
//! that whatever disturbs the machine for a while disturbs all alike.

use crate::allocators::Allocator;
use crate::machine;
use crate::measured::Stopwatch;
use crate::plan::Entry;
use crate::prepare::Stage;
use crate::results::Results;
use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::Path;

/// Runs everything and adds the samples to the stage's results; saves them
/// after each round.
pub(crate) fn run(stage: &mut Stage, json: &Path) -> Result<()> {
    let Stage { entries, allocators, stopwatch, budget_ns, results } = stage;
    let suited = |entry: &Entry| allocators.iter().filter(|one| entry.suits(one)).collect::<Vec<&Allocator>>();
    let runs: usize = entries.iter().map(|entry| suited(entry).len()).sum();
    let progress = Progress::new(entries.len() + runs * results.rounds as usize);
    results.noise.load_at_start = machine::load();
    warm_up(results, entries, suited, stopwatch, &progress);
    for round in 1..=results.rounds {
        let name = format!("round {round} of {}", results.rounds);
        progress.part(&name);
        for (entry, row) in entries.iter().zip(&mut results.rows) {
            results.noise.calibration_ns.push(machine::calibrate());
            let mut order = suited(entry);
            fastrand::shuffle(&mut order);
            for allocator in order {
                progress.run(&name, &entry.name, allocator.name);
                let Some(cell) = row.cells.get_mut(allocator.name) else { continue };
                let spent: u64 = cell.samples.iter().map(|sample| sample.time_ns).sum();
                if cell.failure.is_some() || spent > *budget_ns {
                    continue;
                }
                // Once is enough: it hardly varies.
                let settle_s = if round == 1 { stopwatch.settle_s } else { 0.0 };
                let stopwatch = Stopwatch { settle_s, ..stopwatch.clone() };
                match entry.run(allocator, &stopwatch, results.scale) {
                    Ok(sample) => cell.samples.push(sample),
                    Err(error) => {
                        progress.say(&format!("{} failed on {}: {error:#}", entry.name, allocator.name));
                        cell.failure = Some(format!("{error:#}"));
                    }
                }
            }
        }
        results.noise.load_at_end = machine::load();
        results.save(json)?;
    }
    progress.bar.finish_and_clear();
    Ok(())
}

/// A round that does not count, so that all files are in memory: each workload
/// once, each on the next allocator.
fn warm_up<'a>(
    results: &Results,
    entries: &[Entry],
    suited: impl Fn(&Entry) -> Vec<&'a Allocator>,
    stopwatch: &Stopwatch,
    progress: &Progress,
) {
    progress.part("warm-up");
    for (turn, entry) in entries.iter().enumerate() {
        let suited = suited(entry);
        if let Some(allocator) = suited.get(turn % suited.len().max(1)) {
            progress.run("warm-up", &entry.name, allocator.name);
            // Who fails here fails again where it counts.
            let stopwatch = Stopwatch { settle_s: 0.0, ..stopwatch.clone() };
            _ = entry.run(allocator, &stopwatch, results.scale);
        }
    }
}

/// What is shown meanwhile: a bar on a terminal, a line a round elsewhere.
struct Progress {
    bar: ProgressBar,
}

impl Progress {
    fn new(runs: usize) -> Self {
        let bar = ProgressBar::new(runs as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} %, {eta} left  {msg}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    fn part(&self, name: &str) {
        if self.bar.is_hidden() {
            eprintln!("{name}");
        }
    }

    fn run(&self, part: &str, workload: &str, allocator: &str) {
        self.bar.set_message(format!("{part}: {workload} on {allocator}"));
        self.bar.inc(1);
    }

    fn say(&self, line: &str) {
        if self.bar.is_hidden() {
            eprintln!("{line}");
        } else {
            self.bar.println(line);
        }
    }
}
