//! What was measured: every sample, on what machine, of which versions. This
//! is what the JSON holds, and all that the tables and charts are made from.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The allocator that is compared with all others.
pub(crate) const SUBJECT: &str = "hmm";

/// Everything about one run of the benchmark.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) noise: Noise,
    /// Rounds that count, and the amount of work, where 1 is a full run's.
    pub(crate) rounds: u32,
    pub(crate) scale: f64,
    /// In the order of the tables.
    pub(crate) allocators: Vec<AllocatorInfo>,
    pub(crate) rows: Vec<Row>,
    /// What could not be had, and why.
    pub(crate) missing: Vec<String>,
}

/// Where it ran.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) memory_gib: f64,
    pub(crate) kernel: String,
    pub(crate) system: String,
    pub(crate) huge_pages: String,
    pub(crate) libc: String,
    pub(crate) rustc: String,
    pub(crate) gcc: String,
}

/// How quiet the machine was.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Noise {
    /// Nanoseconds of a loop that always does the same, run between workloads.
    pub(crate) calibration_ns: Vec<u64>,
    pub(crate) load_at_start: f64,
    pub(crate) load_at_end: f64,
}

/// An allocator that took part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AllocatorInfo {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// The kinds of workloads, which get a table and a mean each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Group {
    C,
    Rust,
    Program,
}

impl Group {
    pub(crate) const ALL: [Self; 3] = [Self::C, Self::Rust, Self::Program];

    /// What its workloads' names begin with.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::C => "c",
            Self::Rust => "rust",
            Self::Program => "program",
        }
    }

    /// As a heading.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::C => "C workloads",
            Self::Rust => "Rust workloads",
            Self::Program => "Real programs",
        }
    }

    /// From which ratio to the best peer on HMM is too slow or too large. Real
    /// programs spend most of their time elsewhere, so little is much there.
    pub(crate) fn tolerance(self) -> f64 {
        match self {
            Self::C | Self::Rust => 1.15,
            Self::Program => 1.03,
        }
    }
}

/// One workload and what it took on each allocator.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) group: Group,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) cells: BTreeMap<String, Cell>,
}

/// One workload on one allocator.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Cell {
    pub(crate) samples: Vec<Sample>,
    /// Why it failed; its samples count for nothing then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
}

/// One run of one workload on one allocator.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Of the measured part as the workload reports it; a program's all.
    pub(crate) time_ns: u64,
    /// User and system, of the process and its children.
    pub(crate) cpu_us: u64,
    pub(crate) peak_kib: u64,
    pub(crate) faults: u64,
    /// Memory a while after the work, where that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) settled_kib: Option<u64>,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metric {
    Time,
    Cpu,
    Memory,
    Settled,
}

impl Metric {
    pub(crate) const ALL: [Self; 4] = [Self::Time, Self::Cpu, Self::Memory, Self::Settled];

    /// As a heading.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Cpu => "CPU time",
            Self::Memory => "peak memory",
            Self::Settled => "settled memory",
        }
    }

    /// Its value in a sample, if it has one: nanoseconds, microseconds or KiB.
    pub(crate) fn of(self, sample: &Sample) -> Option<f64> {
        match self {
            Self::Time => Some(sample.time_ns as f64),
            Self::Cpu => Some(sample.cpu_us as f64),
            Self::Memory => Some(sample.peak_kib as f64),
            Self::Settled => sample.settled_kib.map(|kib| kib as f64),
        }
    }

    /// Such a value for people.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::Time => format!("{:.0} ms", value / 1e6),
            Self::Cpu => format!("{:.0} ms", value / 1e3),
            Self::Memory | Self::Settled => format!("{:.1} MiB", value / 1024.0),
        }
    }
}

impl Results {
    /// Writes them as JSON.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let text = serde_json::to_string_pretty(self)?;
        fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))
    }

    /// Reads what [`save`](Self::save) wrote.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no result of this benchmark", path.display()))
    }
}
