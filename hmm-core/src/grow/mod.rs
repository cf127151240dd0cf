//! Floor 1, **grow**: where the heap's memory comes from.
//!
//! ```text
//!            base                                   base + room
//!              |  spans handed out so far  |  room    |
//!   addresses  |==========####=============|..........|
//!                          ^ a gap the backend could not have
//! ```
//!
//! A heap is one or a few address ranges, each of which only grows upward.
//! [`HeapGrow`] is the whole contract between the portable heap and whatever
//! lies below it: `sbrk` on a hosted system, a static array on a
//! microcontroller ([`FixedRegion`]), a frame allocator in a kernel.

mod fixed;
mod limit;

pub use fixed::FixedRegion;
pub use limit::Limit;

use core::ptr::NonNull;

/// Bytes that the heap's tables take for each page, and a bit: a header, which is held against this number.
pub(crate) const TABLE_BYTES: usize = if cfg!(target_pointer_width = "64") { 64 } else { 48 };

/// A range of addresses: `bytes` bytes from `start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: NonNull<u8>,
    /// The length in bytes.
    pub bytes: usize,
}

/// What [`HeapGrow::grow`] answers.
#[derive(Clone, Copy, Debug)]
pub struct Grown {
    /// The memory that is now the heap's.
    pub span: Span,
    /// How far, in bytes from `span.start`, later spans of the same address
    /// range may reach. The heap sizes its page table by it when the span
    /// opens a new range; `span.bytes` if nothing will follow.
    pub room: usize,
    /// Whether every byte of the span is known to be zero.
    pub zeroed: bool,
}

/// What [`HeapGrow::move_pages`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Moved {
    /// The pages were moved.
    Yes,
    /// They were not: both ranges are the heap's, and the contents where they were.
    No,
    /// They were not, and where they were to go there is no memory any more: these
    /// addresses are the backend's again.
    Lost,
}

/// The memory below a heap.
///
/// The heap calls these methods one at a time (`&mut self`) and passes no
/// reference to itself, so a backend can neither re-enter the heap nor
/// deadlock with it. A backend must not allocate from the heap it feeds, must
/// not unwind, and each call must end.
///
/// # Safety
///
/// * A span that `grow` or `meta` returned stays valid for reads and writes,
///   and belongs to the heap alone, until the heap gives it back by `shrink`
///   or `move_pages` loses it.
/// * Spans are disjoint. One that starts inside the `room` of an earlier one
///   lies above everything handed out in that range so far, or in a gap that
///   was left in between.
/// * All methods do what they say: spans are aligned, and what is said to be zero, usable,
///   purged or moved is so. `purge` and `move_pages` leave all contents that live alone when
///   they say that it was not done.
/// * No method calls anything of the heap that it feeds, not even what takes `&self`.
pub unsafe trait HeapGrow {
    /// Hands out at least `min` more bytes.
    ///
    /// `align` is a power of two (the heap's page size in bytes); `start` and
    /// `bytes` of the returned span are multiples of it. The span need not
    /// adjoin an earlier one. `None` when there is no more memory.
    fn grow(&mut self, min: usize, align: usize) -> Option<Grown>;

    /// Takes back the last `bytes` bytes of what [`grow`](Self::grow) handed
    /// out in an address range, those from `start` on, if the backend can; says
    /// whether it did. Where it has handed out memory above them since, it must
    /// see that and say `false`: a heap short of tables may treat one range as
    /// several.
    ///
    /// # Safety
    ///
    /// The bytes came from `grow`, and nothing lives in them any more.
    unsafe fn shrink(&mut self, start: NonNull<u8>, bytes: usize) -> bool {
        let _ = (start, bytes);
        false
    }

    /// Gives the memory of `span` back while keeping its addresses; the span
    /// then reads as zero. Says whether it was done.
    ///
    /// # Safety
    ///
    /// The span lies in memory from `grow`, its ends are multiples of
    /// [`os_page`](Self::os_page), and nothing lives in it.
    unsafe fn purge(&mut self, span: Span) -> bool {
        let _ = span;
        false
    }

    /// Moves the pages of `from`, contents and all, to `to` without copying;
    /// `from` then reads as zero. If that was not done, `from` is as it was; `to` is
    /// usable, whatever it holds, or [lost](Moved::Lost). `again` says that some
    /// of `from` came there by such a move itself.
    ///
    /// # Safety
    ///
    /// Both ranges lie in memory from `grow`, are disjoint, and begin and end
    /// at multiples of [`os_page`](Self::os_page); nothing lives at `to`.
    unsafe fn move_pages(&mut self, from: Span, to: NonNull<u8>, again: bool) -> Moved {
        let _ = (from, to, again);
        Moved::No
    }

    /// Bytes of the largest unit, a power of two, in which the system puts memory
    /// behind addresses at much less than the price of its
    /// [pages](Self::os_page); 0 if there is none.
    fn unit(&self) -> usize {
        0
    }

    /// Puts memory behind all of `span`, one [`unit`](Self::unit) and a multiple of
    /// its size, at once; the span then reads as zero. Says whether it was done; if
    /// not, some may be there.
    ///
    /// # Safety
    ///
    /// The span lies in memory from `grow`, reads as zero, and nothing lives in it.
    unsafe fn populate(&mut self, span: Span) -> bool {
        let _ = span;
        false
    }

    /// Sets aside `bytes` bytes of zeroed memory, aligned to 64, for the
    /// heap's own tables. It is never given back. Before the heap touches a
    /// part of it, it calls [`open_meta`](Self::open_meta) for that part, so
    /// a backend may reserve addresses here and memory there.
    fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>>;

    /// Makes `bytes` bytes from `start`, part of what [`meta`](Self::meta)
    /// set aside, usable; they read as zero. Parts are opened
    /// upward, and again only after a failure.
    fn open_meta(&mut self, start: NonNull<u8>, bytes: usize) -> bool {
        let _ = (start, bytes);
        true
    }

    /// The bytes of `span`, which came from `grow` or `meta`, that memory is
    /// behind at this moment; `None` if the backend cannot tell.
    fn resident(&mut self, span: Span) -> Option<usize> {
        let _ = span;
        None
    }

    /// The most that the heap may hold at any moment, in bytes: pages in use,
    /// free ones that were not purged, and tables. [`Limit`] sets it.
    fn limit(&self) -> usize {
        usize::MAX
    }

    /// The granularity of [`purge`](Self::purge) and
    /// [`move_pages`](Self::move_pages) in bytes, a power of two.
    fn os_page(&self) -> usize;
}
