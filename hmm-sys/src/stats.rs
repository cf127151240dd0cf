//! What the process's heap holds and where it comes from.

use core::ops::Deref;

use crate::process::HEAP;

/// What the heap holds, by the names of [`hmm_core::Stats`], to which this
/// dereferences, and where it comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// What the heap holds.
    pub heap: hmm_core::Stats,
    /// What of `mapped` comes from the break, in bytes.
    pub brk_bytes: usize,
    /// What of `mapped` was mapped because the break was refused or is not ours, in bytes.
    pub reserve_bytes: usize,
}

impl Deref for Stats {
    type Target = hmm_core::Stats;

    fn deref(&self) -> &hmm_core::Stats {
        &self.heap
    }
}

/// What the heap holds, by a walk over it; exact while no thread allocates or
/// frees.
pub fn stats() -> Stats {
    with_sources(HEAP.stats())
}

/// As [`stats`], in much less time, as the kernel is not asked what is resident: that
/// is `held` here. Threads that take or free more than slots wait while it is asked.
pub fn counts() -> Stats {
    with_sources(HEAP.counts())
}

fn with_sources(heap: hmm_core::Stats) -> Stats {
    let sources = HEAP.with_grow(|system| (system.brk.bytes(), system.reserve.bytes()));
    let (brk_bytes, reserve_bytes) = sources.unwrap_or_default();
    Stats { heap, brk_bytes, reserve_bytes }
}
