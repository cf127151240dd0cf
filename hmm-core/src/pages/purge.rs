//! Giving back the memory of free pages and moving pages.

use core::ops::Range;
use core::ptr::NonNull;

use super::Pages;
use super::header::Kind;
use super::map::PageMap;
use crate::grow::{HeapGrow, Moved, Span};
use crate::units::PageNo;

/// The fourths of so many pages that are not empty: where each begins, and its length.
pub(super) fn fourths(pages: u32) -> impl Iterator<Item = (u32, u32)> {
    let from = move |nth: u32| (u64::from(pages) * u64::from(nth) / 4) as u32;
    (0..4).map(move |nth| (from(nth), from(nth + 1) - from(nth))).filter(|&(_, length)| length > 0)
}

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// Pages that are purged at a time where so many are free.
    const BATCH: usize = 8;

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

    /// Purges what free runs hold beyond what may be kept, the longest runs
    /// first: those are the least likely to be taken soon, and the cheapest by
    /// the page.
    pub(super) fn keep_within(&mut self, map: &PageMap<SHIFT>) {
        let room = self.keep.room(self.used_bytes());
        self.keep.keeps(self.free.dirty());
        if self.free.dirty() <= room || self.is_small() {
            return;
        }
        // A good deal at a time: each call costs as much as a few pages do.
        let target = room - (room / 16).max((room / 4).min(Self::BATCH));
        let mut given = 0;
        while let Some(run) = self.free.longest_holding(map).filter(|_| self.free.dirty() > target) {
            let gone = self.purge_free(map, run, (self.free.dirty() - target) as u32);
            if gone == 0 {
                break;
            }
            given += gone;
        }
        self.keep.gave((given as usize) << SHIFT, self.free.dirty());
    }

    /// Bounds what is free and kept to `bytes`; with `None` to what the rule
    /// says.
    pub(crate) fn keep_free(&mut self, map: &PageMap<SHIFT>, bytes: Option<usize>) {
        self.keep.set(bytes);
        self.keep_within(map);
    }

    /// Somebody gave back `bytes` bytes inside slabs, and a licence for
    /// `licence` bytes; of the slabs' pages, `hollow[0]` bytes hold no memory now,
    /// where it were `hollow[1]` before.
    pub(crate) fn gave_parts(&mut self, bytes: usize, licence: usize, hollow: [usize; 2]) {
        // Threads may come out of order.
        self.hollow = self.hollow.wrapping_add(hollow[0]).wrapping_sub(hollow[1]);
        self.lacking = 0;
        self.keep.gave_inside(licence, bytes, self.hollow, self.free.dirty());
    }

    /// So many bytes that slabs' pages lacked of memory they lack no more, or are gone with them.
    pub(crate) fn fill(&mut self, bytes: usize) {
        self.hollow = self.hollow.wrapping_sub(bytes);
    }

    /// A medium slab goes back, and `bytes` bytes of it lack memory, though its pages count as dirty.
    pub(crate) fn gave_lacking(&mut self, bytes: usize) {
        self.lacking = self.lacking.saturating_add(bytes);
    }

    /// `bytes` bytes of dirty pages were taken for a medium slab. What went back from inside such
    /// slabs, and then with them, is taken again so: where most of a slab's slots are free, it is soon
    /// one that is free as a whole.
    pub(crate) fn took_lacking(&mut self, bytes: usize) {
        let again = bytes.min(self.lacking);
        self.lacking -= again;
        if again > 0 {
            self.took_parts(again);
        }
    }

    /// Whether all that the heap holds, free or not, is within the bound.
    fn is_small(&self) -> bool {
        self.keep.covers(self.all_bytes())
    }

    /// Bytes of pages in use, and of free ones that may hold memory.
    fn all_bytes(&self) -> usize {
        (self.used_pages() + self.free.dirty()) << SHIFT
    }

    /// Bytes of pages in use that hold memory, as far as is known.
    pub(super) fn used_bytes(&self) -> usize {
        (self.used_pages() << SHIFT).saturating_sub(self.hollow)
    }

    /// `bytes` bytes that held no memory were taken, as pages.
    pub(crate) fn took(&mut self, bytes: usize) {
        self.keep.keeps(self.free.dirty());
        self.keep.took(bytes, self.used_bytes(), self.free.dirty());
    }

    /// `bytes` bytes inside slabs, which had gone back, were taken again.
    pub(crate) fn took_parts(&mut self, bytes: usize) {
        self.keep.keeps(self.free.dirty());
        self.keep.took_inside(bytes, self.used_bytes(), self.free.dirty());
    }

    /// `bytes` bytes passed through slabs: less may be worth keeping
    /// now. Whether no more is licensed than may be kept.
    pub(crate) fn pass(&mut self, map: &PageMap<SHIFT>, bytes: usize) -> bool {
        let used = self.used_bytes();
        self.keep.freed(bytes, used);
        self.keep_within(map);
        let is_covered = self.keep.is_covered(used) || self.keep.covers_by_rule(self.all_bytes());
        is_covered && self.keep.keeps_little_inside(self.grow.limit(), 0)
    }

    /// As [`pass`](Self::pass), of large blocks that threads keep.
    pub(crate) fn pass_kept(&mut self, map: &PageMap<SHIFT>, bytes: usize) -> bool {
        self.pass(map, bytes) && self.keep.keeps_little_large(self.grow.limit(), 0)
    }

    /// Most threads have ended: what they took and freed is no swing of those that stay. Says
    /// whether there were many.
    pub(crate) fn end_crowd(&mut self, map: &PageMap<SHIFT>) -> bool {
        let ends = self.keep.end_crowd(self.used_bytes());
        if ends {
            self.keep_within(map);
        }
        ends
    }

    /// Whether `bytes` more free bytes may be kept.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.free.dirty() + (bytes >> SHIFT) <= self.keep.room(self.used_bytes())
    }

    /// Licenses a thread to keep `bytes` more, if there is room, at the cost of
    /// free runs.
    pub(crate) fn license(&mut self, map: &PageMap<SHIFT>, bytes: usize) -> bool {
        let is_small = self.keep.covers_by_rule(self.all_bytes());
        let granted = self.keep.license(self.used_bytes(), bytes, is_small, self.grow.limit());
        if granted {
            self.keep_within(map);
        }
        granted
    }

    /// As [`license`](Self::license), for large blocks.
    pub(crate) fn license_kept(&mut self, map: &PageMap<SHIFT>, bytes: usize) -> bool {
        let granted = self.keep.license_kept(self.used_bytes(), bytes, self.grow.limit());
        if granted {
            self.keep_within(map);
        }
        granted
    }

    /// Takes back a licence for `bytes` bytes of large blocks.
    pub(crate) fn return_kept(&mut self, bytes: usize) {
        self.keep.return_kept(bytes);
    }

    /// Whether the backend's limit lets the heap hold `pages` more pages in use,
    /// when nothing else is free and dirty.
    pub(super) fn may_hold(&self, pages: u32) -> bool {
        let used = self.used_pages() + pages as usize;
        used.checked_mul(Self::PAGE).is_some_and(|bytes| bytes.saturating_add(self.meta.bytes()) <= self.grow.limit())
    }

    /// Purges as many free pages as it takes for the heap to hold `more` bytes more
    /// and stay within the backend's limit. Says whether it would.
    pub(super) fn shed(&mut self, map: &PageMap<SHIFT>, more: usize) -> bool {
        loop {
            let would = self.held().saturating_add(more);
            let excess = would.saturating_sub(self.grow.limit()).div_ceil(Self::PAGE);
            if excess == 0 {
                return true;
            }
            let Some(run) = self.free.longest_holding(map) else { return false };
            if self.purge_free(map, run, excess as u32) == 0 {
                return false;
            }
        }
    }

    /// Purges up to `most` pages of the free run at `page`, the highest ones.
    /// Returns how many.
    fn purge_free(&mut self, map: &PageMap<SHIFT>, page: PageNo, most: u32) -> u32 {
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
        Self::PAGE % os_page == 0 && kept + least <= run && self.purge_bytes(map, page, kept..run)
    }

    /// Purges the dirty stretches of at least `least` pages among the `pages`
    /// pages from `page` on, which hold nothing; `most` pages of them, the
    /// highest ones. Returns how many.
    pub(crate) fn purge_dirty(&mut self, map: &PageMap<SHIFT>, page: PageNo, pages: u32, least: u32, most: u32) -> u32 {
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
        Self::PAGE % self.grow.os_page() == 0 && self.purge_bytes(map, page, 0..(pages as usize) << SHIFT)
    }

    /// Purges these bytes, counted from the start of `page`. They hold nothing,
    /// and begin and end whole pages of the system's.
    pub(crate) fn purge_bytes(&mut self, map: &PageMap<SHIFT>, page: PageNo, bytes: Range<usize>) -> bool {
        let start = map.address(page).wrapping_add(bytes.start);
        let Some(start) = NonNull::new(start) else { return false };
        // SAFETY: the caller's promise; regions begin at multiples of the
        // heap's page size, which is one of the system's (`purge`), or those
        // of the system's lie in its pages.
        let gave = unsafe { self.grow.purge(Span { start, bytes: bytes.len() }) };
        self.gives |= gave;
        gave
    }

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
                map.header(to).set_moved(true);
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
