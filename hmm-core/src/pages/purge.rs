//! Giving back the memory of free pages.
//!
//! ```text
//!   free run   | clean | dirty | clean | dirty dirty |      dirty: may hold memory
//!                                        ◄───────────  from above, a stretch at a time
//! ```
//!
//! The addresses stay the heap's; what is purged is zero, and clean.

use core::ops::Range;
use core::ptr::NonNull;

use super::Pages;
use super::header::Kind;
use super::map::PageMap;
use crate::grow::{HeapGrow, Span};
use crate::units::PageNo;

/// The fourths of so many pages that are not empty: where each begins, and its length.
pub(super) fn fourths(pages: u32) -> impl Iterator<Item = (u32, u32)> {
    let from = move |nth: u32| (u64::from(pages) * u64::from(nth) / 4) as u32;
    (0..4).map(move |nth| (from(nth), from(nth + 1) - from(nth))).filter(|&(_, length)| length > 0)
}

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// Gives back all free memory but `pad` bytes of a free run that a region ends in:
    /// lowers the region by the rest of that, and purges the others. Says whether any
    /// memory went back.
    pub(crate) fn trim(&mut self, map: &PageMap<SHIFT>, pad: usize) -> bool {
        let mut any = false;
        let pad = u32::try_from(pad.div_ceil(Self::PAGE)).unwrap_or(u32::MAX);
        for index in 0..map.regions().count() {
            let top = self.free_top(map, index);
            if let Some(run) = top {
                let length = map.header(run).run();
                let keep = pad.min(length);
                any |= keep < length && self.lower(map, index, run, keep);
            }
            for page in map.runs_in(index) {
                let header = map.header(page);
                let stays = if Some(page) == top { pad } else { 0 };
                if header.kind() == Kind::Free && header.dirty_pages() > stays {
                    any |= self.purge_free(map, page, header.dirty_pages() - stays) > 0;
                }
            }
        }
        any
    }

    /// The free run at the top of region `index`.
    pub(super) fn free_top(&self, map: &PageMap<SHIFT>, index: usize) -> Option<PageNo> {
        let last = map.region_end(index)?;
        let header = map.header(last);
        match header.kind() {
            Kind::Free | Kind::FreeTail => Some(last.down(header.run() - 1)),
            _ => None,
        }
    }

    /// Purges up to `most` pages of the free run at `page`, the highest ones.
    /// Returns how many.
    pub(super) fn purge_free(&mut self, map: &PageMap<SHIFT>, page: PageNo, most: u32) -> u32 {
        let (length, dirty) = self.unlink(map, page);
        let gone = self.purge_dirty(map, page, length, 1, most);
        self.link(map, page, length, dirty - gone);
        gone
    }

    /// Gives back what of the used run at `page` lies behind its first `bytes` bytes, if that is `least` bytes
    /// or more. Says whether that was done.
    pub(crate) fn purge_behind(&mut self, map: &PageMap<SHIFT>, page: PageNo, bytes: usize, least: usize) -> bool {
        let (run, os_page) = ((map.header(page).run() as usize) << SHIFT, self.grow.os_page());
        let kept = bytes.next_multiple_of(os_page);
        // SAFETY: nothing lies behind the block, which is the caller's, in its own pages.
        Self::PAGE % os_page == 0 && kept + least <= run && unsafe { self.purge_bytes(map, page, kept..run) }
    }

    /// Purges the dirty stretches of at least `least` pages among the `pages`
    /// pages from `page` on, which hold nothing; `most` pages of them, the
    /// highest ones. Returns how many.
    pub(super) fn purge_dirty(&mut self, map: &PageMap<SHIFT>, page: PageNo, pages: u32, least: u32, most: u32) -> u32 {
        let mut gone = 0;
        let mut left = pages;
        while let Some((below, length)) = map.last_dirty(page, left).filter(|_| gone < most) {
            let some = length.min(most - gone);
            let from = page.up(below + length - some);
            if length >= least && self.purge(map, from, some) {
                map.set_dirty(from, some, false);
                gone += some;
            }
            left = below;
        }
        gone
    }

    /// Of the dirty stretches of at least `least` pages among the `pages` pages from `page` on, which hold
    /// nothing, purges those fourths that were not filled.
    pub(crate) fn purge_sparse(&mut self, map: &PageMap<SHIFT>, page: PageNo, pages: u32, least: u32) {
        let mut left = pages;
        while let Some((below, length)) = map.last_dirty(page, left) {
            left = below;
            if length < least {
                continue;
            }
            // Neighbours go back at once: each call costs as much as a few pages do.
            let mut sparse = 0;
            for (from, pages) in fourths(length) {
                if self.seems_filled(map, page.up(below + from), pages) {
                    self.purge_some(map, page.up(below + sparse), from - sparse);
                    sparse = from + pages;
                }
            }
            self.purge_some(map, page.up(below + sparse), length - sparse);
        }
    }

    /// Purges `pages` dirty pages from `page` on, if there are any.
    fn purge_some(&mut self, map: &PageMap<SHIFT>, page: PageNo, pages: u32) {
        if pages > 0 && self.purge(map, page, pages) {
            map.set_dirty(page, pages, false);
        }
    }

    fn purge(&mut self, map: &PageMap<SHIFT>, page: PageNo, pages: u32) -> bool {
        let bytes = 0..(pages as usize) << SHIFT;
        // SAFETY: pages that hold nothing, in our own hands (the run layer is locked).
        Self::PAGE % self.grow.os_page() == 0 && unsafe { self.purge_bytes(map, page, bytes) }
    }

    /// Purges these bytes, counted from the start of `page`.
    ///
    /// # Safety
    ///
    /// They hold nothing, and begin and end whole pages of the system's.
    pub(crate) unsafe fn purge_bytes(&mut self, map: &PageMap<SHIFT>, page: PageNo, bytes: Range<usize>) -> bool {
        let start = map.address(page).wrapping_add(bytes.start);
        let Some(start) = NonNull::new(start) else { return false };
        // SAFETY: the caller's promise; regions begin at multiples of the
        // heap's page size, which is one of the system's (`purge`), or those
        // of the system's lie in its pages.
        let gave = unsafe { self.grow.purge(Span { start, bytes: bytes.len() }) };
        self.gives |= gave;
        gave
    }
}
