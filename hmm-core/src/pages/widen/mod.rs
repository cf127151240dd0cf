//! Growing the heap's address ranges and lowering them again.
//!
//! ```text
//!                              widen ──►
//!   region   | Small | Large | Foreign | Free      | room that may be had     |
//!                                      ◄── lower   ^ its end, the break
//! ```
//!
//! What the backend hands out lies at the end of a region, mostly; behind a gap, which
//! becomes a [`hole`]; in such a hole; or where no region reaches ([`ranges`]).

mod hole;
mod ranges;
mod table;
#[cfg(test)]
mod tests;

use super::Pages;
use super::map::PageMap;
use crate::grow::{Grown, HeapGrow};
use crate::units::PageNo;
use core::ptr::NonNull;

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// Gets at least `pages` more pages from the backend, in one piece, and
    /// enters them as free; or those that could not be entered the last time,
    /// however many they are. Says whether there were any.
    pub(super) fn widen(&mut self, map: &PageMap<SHIFT>, pages: u32) -> bool {
        let Some(min) = (pages as usize).checked_mul(Self::PAGE) else { return false };
        let Some(grown) = self.unentered.take().or_else(|| self.grow.grow(min, Self::PAGE)) else { return false };
        let entered = self.enter(map, &grown);
        if !entered {
            // SAFETY: the span was handed out last of its range, and nothing was
            // put there.
            let taken = unsafe { self.grow.shrink(grown.span.start, grown.span.bytes) };
            // (Where all ranges are in use, what none of them can take would only be in the way of what can be had.)
            let has_place = map.unused_region().is_some() || Self::continued(map, &grown).is_some();
            self.unentered = Some(grown).filter(|_| !taken && has_place);
        }
        entered
    }

    /// Makes a span from the backend part of a region, and free.
    fn enter(&mut self, map: &PageMap<SHIFT>, grown: &Grown) -> bool {
        self.grows_zeroed = grown.zeroed;
        let start = grown.span.start.as_ptr();
        let Some(pages) = u32::try_from(grown.span.bytes >> SHIFT).ok().filter(|&n| n > 0) else {
            return false;
        };
        let Some(tip) = self.region_for(map, grown, pages) else { return false };
        let region = map.region(tip);
        let offset = start.addr() - region.base().addr();
        if offset != region.bytes() && offset + grown.span.bytes > region.bytes() {
            self.cut_last_hole(map, tip, offset);
        }
        let old_end = region.bytes();
        let end = (offset >> SHIFT) as u32 + pages;
        let Some(first) = region.first() else { return false };
        if offset < old_end {
            return self.fill_hole(map, tip, first.up((offset >> SHIFT) as u32), pages, grown.zeroed);
        }
        if !self.open_headers(map, tip, region, end) {
            return false;
        }
        region.set_bytes((end as usize) << SHIFT);
        self.own += pages as usize;
        self.tip = tip;
        let page = first.up((offset >> SHIFT) as u32);
        Self::leave_hole(map, page, ((offset - old_end) >> SHIFT) as u32);
        map.set_dirty(page, pages, !grown.zeroed);
        // (Not given back as others are: that would lower the break again.)
        self.enter_free(map, page, pages);
        true
    }

    /// Gives the top of a region back if the free run at `page` ends there and is more than twice
    /// as long as what may be kept: all but that. Pages of it that hold no memory cost nothing, and
    /// those that do are purged as any others.
    pub(super) fn lower_if_long(&mut self, map: &PageMap<SHIFT>, page: PageNo) {
        let run = map.header(page).run();
        if map.to_end(page) == run {
            let index = map.region_index(page);
            let keep = u32::try_from(self.keep.allowed(self.used_bytes()) >> SHIFT).unwrap_or(u32::MAX);
            if run / 2 > keep || keep == 0 {
                self.lower(map, index, page, keep);
            }
        }
    }

    /// Gives back the free run at `page`, the last of region `index`, all but
    /// its first `keep` pages. Says whether the backend took it.
    pub(super) fn lower(&mut self, map: &PageMap<SHIFT>, index: usize, page: PageNo, keep: u32) -> bool {
        let run = map.header(page).run();
        let cut = page.up(keep);
        let Some(start) = NonNull::new(map.address(cut)) else { return false };
        let bytes = ((run - keep) as usize) << SHIFT;
        // The pages leave the books first: once the backend has them, they
        // may be anyone's.
        let (_, dirty) = self.unlink(map, page);
        let gone = map.count_dirty(cut, run - keep);
        // SAFETY: the run is free and ends where its region ends.
        let lowered = unsafe { self.grow.shrink(start, bytes) };
        if lowered {
            let region = map.region(index);
            region.set_bytes(region.bytes() - bytes);
            self.own -= (run - keep) as usize;
            if keep > 0 {
                self.link(map, page, keep, dirty - gone);
            }
            self.keep.gave((gone as usize) << SHIFT, self.free.dirty());
        } else {
            self.link(map, page, run, dirty);
        }
        lowered
    }
}
