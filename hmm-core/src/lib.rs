//! The heap of HMM: a portable memory manager over a grow backend of your own.
//!
//! ```text
//!   api       Heap (one owner)           Shared (many owners)
//!   shared                               owners, remote frees, hand-over, pool
//!   heap      cur[class], bin[class]: fast paths, refill, resize
//!   slab      bitmaps: which slots of a slab are free
//!   pages     headers, runs of free pages, the page map
//!   units     pages, size classes
//!   grow      HeapGrow: sbrk, a static array, a kernel's frames
//! ```
//!
//! Each floor uses only those below it. The heap is one address range that
//! grows upward, cut into pages; a flat table of page headers tells all about
//! a page; bits outside the heap tell which blocks are free. Nothing of the
//! allocator is ever stored in user memory, and every pointer that comes back
//! is checked against the bits: wild, foreign and interior frees are found
//! exactly, and double ones but for two cases of many threads
//! (`docs/design.md`, "Many owners").
//!
//! * On a machine without an operating system: [`TinyHeap`] over a
//!   [`FixedRegion`], or over a [`HeapGrow`] of your own.
//! * For many threads: [`Shared`], over a backend and a lock. The crate
//!   `hmm-sys` has both for hosted systems, and the thread-local word.
//!
//! The crate is `no_std`, allocates nothing but through its backend, never
//! panics and never unwinds in its paths. (With the feature `check`, which is for
//! tests, the heap is walked after every slow path, and a broken invariant panics.)

#![no_std]
// `shared` needs atomics of 64 bits; where there are none, nobody uses what is there for it alone.
#![cfg_attr(not(target_has_atomic = "64"), allow(dead_code))]

#[cfg(test)]
extern crate std;

mod check;
mod grow;
mod heap;
mod misuse;
mod pages;
#[cfg(target_has_atomic = "64")]
mod shared;
mod slab;
mod stats;
mod sync;
mod units;

pub use check::Violation;
pub use grow::{FixedRegion, Grown, HeapGrow, Limit, Moved, Span};
pub use heap::{Heap, Resize, TinyHeap};
pub use misuse::{Misuse, What};
#[cfg(target_has_atomic = "64")]
pub use shared::{Lock, Nobody, Owner, Shared};
pub use stats::Stats;
pub use units::{GRANULE, HOSTED_CLASSES, HOSTED_SHIFT, MIN_ALIGN};
