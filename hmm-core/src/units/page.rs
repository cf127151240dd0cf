//! Page numbers.

use core::fmt;
use core::num::NonZeroU32;

/// A page of the heap, by number.
///
/// Numbers run through all address ranges of a heap, from 1; 0 is "no page",
/// so that zeroed memory holds empty links and `Option<PageNo>` takes four
/// bytes. Only the page map and the run layer make numbers, and only of pages
/// whose header exists; others read such as were stored, or step within a run. Holding a `PageNo` is the right to its header.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub(crate) struct PageNo(NonZeroU32);

impl PageNo {
    /// The first page of a heap.
    pub(crate) const FIRST: Self = Self(NonZeroU32::MIN);

    /// The page a link of a header names; `None` for 0.
    pub(crate) fn from_link(link: u32) -> Option<Self> {
        NonZeroU32::new(link).map(Self)
    }

    /// The link that names a page, or none.
    pub(crate) fn to_link(page: Option<Self>) -> u32 {
        page.map_or(0, Self::get)
    }

    /// The bare number.
    pub(crate) fn get(self) -> u32 {
        self.0.get()
    }

    /// The page `pages` further up in the same run or range.
    pub(crate) fn up(self, pages: u32) -> Self {
        debug_assert!(self.get().checked_add(pages).is_some());
        Self(self.0.saturating_add(pages))
    }

    /// The page `pages` further down; the caller knows that there is one.
    pub(crate) fn down(self, pages: u32) -> Self {
        debug_assert!(pages < self.get());
        Self(NonZeroU32::new(self.get().wrapping_sub(pages)).unwrap_or(NonZeroU32::MIN))
    }
}

impl fmt::Debug for PageNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "page {}", self.get())
    }
}
