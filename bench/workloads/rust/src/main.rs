//! The benchmark's Rust workloads, on the global allocator that a feature names.
//!
//! ```text
//! hmm-loads list          name, tab, and what the workload stands for, a line for each
//! hmm-loads NAME SCALE    runs one and prints `ops=<operations> ns=<duration of the measured part>`
//! ```

mod allocator;
mod loads;
mod measure;
mod random;

use std::process::ExitCode;

use loads::WORKLOADS;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["list"] => {
            for load in WORKLOADS {
                println!("{}\t{}", load.name, load.about);
            }
            ExitCode::SUCCESS
        }
        [name, scale] => run(name, scale),
        _ => usage("hmm-loads list | hmm-loads NAME SCALE"),
    }
}

fn run(name: &str, scale: &str) -> ExitCode {
    let Some(load) = WORKLOADS.iter().find(|load| load.name == name) else {
        return usage("a NAME that `list` shows");
    };
    let Some(scale) = scale.parse().ok().filter(|scale: &f64| *scale > 0.0 && scale.is_finite()) else {
        return usage("a positive SCALE");
    };
    let measured = (load.run)(scale);
    println!("ops={} ns={}", measured.operations, measured.elapsed.as_nanos());
    ExitCode::SUCCESS
}

fn usage(wanted: &str) -> ExitCode {
    eprintln!("usage: {wanted}");
    ExitCode::from(2)
}
