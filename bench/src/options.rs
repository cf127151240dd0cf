//! The command line.

use clap::Parser;
use std::path::PathBuf;

/// Measures HMM against other allocators: C and Rust workloads, and real
/// programs.
///
/// Builds HMM, the workloads and the other allocators by itself. A full run
/// takes about ten minutes a round; leave the machine alone meanwhile.
#[derive(Debug, Parser)]
#[command(name = "hmm-bench", bin_name = "cargo run --release -p hmm-bench --", version)]
pub(crate) struct Options {
    /// Only workloads whose name contains one of these: `redis`, `rust/`, `c/larson`
    pub(crate) names: Vec<String>,

    /// Little work and two rounds: under three minutes, and rough figures
    #[arg(long)]
    pub(crate) quick: bool,

    /// How often each workload runs on each allocator, after a short warm-up [default: 5, or 2 if quick]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeat: Option<u32>,

    /// Only these allocators: `hmm,glibc,mimalloc3`
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) allocators: Vec<String>,

    /// Say what there is to measure, and end
    #[arg(long)]
    pub(crate) list: bool,

    /// Where every sample goes [default: bench/results.json in the target folder]
    #[arg(long, value_name = "PATH")]
    pub(crate) json: Option<PathBuf>,

    /// Where the charts go, as SVG [default: bench/charts in the target folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) charts: Option<PathBuf>,

    /// Write the tables as Markdown, too
    #[arg(long, value_name = "PATH")]
    pub(crate) markdown: Option<PathBuf>,

    /// Measure nothing: tables and charts of an earlier run's JSON
    #[arg(long, value_name = "JSON")]
    pub(crate) from: Option<PathBuf>,

    /// Install no Debian packages; go on without what is missing
    #[arg(long)]
    pub(crate) no_install: bool,
}

impl Options {
    /// How often each workload runs on each allocator.
    pub(crate) fn rounds(&self) -> u32 {
        self.repeat.unwrap_or(if self.quick { 2 } else { 5 })
    }

    /// How much work a workload does; 1 is a full run's.
    pub(crate) fn scale(&self) -> f64 {
        if self.quick { 0.1 } else { 1.0 }
    }

    /// How many seconds a process sleeps before it is asked what memory it still
    /// has.
    pub(crate) fn settle_s(&self) -> f64 {
        if self.quick { 0.2 } else { 2.0 }
    }

    /// After how many nanoseconds an allocator is done with a workload, even
    /// if rounds are left. A few allocators need a hundred times as long as
    /// others for a few workloads, and would take up most of the time.
    pub(crate) fn budget_ns(&self) -> u64 {
        if self.quick { 500_000_000 } else { 10_000_000_000 }
    }

    /// Whether the workload of this name is asked for.
    pub(crate) fn wants(&self, workload: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| workload.contains(name.as_str()))
    }

    /// Whether the allocator of this name is asked for.
    pub(crate) fn wants_allocator(&self, allocator: &str) -> bool {
        self.allocators.is_empty() || self.allocators.iter().any(|name| name == allocator)
    }
}
