//! The clock, and what is said about a run.

use std::process;
use std::time::{Duration, Instant};

/// What a run did, and how long its measured part took.
pub(crate) struct Measured {
    pub(crate) operations: u64,
    pub(crate) elapsed: Duration,
}

/// Measures `work`, which does `operations` operations.
pub(crate) fn measured(operations: u64, work: impl FnOnce()) -> Measured {
    let begin = Instant::now();
    work();
    Measured { operations, elapsed: begin.elapsed() }
}

/// How often to do what is done `base` times at scale 1; at least once.
pub(crate) fn times(scale: f64, base: f64) -> u64 {
    (scale * base).max(1.0) as u64
}

/// Ends the process if memory does not hold what was written to it.
#[inline]
pub(crate) fn expect(holds: bool, what: &str) {
    if !holds {
        fail(what);
    }
}

#[cold]
fn fail(what: &str) -> ! {
    eprintln!("hmm-loads: {what}");
    process::exit(1)
}
