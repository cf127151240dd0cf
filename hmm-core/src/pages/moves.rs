//! Moving the contents of pages without copying them.
//!
//! ```text
//!   before   from | A | B | C |     to |   |   |   |
//!   after    from | 0 | 0 | 0 |     to | A | B | C |     the same memory, at other addresses
//! ```

use super::Pages;
use super::map::PageMap;
use super::purge::fourths;
use crate::grow::{HeapGrow, Moved, Span};
use crate::units::PageNo;
use core::ptr::NonNull;

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// Moves the contents of `pages` used pages from `from` to `to`, both runs
    /// of the caller's, without copying; `from` is zero then. Not where
    /// the backend cannot, and where memory is behind `to`: that would be lost, and to take it
    /// anew costs several times as much as to copy. If `to` is lost, it is no run of the caller's any more.
    pub(crate) fn move_run(&mut self, map: &PageMap<SHIFT>, from: PageNo, to: PageNo, pages: u32) -> Moved {
        let (Some(start), Some(target)) = (NonNull::new(map.address(from)), NonNull::new(map.address(to))) else {
            return Moved::No;
        };
        let span = Span { start, bytes: (pages as usize) << SHIFT };
        let has_memory = map.count_dirty(to, pages) == pages
            && fourths(pages).all(|(from, pages)| self.seems_filled(map, to.up(from), pages));
        if Self::PAGE % self.grow.os_page() != 0 || has_memory {
            return Moved::No;
        }
        let again = map.header(from).is_moved();
        // SAFETY: both runs are the caller's and disjoint; page ends are OS
        // page ends.
        let moved = unsafe { self.grow.move_pages(span, target, again) };
        match moved {
            Moved::Yes => {
                map.set_dirty(from, pages, false);
                map.header(to).mark_only_moved(true);
                self.gives = true;
            }
            Moved::Lost => {
                self.shorten(map, to, pages, false);
                self.lose(map, to);
            }
            Moved::No => {}
        }
        moved
    }
}
