//! What the process's heap holds and where it comes from.

use crate::heap::HEAP;

/// What the heap holds. All figures but the counts are bytes; the names are
/// jemalloc's, and [`hmm_core::Stats`] defines them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Live blocks: slots at the size of their class, large blocks as asked for.
    pub allocated: usize,
    /// Pages that hold live blocks or are in some thread's use.
    pub active: usize,
    /// What may be backed by memory; an upper bound.
    pub resident: usize,
    /// The heap's address ranges, without the holes that others hold in them.
    pub mapped: usize,
    /// Free pages that hold no memory.
    pub retained: usize,
    /// The heap's own tables.
    pub metadata: usize,
    /// Live blocks, by number.
    pub blocks: usize,
    /// Free slots in slabs, by number.
    pub free_blocks: usize,
    /// Live large blocks, by number.
    pub large_blocks: usize,
    /// Live large blocks, their bytes.
    pub large_bytes: usize,
    /// What of `mapped` comes from the break.
    pub brk_bytes: usize,
    /// What of `mapped` was mapped because the break was refused.
    pub reserve_bytes: usize,
    /// Threads' heaps made so far, by number.
    pub heaps: usize,
    /// Free pages at the top of the heap's ranges.
    pub top_free: usize,
    /// Free pages, by number.
    pub pages_free: usize,
}

/// What the heap holds, by a walk over it; exact while no thread allocates or
/// frees.
pub fn stats() -> Stats {
    let heap = HEAP.stats();
    let (brk_bytes, reserve_bytes) = HEAP.with_grow(|system| (system.brk.bytes(), system.reserve.bytes()));
    Stats {
        allocated: heap.allocated,
        active: heap.active,
        resident: heap.resident,
        mapped: heap.mapped,
        retained: heap.retained,
        metadata: heap.metadata,
        blocks: heap.blocks,
        free_blocks: heap.free_blocks,
        large_blocks: heap.large_blocks,
        large_bytes: heap.large_bytes,
        brk_bytes,
        reserve_bytes,
        heaps: heap.heaps,
        top_free: heap.top_free,
        pages_free: heap.pages_free,
    }
}
