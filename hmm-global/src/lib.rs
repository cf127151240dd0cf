//! HMM as Rust's global allocator: one line, no C toolchain.
//!
//! ```
//! #[global_allocator]
//! static A: hmm_global::Hmm = hmm_global::Hmm::new();
//!
//! let words: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
//! assert_eq!(words.len(), 1000);
//! assert!(hmm_global::Hmm::stats().blocks >= 1000);
//! ```
//!
//! Every deallocation is checked: a double free, a pointer from elsewhere, and
//! a layout that cannot be the block's end the program with one line on stderr.
//!
//! libc's `malloc` stays as it is, for C libraries in the same program, and so does the break, which is
//! that one's: [`Stats::brk_bytes`] is 0.

#![no_std]

use core::alloc::{GlobalAlloc, Layout};

use hmm_sys::MIN_ALIGN;
pub use hmm_sys::{Stats, Violation};

/// The allocator. All values are the same heap, the process's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hmm;

impl Hmm {
    /// The allocator, for a `static`.
    pub const fn new() -> Self {
        Self
    }

    /// What the heap holds; walks it.
    pub fn stats() -> Stats {
        hmm_sys::stats()
    }

    /// Walks the heap and asserts its invariants; for quiet moments.
    ///
    /// # Errors
    ///
    /// The first invariant that does not hold.
    pub fn check() -> Result<(), Violation> {
        hmm_sys::check()
    }

    /// Gives all free memory back to the system; says whether any went back.
    pub fn trim() -> bool {
        hmm_sys::trim(0)
    }

    /// Limits what the heap holds to `bytes` bytes, its own tables included;
    /// `None` lifts the limit. Beyond it allocations fail, after everything that
    /// is free was given back. The environment's `HMM_LIMIT` sets it at the start.
    pub fn set_limit(bytes: Option<usize>) {
        hmm_sys::set_limit(bytes);
    }

    /// Asks for huge pages behind whatever is added to a heap of 32 MiB and more, or
    /// has no more of them, also behind what the heap has already; it begins with those
    /// made one at a time, for small blocks that fill much memory. Where it had none, it
    /// asks for them behind all of the heap. The environment's `HMM_HUGE_PAGES` sets it
    /// at the start.
    pub fn set_huge_pages(wanted: bool) {
        hmm_sys::set_huge_pages(wanted);
    }

    /// Has signals wait while the heap's lists are changed, or not; it begins
    /// without. Handlers may leave by `siglongjmp` then. The environment's
    /// `HMM_HOLD_SIGNALS` sets it at the start.
    pub fn set_hold_signals(wanted: bool) {
        hmm_sys::set_hold_signals(wanted);
    }

    /// Limits what the heap keeps of free memory to `bytes` bytes; `None` restores
    /// the rule by which it begins (8 MiB, an eighth of what is in use, or what
    /// the program took again lately of what had been given back, whichever is
    /// the most). The environment's `HMM_KEEP` sets it at the start.
    pub fn set_keep(bytes: Option<usize>) {
        hmm_sys::set_keep(bytes);
    }
}

// SAFETY: blocks are disjoint, as large and as aligned as their layouts say,
// and live until they are deallocated; nothing unwinds.
unsafe impl GlobalAlloc for Hmm {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= MIN_ALIGN {
            hmm_sys::alloc(MIN_ALIGN, layout.size())
        } else {
            hmm_sys::alloc_aligned(layout.align(), layout.size())
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        hmm_sys::alloc_zeroed_aligned(layout.align(), layout.size())
    }

    #[inline]
    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        if layout.align() <= MIN_ALIGN {
            // SAFETY: the caller's promise.
            unsafe { hmm_sys::free_sized(p, layout.size(), MIN_ALIGN) };
        } else {
            // SAFETY: likewise.
            unsafe { hmm_sys::free_sized_aligned(p, layout.size(), layout.align()) };
        }
    }

    #[inline]
    unsafe fn realloc(&self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { hmm_sys::realloc_aligned(p, layout.align(), size) }
    }
}
