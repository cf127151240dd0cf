//! One run that is kept, and how two that adjoin become one.
//!
//! ```text
//!   headers   | Kept, 4 |  |  |  | Kept, 2 |  |        ends_at(first, second)
//!   merged    | Kept, 6 |  |  |  |         |  |        merge(first, second, 6)
//! ```

use core::cell::Cell;
use core::ptr;

use crate::pages::header::{Header, Kind};

/// One run, none if it has no pages.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) pages: Cell<u32>,
    pub(super) start: Cell<*mut u8>,
    header: Cell<*const Header>,
}

impl Run {
    pub(super) const fn new() -> Self {
        Self { pages: Cell::new(0), start: Cell::new(ptr::null_mut()), header: Cell::new(ptr::null()) }
    }

    /// The header of its first page.
    pub(super) fn header<'a>(&self) -> &'a Header {
        header_at(self.header.get())
    }

    /// Puts a run in this place.
    pub(super) fn set(&self, start: *mut u8, header: &Header, pages: u32) {
        self.start.set(start);
        self.header.set(header);
        self.pages.set(pages);
        header.set_run(pages);
    }

    /// Takes the run out of its place.
    pub(super) fn take(&self) -> Option<(*mut u8, &Header)> {
        if self.pages.take() == 0 {
            return None;
        }
        Some((self.start.get(), self.header()))
    }
}

/// A header that a run, or the rest of one, begins with.
pub(super) fn header_at<'a>(header: *const Header) -> &'a Header {
    // SAFETY: it is that of a page of a run that is kept, and headers are never
    // unmapped.
    unsafe { &*header }
}

/// Makes one run of `pages` pages of the two that `first` and `second` head.
pub(super) fn merge(first: &Header, second: &Header, pages: u32) {
    first.mark_only_moved(first.is_moved() || second.is_moved());
    first.set_run(pages);
    second.set_kind(Kind::Blank);
}

/// Whether the run that `first` heads ends where `next` begins. (What is kept is of the heap's first range, whose headers
/// lie in one table. A table of another range ends with bits: no run there ends at a header of this one.)
pub(super) fn ends_at(first: &Header, next: &Header) -> bool {
    ptr::eq(ptr::from_ref(first).wrapping_add(first.run() as usize), next)
}
