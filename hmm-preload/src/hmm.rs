//! HMM by its own names, as `include/hmm.h` declares them.
//!
//! They serve beside another `malloc`, which the malloc family does not. The
//! rules are the same, and so are the blocks: those of one family may be freed
//! by the other.
//!
//! The header is generated from this file by cbindgen, comments included:
//! they are written for C, and tell at each `@param` what the caller owes.

#![expect(clippy::missing_safety_doc, reason = "said at each @param, for C")]

use crate::door;
use core::ffi::{c_int, c_void};

/// Allocates a block of memory.
///
/// Blocks of 16 bytes and more suit `max_align_t`. A size of 0 gives a unique
/// block, to be freed like any other.
///
/// @param size  How many bytes are wanted.
/// @return The block, or NULL with `errno` ENOMEM when there is no memory.
#[unsafe(export_name = "HmmAlloc")]
pub extern "C" fn alloc(size: usize) -> *mut c_void {
    door::alloc(size)
}

/// Takes back a block.
///
/// Keeps `errno`. A pointer that is not a live block (one that was never
/// allocated, points inside a block or was freed before) ends the program with
/// a line on standard error that says what was wrong.
///
/// @param block  A live block, not to be used after this; or NULL, which does
///               nothing.
#[unsafe(export_name = "HmmFree")]
pub unsafe extern "C" fn free(block: *mut c_void) {
    // SAFETY: the same contract.
    unsafe { hmm_sys::free(block.cast()) }
}

/// Allocates a zeroed block for an array.
///
/// @param count  How many elements it has.
/// @param size   How many bytes an element takes.
/// @return The block, or NULL with `errno` ENOMEM when there is no memory or
///         the product overflows.
#[unsafe(export_name = "HmmCalloc")]
pub extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    door::calloc(count, size)
}

/// Resizes a block, in place where that is possible.
///
/// HmmRealloc(NULL, n) is HmmAlloc(n), also where n is 0; else HmmRealloc(p, 0)
/// frees p and returns NULL. Misuse ends the program, as that of HmmFree() does.
///
/// @param block  A live block, whose old address is not to be used after
///               success; or NULL.
/// @param size   How many bytes are wanted. Those that the old and the new
///               block have in common keep their values.
/// @return The block, or NULL with `errno` ENOMEM when there is no memory; the
///         old block then stays as it was.
#[unsafe(export_name = "HmmRealloc")]
pub unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the same contract.
    unsafe { door::realloc(block, size) }
}

/// Allocates a block at a multiple of a power of two.
///
/// @param alignment  A power of two; it may exceed a page.
/// @param size       How many bytes are wanted, not necessarily a multiple of
///                   the alignment.
/// @return The block, or NULL with `errno` EINVAL when the alignment is no
///         power of two, ENOMEM when there is no memory.
#[unsafe(export_name = "HmmAlignedAlloc")]
pub extern "C" fn aligned_alloc(alignment: usize, size: usize) -> *mut c_void {
    door::aligned_alloc(alignment, size)
}

/// Tells how much of a block may be used. Misuse ends the program, as that of
/// HmmFree() does.
///
/// @param block  A live block, or NULL.
/// @return How many bytes may be used, at least as many as were requested; 0
///         for NULL.
#[unsafe(export_name = "HmmUsableSize")]
pub unsafe extern "C" fn usable_size(block: *const c_void) -> usize {
    // SAFETY: the same contract.
    unsafe { hmm_sys::usable_size(block.cast()) }
}

/// The state of the whole heap at one moment, as HmmStats() finds it.
///
/// The heap is made of pages of 64 KiB. Small blocks share pages, large ones
/// have pages for themselves.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct HmmStatistics {
    /// Bytes in live blocks, as far as these may be used.
    pub allocated: usize,
    /// Bytes of the pages that hold live blocks or are kept ready for some.
    pub active: usize,
    /// Bytes of physical memory that the heap takes up, as the kernel says. If it
    /// does not say: `held`.
    pub resident: usize,
    /// Bytes that count for a limit: active pages, free ones that may hold
    /// memory, and metadata.
    pub held: usize,
    /// Bytes of address space that the heap has got from the system.
    pub mapped: usize,
    /// Bytes of free pages whose memory the system has.
    pub retained: usize,
    /// Bytes of HMM's own tables, which lie outside the blocks.
    pub metadata: usize,
    /// Number of live blocks.
    pub blocks: usize,
    /// Number of free blocks in pages that blocks share.
    pub free_blocks: usize,
    /// Number of live large blocks.
    pub large_blocks: usize,
    /// Bytes in live large blocks.
    pub large_bytes: usize,
    /// Number of free pages.
    pub free_pages: usize,
    /// Bytes of free pages at the top of the heap.
    pub top_free: usize,
    /// Bytes of the heap that come from the program break.
    pub brk_bytes: usize,
    /// Bytes of the heap that come from the reserve, a mapping that takes over
    /// where the break is refused, or is another `malloc`'s.
    pub reserve_bytes: usize,
    /// Number of threads' heaps made so far. Those of ended threads are taken
    /// over by new ones.
    pub heaps: usize,
}

impl From<hmm_sys::Stats> for HmmStatistics {
    fn from(stats: hmm_sys::Stats) -> Self {
        Self {
            allocated: stats.allocated,
            active: stats.active,
            resident: stats.resident,
            held: stats.held,
            mapped: stats.mapped,
            retained: stats.retained,
            metadata: stats.metadata,
            blocks: stats.blocks,
            free_blocks: stats.free_blocks,
            large_blocks: stats.large_blocks,
            large_bytes: stats.large_bytes,
            free_pages: stats.pages_free,
            top_free: stats.top_free,
            brk_bytes: stats.brk_bytes,
            reserve_bytes: stats.reserve_bytes,
            heaps: stats.heaps,
        }
    }
}

/// Counts the heap through.
///
/// It walks over every page: made for a look now and then.
///
/// @param out  Where the figures go; not NULL.
#[unsafe(export_name = "HmmStats")]
pub unsafe extern "C" fn stats(out: *mut HmmStatistics) {
    let found = hmm_sys::stats().into();
    // SAFETY: `out` is valid for a write, by contract.
    unsafe { out.write(found) }
}

/// Gives all free memory back to the system, now, but for what other threads have
/// at that moment: each keeps what is free in its own slabs, within the bound.
///
/// There is seldom need for it: what is free beyond a bound goes back by itself.
///
/// @return 1 if some was given back, be it addresses alone, 0 if there was none.
#[unsafe(export_name = "HmmTrim")]
pub extern "C" fn trim() -> c_int {
    c_int::from(hmm_sys::trim(0))
}

/// Limits what the heap holds.
///
/// Pages in use count, free ones that hold memory, and HMM's own tables. Beyond
/// the limit allocations fail, after everything that is free was given back. A
/// heap that holds more already gets no more until it holds less.
///
/// @param bytes  The limit; SIZE_MAX for none.
#[unsafe(export_name = "HmmSetLimit")]
pub extern "C" fn set_limit(bytes: usize) {
    hmm_sys::set_limit(given(bytes));
}

/// For HmmSetOption(): what the heap may hold, in bytes, as for HmmSetLimit().
pub const HMM_OPTION_LIMIT: c_int = 1;

/// For HmmSetOption(): how much free memory the heap may keep, in bytes; 0 for
/// none, SIZE_MAX for the rule by which it begins: 8 MiB, an eighth of what is in
/// use, or what the program took again lately of what had been given back,
/// whichever is the most.
pub const HMM_OPTION_KEEP: c_int = 2;

/// For HmmSetOption(): 1 to ask for huge pages behind whatever is added to a heap
/// of 32 MiB and more; 0 to have no more of them, also behind what the heap has
/// already (huge pages that are there stay until their memory goes back); 1 after
/// 0 to ask for them behind all of the heap. As it begins, they are made one at a
/// time, for small blocks that fill much memory.
pub const HMM_OPTION_HUGE_PAGES: c_int = 3;

/// For HmmSetOption(): 1 to have signals wait while the heap's lists are changed,
/// so that handlers may leave by `siglongjmp`; 0, as it begins, not to.
pub const HMM_OPTION_HOLD_SIGNALS: c_int = 4;

/// Changes a setting. The environment sets the same at the start: `HMM_LIMIT`,
/// `HMM_KEEP`, `HMM_HUGE_PAGES` and `HMM_HOLD_SIGNALS`.
///
/// @param option  One of the constants HMM_OPTION_...
/// @param value   What it is set to.
/// @return 0, or EINVAL if there is no such option or it cannot have that value.
#[unsafe(export_name = "HmmSetOption")]
pub extern "C" fn set_option(option: c_int, value: usize) -> c_int {
    match option {
        HMM_OPTION_LIMIT => hmm_sys::set_limit(given(value)),
        HMM_OPTION_KEEP => hmm_sys::set_keep(given(value)),
        HMM_OPTION_HUGE_PAGES if value <= 1 => hmm_sys::set_huge_pages(value == 1),
        HMM_OPTION_HOLD_SIGNALS if value <= 1 => hmm_sys::set_hold_signals(value == 1),
        _ => return libc::EINVAL,
    }
    0
}

/// A number, unless it stands for none.
fn given(value: usize) -> Option<usize> {
    (value != usize::MAX).then_some(value)
}

/// Checks every invariant of the heap.
///
/// @return 0 when all hold; otherwise not 0, and a line on standard error says
///         which does not.
#[unsafe(export_name = "HmmCheck")]
pub extern "C" fn check() -> c_int {
    match hmm_sys::check() {
        Ok(()) => 0,
        Err(violation) => {
            hmm_sys::report(format_args!("the heap is damaged: {violation}"));
            1
        }
    }
}
