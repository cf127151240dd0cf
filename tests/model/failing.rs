//! A backend that fails when it is told to.

use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use hmm_core::{Grown, HeapGrow, Moved, Span, Stats};

use crate::PAGE;
use crate::backends::Scattered;

/// Refuses the calls whose numbers lie in a window.
pub(crate) struct Failing {
    inner: Scattered,
    window: Range<usize>,
    log: Arc<Log>,
}

/// What a [`Failing`] backend has seen.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Calls so far; far beyond any window once it is over.
    calls: AtomicUsize,
    /// Bytes handed out and not taken back.
    out: AtomicUsize,
}

impl Log {
    /// No call fails from now on. Returns how many calls there were.
    pub(crate) fn end_failures(&self) -> usize {
        self.calls.swap(usize::MAX / 2, Relaxed)
    }

    /// All that was handed out is in the heap that has `stats`. (Where a call for a table was refused, free pages
    /// became one.)
    pub(crate) fn assert_nothing_is_lost(&self, stats: &Stats) {
        let lacking = self.out.load(Relaxed).wrapping_sub(stats.mapped);
        assert!(lacking <= stats.metadata && lacking % PAGE == 0, "{lacking} bytes that the backend gave are lost");
    }
}

impl Failing {
    pub(crate) fn new(inner: Scattered, window: Range<usize>) -> (Self, Arc<Log>) {
        let log = Arc::new(Log::default());
        (Self { inner, window, log: Arc::clone(&log) }, log)
    }

    fn refuses(&self) -> bool {
        self.window.contains(&self.log.calls.fetch_add(1, Relaxed))
    }
}

// SAFETY: passes on what `Scattered` does, or does nothing and says so.
unsafe impl HeapGrow for Failing {
    fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
        if self.refuses() {
            return None;
        }
        let grown = self.inner.grow(min, align)?;
        self.log.out.fetch_add(grown.span.bytes, Relaxed);
        Some(grown)
    }

    unsafe fn shrink(&mut self, start: NonNull<u8>, bytes: usize) -> bool {
        // SAFETY: the caller's promise.
        let taken = !self.refuses() && unsafe { self.inner.shrink(start, bytes) };
        self.log.out.fetch_sub(if taken { bytes } else { 0 }, Relaxed);
        taken
    }

    unsafe fn purge(&mut self, span: Span) -> bool {
        // SAFETY: the caller's promise.
        !self.refuses() && unsafe { self.inner.purge(span) }
    }

    unsafe fn move_pages(&mut self, from: Span, to: NonNull<u8>, again: bool) -> Moved {
        // SAFETY: the caller's promise.
        let moved = if self.refuses() { Moved::Lost } else { unsafe { self.inner.move_pages(from, to, again) } };
        self.log.out.fetch_sub(if moved == Moved::Lost { from.bytes } else { 0 }, Relaxed);
        moved
    }

    fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        if self.refuses() { None } else { self.inner.meta(bytes) }
    }

    fn open_meta(&mut self, start: NonNull<u8>, bytes: usize) -> bool {
        !self.refuses() && self.inner.open_meta(start, bytes)
    }

    fn os_page(&self) -> usize {
        self.inner.os_page()
    }
}
