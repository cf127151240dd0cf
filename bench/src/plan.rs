//! What is to be run: every workload that was asked for, with a way to run it
//! on each allocator.

use crate::allocators::Allocator;
use crate::measured::{Program, Stopwatch, Usage};
use crate::programs::{self, Job};
use crate::results::{Cell, Group, Row, Sample};
use crate::setup::loads::{self, Load};
use crate::setup::places::Places;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A workload, and those who can run it.
pub(crate) struct Entry {
    pub(crate) group: Group,
    /// With its group: `c/larson`.
    pub(crate) name: String,
    pub(crate) description: String,
    runner: Runner,
}

enum Runner {
    /// An executable with many workloads; the allocator is preloaded.
    C { loads: PathBuf, load: String },
    /// One executable for each allocator, by the allocator's name.
    Rust { loads: BTreeMap<&'static str, PathBuf>, load: String },
    /// A real program; the allocator is preloaded.
    Real(Box<dyn Job>),
}

impl Entry {
    /// The C workloads.
    pub(crate) fn c(executable: &Path, loads: Vec<Load>) -> Vec<Self> {
        let runner = |load: &Load| Runner::C { loads: executable.to_owned(), load: load.name.clone() };
        loads.into_iter().map(|load| Self::load(Group::C, runner(&load), load)).collect()
    }

    /// The Rust workloads, in the executables of those allocators.
    pub(crate) fn rust(executables: &BTreeMap<&'static str, PathBuf>) -> Result<Vec<Self>> {
        let Some(any) = executables.values().next() else { return Ok(Vec::new()) };
        let runner = |load: &Load| Runner::Rust { loads: executables.clone(), load: load.name.clone() };
        Ok(loads::list(any)?.into_iter().map(|load| Self::load(Group::Rust, runner(&load), load)).collect())
    }

    fn load(group: Group, runner: Runner, load: Load) -> Self {
        Self { group, name: format!("{}/{}", group.prefix(), load.name), description: load.description, runner }
    }

    /// A real program, with its input made.
    pub(crate) fn real(program: &programs::Real, places: &Places, scale: f64) -> Result<Self> {
        Ok(Self {
            group: Group::Program,
            name: format!("{}/{}", Group::Program.prefix(), program.name),
            description: program.description.to_owned(),
            runner: Runner::Real(program.prepare(places, scale)?),
        })
    }

    /// Whether it can run on this allocator.
    pub(crate) fn suits(&self, allocator: &Allocator) -> bool {
        match &self.runner {
            Runner::Rust { loads, .. } => loads.contains_key(allocator.name),
            Runner::C { .. } | Runner::Real(_) => allocator.library.is_some(),
        }
    }

    /// Runs it once.
    pub(crate) fn run(&self, allocator: &Allocator, stopwatch: &Stopwatch, scale: f64) -> Result<Sample> {
        let preload = allocator.library.as_deref();
        let scale = scale.to_string();
        let usage = match &self.runner {
            Runner::C { loads, load } => {
                let seconds = stopwatch.settle_s.to_string();
                stopwatch.run(&Program::new(loads, [load, &scale, &seconds]), preload)?
            }
            Runner::Rust { loads, load } => {
                let loads = loads.get(allocator.name).context("not built for this allocator")?;
                stopwatch.run(&Program::new(loads, [load, &scale]), None)?
            }
            Runner::Real(job) => job.run(stopwatch, preload)?,
        };
        let time_ns = match &self.runner {
            Runner::Real(_) => usage.wall_ns,
            Runner::C { .. } | Runner::Rust { .. } => {
                reported(&usage.output, "ns").context("it ended without a time")?
            }
        };
        let settled_kib = usage.settled_kib.or_else(|| Some(reported(&usage.output, "settled")? / 1024));
        let Usage { cpu_us, peak_kib, faults, .. } = usage;
        Ok(Sample { time_ns, cpu_us, peak_kib, faults, settled_kib })
    }

    /// Its row, with nothing measured yet.
    pub(crate) fn row(&self, allocators: &[Allocator]) -> Row {
        let suited = allocators.iter().filter(|allocator| self.suits(allocator));
        Row {
            group: self.group,
            name: self.name.clone(),
            description: self.description.clone(),
            cells: suited.map(|allocator| (allocator.name.to_owned(), Cell::default())).collect(),
        }
    }
}

/// A figure in a workload's last line, `ops=1000 ns=123456`.
fn reported(output: &str, name: &str) -> Option<u64> {
    let line = output.lines().next_back()?;
    let value = line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
    value.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_in_the_last_line() {
        assert_eq!(reported("hello\nops=12 ns=3456\n", "ns"), Some(3456));
        assert_eq!(reported("ops=12 ns=3456 settled=7\n", "settled"), Some(7));
        assert_eq!(reported("ops=12\n", "ns"), None);
        assert_eq!(reported("ns=x\n", "ns"), None);
        assert_eq!(reported("", "ns"), None);
    }
}
