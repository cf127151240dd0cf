//! Backends to try the core on.

use std::alloc::{Layout, alloc, dealloc};
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use fastrand::Rng;
use hmm_core::{FixedRegion, Grown, HeapGrow, Moved, Span};

/// Memory for one `FixedRegion`; not given back, as a static array is not.
pub(crate) struct Arena(&'static mut [MaybeUninit<u8>]);

impl Arena {
    pub(crate) fn new(bytes: usize) -> Self {
        // Filled, so that nothing relies on zeroes.
        Self(vec![MaybeUninit::new(0xA5); bytes].leak())
    }

    pub(crate) fn region(self) -> FixedRegion {
        FixedRegion::new(self.0)
    }
}

/// A large address range of which a hosted backend hands out pieces: in odd
/// steps, with holes that "others" hold, sometimes from a second range, and
/// sometimes not at all. Purging and moving work, by copying.
pub(crate) struct Scattered {
    ranges: Vec<Range>,
    meta: Vec<(NonNull<u8>, Layout)>,
    rng: Rng,
    pub(crate) odd: bool,
    /// Whether it sometimes does not take memory back, when `odd`.
    pub(crate) refuses: bool,
    /// The page size that the system is said to have, up to [`WIDEST`].
    pub(crate) os_page: usize,
    /// It adds fewer pages than this to what is asked for, when `odd`.
    pub(crate) extra: usize,
    /// Bytes of the largest table that it has addresses for.
    pub(crate) table: usize,
    /// Spans that were purged or moved away so far.
    pub(crate) taken: Arc<AtomicUsize>,
}

struct Range {
    start: NonNull<u8>,
    top: usize,
    end: usize,
}

const ROOM: usize = 256 << 20;
const RANGES: usize = 3;
/// The largest page that a system is said to have.
const WIDEST: usize = 2 << 20;

// SAFETY: the ranges are this value's alone.
unsafe impl Send for Scattered {}

impl Range {
    fn layout() -> Layout {
        Layout::from_size_align(ROOM, WIDEST).expect("a valid layout")
    }

    fn new() -> Self {
        // SAFETY: the layout is not empty.
        let start = NonNull::new(unsafe { alloc(Self::layout()) }).expect("address space");
        Self { start, top: 0, end: ROOM }
    }
}

impl Drop for Scattered {
    fn drop(&mut self) {
        for range in &self.ranges {
            // SAFETY: allocated in `Range::new`; the heap over it is gone.
            unsafe { dealloc(range.start.as_ptr(), Range::layout()) };
        }
        for &(start, layout) in &self.meta {
            // SAFETY: allocated in `meta`.
            unsafe { dealloc(start.as_ptr(), layout) };
        }
    }
}

impl Scattered {
    pub(crate) fn new(seed: u64) -> Self {
        let rng = Rng::with_seed(!seed);
        Self {
            ranges: vec![Range::new()],
            meta: Vec::new(),
            rng,
            odd: true,
            refuses: true,
            os_page: 4096,
            extra: 40,
            table: usize::MAX,
            taken: Arc::default(),
        }
    }

    /// Notes that `span` is taken, which must be whole pages of the system's.
    fn take(&self, span: Span) {
        let unaligned = (span.start.as_ptr().addr() | span.bytes) % self.os_page;
        assert!(unaligned == 0 && span.bytes > 0, "{span:?} is no pages of {} bytes", self.os_page);
        self.taken.fetch_add(1, Relaxed);
    }

    fn fill(span: Span, byte: u8) {
        // SAFETY: the span is part of a range and free.
        unsafe { span.start.write_bytes(byte, span.bytes) };
    }
}

// SAFETY: spans move upward in their range and are never handed out twice
// unless given back in between.
unsafe impl HeapGrow for Scattered {
    fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
        if self.odd && self.rng.u32(..50) == 0 {
            return None;
        }
        if self.odd && self.ranges.len() < RANGES && self.rng.u32(..20) == 0 {
            self.ranges.push(Range::new());
        }
        let which = if self.odd { self.rng.usize(..self.ranges.len()) } else { 0 };
        let hole = if self.odd && self.rng.u32(..4) == 0 { align * self.rng.usize(1..5) } else { 0 };
        let extra = if self.odd { align * self.rng.usize(..self.extra) } else { 64 * align };
        let zeroed = self.rng.bool();
        let range = &mut self.ranges[which];
        let bytes = min.checked_next_multiple_of(align)? + extra;
        let at = range.top + hole;
        if at + bytes > range.end {
            return None;
        }
        range.top = at + bytes;
        // SAFETY: the offset lies in the range.
        let start = unsafe { range.start.add(at) };
        let span = Span { start, bytes };
        Self::fill(span, if zeroed { 0 } else { 0x5A });
        Some(Grown { span, room: range.end - at, zeroed })
    }

    unsafe fn shrink(&mut self, start: NonNull<u8>, bytes: usize) -> bool {
        let end = start.as_ptr().addr() + bytes;
        if self.odd && self.refuses && self.rng.u32(..4) == 0 {
            return false;
        }
        let range = self.ranges.iter_mut().find(|range| range.start.as_ptr().addr() + range.top == end);
        let Some(range) = range else { return false };
        range.top -= bytes;
        // Whoever still reads there reads this.
        Self::fill(Span { start, bytes }, 0xDD);
        true
    }

    unsafe fn purge(&mut self, span: Span) -> bool {
        if self.odd && self.refuses && self.rng.u32(..4) == 0 {
            return false;
        }
        self.take(span);
        Self::fill(span, 0);
        true
    }

    unsafe fn move_pages(&mut self, from: Span, to: NonNull<u8>, _again: bool) -> Moved {
        let target = Span { start: to, bytes: from.bytes };
        if self.odd && self.rng.bool() {
            let loses = self.refuses && self.rng.u32(..4) == 0;
            if loses {
                Self::fill(target, 0xDD);
            }
            return if loses { Moved::Lost } else { Moved::No };
        }
        self.take(from);
        self.take(target);
        // SAFETY: the caller's promise: two disjoint ranges of this length.
        unsafe { from.start.copy_to_nonoverlapping(to, from.bytes) };
        Self::fill(from, 0);
        Moved::Yes
    }

    fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        if bytes > self.table {
            return None;
        }
        let layout = Layout::from_size_align(bytes, 64).ok()?;
        // SAFETY: the layout is not empty: nobody asks for nothing.
        let start = NonNull::new(unsafe { std::alloc::alloc_zeroed(layout) })?;
        self.meta.push((start, layout));
        Some(start)
    }

    fn os_page(&self) -> usize {
        self.os_page
    }
}
