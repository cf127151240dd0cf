//! Memory below the heap under test: a mapping of which pieces are handed out,
//! with holes, refusals and odd steps as the input says.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ptr::NonNull;
use std::rc::Rc;

use hmm_core::{Grown, HeapGrow, Moved, Span};

/// What the backend does at its next calls, a bit each, the lowest first: 1
/// refuses. Set from outside while the heap has the backend.
#[derive(Clone, Default)]
pub struct Refusals(Rc<Cell<u64>>);

impl Refusals {
    /// What the next calls do.
    pub fn plan(&self, calls: u64) {
        self.0.set(calls);
    }

    fn next(&self) -> bool {
        let calls = self.0.get();
        self.0.set(calls >> 1);
        calls & 1 != 0
    }
}

const ROOM: usize = 8 << 20;

/// The backend: one range of addresses.
pub struct Memory {
    start: NonNull<u8>,
    top: usize,
    refusals: Refusals,
    os_page: usize,
    grown: usize,
    tables: Vec<(NonNull<u8>, Layout)>,
}

// SAFETY: the targets use it on one thread only.
unsafe impl Send for Memory {}

fn layout() -> Layout {
    Layout::from_size_align(ROOM, 1 << 16).expect("a valid layout")
}

fn zeroed(layout: Layout) -> NonNull<u8> {
    // SAFETY: no layout here is empty.
    NonNull::new(unsafe { alloc_zeroed(layout) }).unwrap_or_else(|| handle_alloc_error(layout))
}

impl Memory {
    /// Memory that comes and goes in pages of `os_page` bytes.
    pub fn new(os_page: usize, refusals: Refusals) -> Self {
        Self { start: zeroed(layout()), top: 0, refusals, os_page, grown: 0, tables: Vec::new() }
    }

    fn fill(span: Span, byte: u8) {
        // SAFETY: the span is part of the range, and nothing lives in it.
        unsafe { span.start.write_bytes(byte, span.bytes) };
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: it came from there with this layout; the heap is gone.
        unsafe { dealloc(self.start.as_ptr(), layout()) };
        for &(start, layout) in &self.tables {
            // SAFETY: likewise.
            unsafe { dealloc(start.as_ptr(), layout) };
        }
    }
}

// SAFETY: spans move upward and are handed out once, unless given back.
unsafe impl HeapGrow for Memory {
    fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
        if self.refusals.next() {
            return None;
        }
        // Now and then a hole, some more than asked for, or memory that is not zero.
        self.grown += 1;
        let hole = if self.grown % 5 == 4 { align } else { 0 };
        let more = if self.grown % 3 == 2 { 3 * align } else { 0 };
        let zeroed = self.grown % 4 != 3;
        let bytes = min.checked_next_multiple_of(align)?.checked_add(more)?;
        let at = self.top + hole;
        if bytes > ROOM - at.min(ROOM) {
            return None;
        }
        self.top = at + bytes;
        // SAFETY: the offset lies in the range.
        let start = unsafe { self.start.add(at) };
        let span = Span { start, bytes };
        Self::fill(span, if zeroed { 0 } else { 0x5A });
        Some(Grown { span, room: ROOM - at, zeroed })
    }

    unsafe fn shrink(&mut self, start: NonNull<u8>, bytes: usize) -> bool {
        let is_end = start.addr().get() + bytes == self.start.addr().get() + self.top;
        if self.refusals.next() || !is_end {
            return false;
        }
        self.top -= bytes;
        Self::fill(Span { start, bytes }, 0xDD);
        true
    }

    unsafe fn purge(&mut self, span: Span) -> bool {
        assert_eq!((span.start.addr().get() | span.bytes) % self.os_page, 0, "whole pages of the system's");
        if self.refusals.next() {
            return false;
        }
        Self::fill(span, 0);
        true
    }

    unsafe fn move_pages(&mut self, from: Span, to: NonNull<u8>, _again: bool) -> Moved {
        assert_eq!((from.start.addr().get() | to.addr().get() | from.bytes) % self.os_page, 0);
        if self.refusals.next() {
            let loses = self.refusals.next();
            if loses {
                Self::fill(Span { start: to, bytes: from.bytes }, 0xDD);
            }
            return if loses { Moved::Lost } else { Moved::No };
        }
        // SAFETY: the caller's promise: two disjoint ranges of this length.
        unsafe { from.start.copy_to_nonoverlapping(to, from.bytes) };
        Self::fill(from, 0);
        Moved::Yes
    }

    fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        if self.refusals.next() {
            return None;
        }
        let layout = Layout::from_size_align(bytes, 64).ok()?;
        let start = zeroed(layout);
        self.tables.push((start, layout));
        Some(start)
    }

    fn open_meta(&mut self, _start: NonNull<u8>, _bytes: usize) -> bool {
        !self.refusals.next()
    }

    fn os_page(&self) -> usize {
        self.os_page
    }
}
