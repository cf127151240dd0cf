//! HMM on a hosted system: the one process-wide heap and all that it needs of
//! the operating system.
//!
//! ```text
//!   doors (C library, Rust global allocator)
//!     heap      the process's heap: alloc, free, realloc, … for any thread; stats
//!     life      threads that begin and end
//!     fork      processes that double
//!     set_up    how far the process is set up
//!     process   the heap itself, a static
//!     tls       the thread's word: where its own heap is
//!     system    HeapGrow: the break where it is ours, else, or when it is refused, the mmap reserve
//!     brk       sbrk: grown in steps, lowered again, shared with others
//!     reserve   mmap: a range grown in place
//!     meta      mmap: the heap's own tables, between guard pages
//!     purge     madvise: memory goes back, addresses stay
//!     settings  the environment, read once
//!     huge      huge pages: one at a time, or for who asks
//!     signals   held back while a lock is held: only for who asks
//!     moves     mremap: pages move to other addresses
//!     lock, futex, step, resident, errno, file, limits, message, weak
//! ```
//!
//! Everything is `no_std` and calls nothing of libc that allocates. All
//! functions keep `errno`; setting it is the business of the doors.

#![no_std]

#[cfg(test)]
extern crate std;

mod brk;
pub mod errno;
#[cfg(target_os = "linux")]
mod file;
mod fork;
mod futex;
mod heap;
mod huge;
mod life;
mod limits;
mod lock;
mod message;
mod meta;
mod moves;
mod process;
mod purge;
mod reserve;
mod resident;
mod set_up;
mod settings;
mod signals;
mod stats;
mod step;
mod system;
mod tls;
mod weak;

pub use heap::{
    alloc, alloc_aligned, alloc_beyond, alloc_fast, alloc_kept, alloc_slow, alloc_slowest, alloc_zeroed,
    alloc_zeroed_aligned, begin, check, free, free_sized, free_sized_aligned, realloc, realloc_aligned, trim,
    usable_size,
};
pub use hmm_core::{GRANULE, MIN_ALIGN, Violation};
pub use limits::page_size;
pub use message::{Output, report};
pub use settings::{override_keep, set_hold_signals, set_huge_pages, set_keep, set_limit, variable};
pub use stats::{Stats, counts, stats};
