//! Giving back the memory of free pages and moving pages.

use core::ptr::NonNull;

use super::Pages;
use super::header::Kind;
use super::map::PageMap;
use crate::grow::{HeapGrow, Span};
use crate::units::PageNo;

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// Gives back all free memory: lowers each region that ends in a free run
    /// to all but `pad` bytes of it and purges the others. Says whether any
    /// memory went back.
    pub(crate) fn trim(&mut self, map: &PageMap<SHIFT>, pad: usize) -> bool {
        let mut any = false;
        for index in 0..map.regions().count() {
            if let Some(run) = self.free_top(map, index) {
                let length = map.header(run).run();
                let keep = u32::try_from(pad.div_ceil(Self::PAGE)).unwrap_or(u32::MAX).min(length);
                any |= keep < length && self.lower(map, index, run, keep);
            }
            for page in map.runs_in(index) {
                let header = map.header(page);
                if header.kind() == Kind::Free {
                    any |= self.purge_run(map, page, header.run(), 1);
                }
            }
        }
        any
    }

    /// The free run at the top of region `index`.
    fn free_top(&self, map: &PageMap<SHIFT>, index: usize) -> Option<PageNo> {
        let last = map.region_end(index)?;
        let header = map.header(last);
        match header.kind() {
            Kind::Free | Kind::FreeTail => Some(last.down(header.run() - 1)),
            _ => None,
        }
    }

    /// Purges the dirty stretches of at least `least` pages among the `pages`
    /// pages from `page` on, which hold nothing. Says whether there were any.
    pub(crate) fn purge_run(&mut self, map: &PageMap<SHIFT>, page: PageNo, pages: u32, least: u32) -> bool {
        let mut any = false;
        let mut done = 0;
        while done < pages {
            let from = page.up(done);
            let dirty = map.is_dirty(from);
            let mut length = 1;
            while done + length < pages && map.is_dirty(from.up(length)) == dirty {
                length += 1;
            }
            if dirty && length >= least && self.purge(map, from, length) {
                map.set_dirty(from, length, false);
                any = true;
            }
            done += length;
        }
        any
    }

    fn purge(&mut self, map: &PageMap<SHIFT>, page: PageNo, pages: u32) -> bool {
        let Some(start) = NonNull::new(map.address(page)) else { return false };
        let span = Span { start, bytes: (pages as usize) << SHIFT };
        if Self::PAGE % self.grow.os_page() != 0 {
            return false;
        }
        // SAFETY: the pages are free, page ends are OS page ends (checked
        // above; regions begin at multiples of the heap's page size).
        unsafe { self.grow.purge(span) }
    }

    /// Moves the contents of `pages` used pages from `from` to `to`, both runs
    /// of the caller's, without copying; `from` is zero then. `false` where
    /// the backend cannot.
    pub(crate) fn move_run(&mut self, map: &PageMap<SHIFT>, from: PageNo, to: PageNo, pages: u32) -> bool {
        let (Some(start), Some(target)) = (NonNull::new(map.address(from)), NonNull::new(map.address(to))) else {
            return false;
        };
        let span = Span { start, bytes: (pages as usize) << SHIFT };
        if Self::PAGE % self.grow.os_page() != 0 {
            return false;
        }
        let again = map.header(from).is_marked();
        // SAFETY: both runs are the caller's and disjoint; page ends are OS
        // page ends.
        let moved = unsafe { self.grow.move_pages(span, target, again) };
        if moved {
            map.set_dirty(from, pages, false);
            map.header(to).mark(true);
        }
        moved
    }
}
