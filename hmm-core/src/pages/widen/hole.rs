//! Holes: stretches of the heap's ranges that are not the heap's.
//!
//! ```text
//!   region   | Small | Foreign ------ | Free | …
//!                      ^ the backend could not have it, or lost it; or it became tables
//! ```
//!
//! A hole is a run like others, so that runs follow on each other without a gap. What is
//! in it may come to the heap later on.

use crate::grow::HeapGrow;
use crate::pages::Pages;
use crate::pages::header::Kind;
use crate::pages::map::PageMap;
use crate::units::PageNo;

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// Notes that the `pages` pages right below `page`, if there are any, are a hole.
    pub(super) fn leave_hole(map: &PageMap<SHIFT>, page: PageNo, pages: u32) {
        if pages > 0 {
            let hole = map.header(page.down(pages));
            hole.set_run(pages);
            hole.set_kind(Kind::Foreign);
        }
    }

    /// Makes the used run at `page` a hole: it is the heap's no more.
    pub(in crate::pages) fn lose(&mut self, map: &PageMap<SHIFT>, page: PageNo) {
        let header = map.header(page);
        header.set_kind(Kind::Foreign);
        self.own -= header.run() as usize;
    }

    /// Ends a region before its last run, if that is a foreign hole into which
    /// the backend's memory, `offset` bytes from the base, now reaches back; or behind which it begins, perhaps
    /// after more that is others': that makes one hole.
    pub(super) fn cut_last_hole(&mut self, map: &PageMap<SHIFT>, index: usize, offset: usize) {
        let region = map.region(index);
        let Some(hole) = map.runs_in(index).last() else { return };
        let header = map.header(hole);
        let start = map.address(hole).addr() - region.base().addr();
        if header.kind() == Kind::Foreign && start <= offset {
            header.set_kind(Kind::Blank);
            region.set_bytes(start);
        }
    }

    /// Makes `pages` pages from `start` on, which lie in a foreign hole, free:
    /// whoever held them let them go, or they came from another source than
    /// what is around them. `false` if they do not lie in a hole.
    pub(super) fn fill_hole(
        &mut self,
        map: &PageMap<SHIFT>,
        region: usize,
        start: PageNo,
        pages: u32,
        zeroed: bool,
    ) -> bool {
        let end = start.up(pages);
        let around = |&hole: &PageNo| {
            let header = map.header(hole);
            header.kind() == Kind::Foreign && hole <= start && end <= hole.up(header.run())
        };
        let Some(hole) = map.runs_in(region).find(around) else { return false };
        let hole_end = hole.up(map.header(hole).run());
        let (before, after) = (start.get() - hole.get(), hole_end.get() - end.get());
        map.header(hole).set_run(before);
        if after > 0 {
            let rest = map.header(end);
            rest.set_run(after);
            rest.set_kind(Kind::Foreign);
        }
        self.own += pages as usize;
        map.set_dirty(start, pages, !zeroed);
        self.give(map, start, pages, false);
        true
    }
}
