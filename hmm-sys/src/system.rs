//! The hosted backend: the break first, the reserve where that is not ours, or when it is refused.

use core::ptr::NonNull;

use hmm_core::{Grown, HeapGrow, Moved, Span};

use crate::brk::Break;
use crate::moves::Moves;
use crate::reserve::Reserve;
use crate::{huge, limits, meta, purge, resident};

/// Memory from the operating system.
#[derive(Debug)]
pub(crate) struct System {
    pub(crate) brk: Break,
    pub(crate) reserve: Reserve,
    moves: Moves,
    /// What the heap may hold, in bytes.
    pub(crate) limit: usize,
}

impl System {
    pub(crate) const fn new() -> Self {
        Self { brk: Break::new(), reserve: Reserve::new(), moves: Moves::new(), limit: usize::MAX }
    }
}

// SAFETY: both sources hand out memory that the kernel added for this call,
// upward in their own range; `shrink` gives back only the end of one of them.
unsafe impl HeapGrow for System {
    fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
        let grown = match self.brk.grow(min, align) {
            Some(span) => Some(Grown { span, room: limits::address_room().max(span.bytes), zeroed: true }),
            None => self.reserve.grow(min, align),
        }?;
        huge::advise(grown.span.start.as_ptr(), grown.span.bytes, self.brk.bytes() + self.reserve.bytes());
        Some(grown)
    }

    unsafe fn shrink(&mut self, start: NonNull<u8>, bytes: usize) -> bool {
        let end = start.addr().get() + bytes;
        if self.brk.ends_at(end) {
            // SAFETY: the caller's promise.
            unsafe { self.brk.shrink(bytes) }
        } else if self.reserve.ends_at(end) {
            // SAFETY: the caller's promise.
            unsafe { self.reserve.shrink(start, bytes) }
        } else {
            false
        }
    }

    unsafe fn purge(&mut self, span: Span) -> bool {
        // SAFETY: the caller's promise.
        unsafe { purge::purge(span) }
    }

    unsafe fn move_pages(&mut self, from: Span, to: NonNull<u8>, again: bool) -> Moved {
        // SAFETY: the caller's promise.
        unsafe { self.moves.move_pages(from, to, again) }
    }

    fn unit(&self) -> usize {
        huge::unit()
    }

    unsafe fn populate(&mut self, span: Span) -> bool {
        huge::populate(span)
    }

    fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        meta::set_aside(bytes)
    }

    fn open_meta(&mut self, start: NonNull<u8>, bytes: usize) -> bool {
        meta::open(start, bytes)
    }

    fn resident(&mut self, span: Span) -> Option<usize> {
        resident::bytes(span)
    }

    fn limit(&self) -> usize {
        self.limit
    }

    fn os_page(&self) -> usize {
        limits::page_size()
    }
}
