//! Moving the contents of pages without copying them.
//!
//! ```text
//!   before   from | A | B | C |     to |   |   |   |
//!   after    from | 0 | 0 | 0 |     to | A | B | C |     the same memory, at other addresses
//! ```

use super::header::Kind;
use super::map::PageMap;
use super::purge::fourths;
use super::{Growth, Pages};
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

    /// Moves the used run at `from`, the caller's, to one of `pages` pages, more than it has, that begins at a multiple of
    /// `align_pages`: where the limit has no room for both at once, it may have for what there is afterwards. Returns the
    /// new run; `None`, and the old one is as it was, if there is no room for that either, or it would have to be copied.
    pub(crate) fn move_to_longer(
        &mut self,
        map: &PageMap<SHIFT>,
        from: PageNo,
        pages: u32,
        align_pages: u32,
    ) -> Option<PageNo> {
        let have = map.header(from).run();
        if pages <= have {
            return None;
        }
        self.moving = have as usize;
        let to = self.take_run(map, pages, align_pages, Growth::Allow);
        let moved = to.map(|to| {
            map.header(to).set_kind(Kind::Large);
            map.header(to).mark_only_moved(false);
            // What memory is there would stand in the way, and counts beside the other.
            self.purge_dirty(map, to, pages, 1, pages);
            self.move_run(map, from, to, have)
        });
        self.moving = 0;
        match (to, moved?) {
            (Some(_), Moved::Yes) => self.give_run(map, from, false),
            (Some(to), Moved::No) => {
                // (It holds anything.)
                self.give_run(map, to, true);
                self.shed(map, 0);
                return None;
            }
            _ => return None,
        }
        to
    }
}
