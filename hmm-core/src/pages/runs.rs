//! Taking, giving back and resizing runs of pages.
//!
//! ```text
//!   take   | Free --------------- |   ─►   | Free | Large ------ | Free |
//!            the best fit                   before  pages, aligned  after
//!   give   | Free | Large | Free  |   ─►   | Free --------------------- |
//! ```

use super::header::Kind;
use super::map::PageMap;
use super::{Growth, Pages};
use crate::grow::HeapGrow;
use crate::units::PageNo;

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// Takes a run of `pages` pages whose first byte is aligned to
    /// `align_pages` pages (a power of two).
    ///
    /// The caller sets the kind of the run's head at once. Pages that are not
    /// marked dirty are zero.
    pub(crate) fn take_run(
        &mut self,
        map: &PageMap<SHIFT>,
        pages: u32,
        align_pages: u32,
        growth: Growth,
    ) -> Option<PageNo> {
        let span = pages.checked_add(align_pages - 1)?;
        if !self.may_hold(pages) {
            return None;
        }
        let held = self.held();
        let run = match self.fit(map, pages, align_pages) {
            Some(run) => run,
            None if growth == Growth::Avoid => return None,
            // What is added only to be aligned is not held where it is zero.
            None => self.grown_run(map, span, if self.grows_zeroed { pages } else { span }).or_else(|| {
                self.lower_if_over(map);
                None
            })?,
        };
        let page = self.carve(map, run, pages, align_pages);
        if !self.keeps_limit(map, held) {
            self.give(map, page, pages, false);
            self.lower_if_over(map);
            return None;
        }
        Some(page)
    }

    /// The best free run that holds `pages` aligned pages; where the best of that
    /// length does not, one that is long enough in any case.
    fn fit(&self, map: &PageMap<SHIFT>, pages: u32, align_pages: u32) -> Option<PageNo> {
        let run = self.free.best_fit(map, pages)?;
        let before = Self::before_aligned(map, run, align_pages);
        let fits = map.header(run).run() - pages >= before;
        if fits { Some(run) } else { self.free.best_fit(map, pages + align_pages - 1) }
    }

    /// The pages from `page` to the first one that is aligned.
    fn before_aligned(map: &PageMap<SHIFT>, page: PageNo, align_pages: u32) -> u32 {
        let number = map.address(page).addr() >> SHIFT;
        (number.wrapping_neg() & (align_pages as usize - 1)) as u32
    }

    /// A free run of at least `span` pages, of which there was none so far; `held` of them are to be held.
    fn grown_run(&mut self, map: &PageMap<SHIFT>, span: u32, held: u32) -> Option<PageNo> {
        // First only what the free run at the top lacks; if the new memory
        // does not adjoin it, all of it.
        for at_tip in [self.free_at_tip(map).min(span - 1), 0] {
            if !self.may_add(map, held.saturating_sub(at_tip)) || !self.widen(map, span - at_tip) {
                return None;
            }
            if let Some(run) = self.free.best_fit(map, span) {
                return Some(run);
            }
        }
        None
    }

    /// Cuts `pages` aligned pages out of the free run at `run`, which is long
    /// enough, and returns what is left over.
    fn carve(&mut self, map: &PageMap<SHIFT>, run: PageNo, pages: u32, align_pages: u32) -> PageNo {
        let (length, mut dirty) = self.unlink(map, run);
        let before = Self::before_aligned(map, run, align_pages);
        let start = run.up(before);
        let after = length - before - pages;
        let taken = map.count_dirty(start, pages);
        dirty -= taken;
        if before > 0 {
            let low = if after > 0 { map.count_dirty(run, before) } else { dirty };
            dirty -= low;
            self.link(map, run, before, low);
        }
        if after > 0 {
            self.link(map, start.up(pages), after, dirty);
        }
        map.header(start).set_run(pages);
        self.took(((pages - taken) as usize) << SHIFT);
        start
    }

    /// Gives back the run whose head is `page`. `dirty` says that its pages
    /// may hold something else than zero.
    pub(crate) fn give_run(&mut self, map: &PageMap<SHIFT>, page: PageNo, dirty: bool) {
        let pages = map.header(page).run();
        self.give(map, page, pages, dirty);
    }

    /// Cuts the used run at `page` down to `keep` pages.
    pub(crate) fn shorten_run(&mut self, map: &PageMap<SHIFT>, page: PageNo, keep: u32) {
        self.shorten(map, page, keep, true);
    }

    pub(super) fn shorten(&mut self, map: &PageMap<SHIFT>, page: PageNo, keep: u32, dirty: bool) {
        debug_assert!(keep > 0);
        let header = map.header(page);
        let rest = header.run() - keep;
        header.set_run(keep);
        if rest > 0 {
            self.give(map, page.up(keep), rest, dirty);
        }
    }

    /// Lengthens the used run at `page` to `want` pages where it stands, into
    /// the free run behind it, which is grown if it is at the top of the heap.
    pub(crate) fn lengthen_run(&mut self, map: &PageMap<SHIFT>, page: PageNo, want: u32) -> bool {
        let have = map.header(page).run();
        let lacking = want - have;
        let mut room = self.free_behind(map, page.up(have - 1));
        if !self.may_hold(lacking) {
            return false;
        }
        let held = self.held();
        if room < lacking {
            let at_top = map.region_index(page) == self.tip && map.to_end(page) == have + room;
            if !at_top || !self.may_add(map, lacking - room) || !self.widen(map, lacking - room) {
                return false;
            }
            room = self.free_behind(map, page.up(have - 1));
            if room < lacking {
                self.lower_if_over(map);
                return false;
            }
        }
        let next = page.up(have);
        let (_, dirty) = self.unlink(map, next);
        let taken = map.count_dirty(next, lacking);
        if room > lacking {
            self.link(map, next.up(lacking), room - lacking, dirty - taken);
        }
        map.header(page).set_run(want);
        self.took(((lacking - taken) as usize) << SHIFT);
        if !self.keeps_limit(map, held) {
            self.shorten(map, page, have, false);
            self.lower_if_over(map);
            return false;
        }
        true
    }

    /// Frees `pages` pages from `page` on and merges them with the free runs
    /// on both sides; gives back to the backend what is more than is kept.
    pub(super) fn give(&mut self, map: &PageMap<SHIFT>, page: PageNo, pages: u32, dirty: bool) {
        if dirty {
            map.set_dirty(page, pages, true);
        }
        self.keep.freed((pages as usize) << SHIFT, self.used_bytes());
        map.header(page).set_kind(Kind::Blank);
        let start = self.enter_free(map, page, pages);
        self.lower_if_long(map, start);
        self.keep_within(map);
    }

    /// Merges `pages` blank pages from `page` on with the free runs on both sides;
    /// returns where the run begins that they are then.
    pub(super) fn enter_free(&mut self, map: &PageMap<SHIFT>, page: PageNo, pages: u32) -> PageNo {
        let mut dirty = map.count_dirty(page, pages);
        let (mut start, mut length) = (page, pages);
        if self.free_behind(map, page.up(pages - 1)) > 0 {
            let (pages, more) = self.unlink(map, page.up(pages));
            (length, dirty) = (length + pages, dirty + more);
        }
        let before = self.free_before(map, page);
        if before > 0 {
            start = page.down(before);
            let (pages, more) = self.unlink(map, start);
            (length, dirty) = (length + pages, dirty + more);
        }
        self.link(map, start, length, dirty);
        start
    }

    /// Enters `pages` blank pages from `page` on, of which `dirty` are dirty,
    /// as a free run.
    pub(super) fn link(&mut self, map: &PageMap<SHIFT>, page: PageNo, pages: u32, dirty: u32) {
        debug_assert!(dirty == map.count_dirty(page, pages));
        if pages > 1 {
            let tail = map.header(page.up(pages - 1));
            tail.set_run(pages);
            tail.set_kind(Kind::FreeTail);
        }
        let head = map.header(page);
        head.set_run(pages);
        head.set_kind(Kind::Free);
        head.set_dirty_pages(dirty);
        self.free.insert(map, page);
    }

    /// Takes the free run at `page` out of the books; its pages are blank
    /// then. Returns their number, and that of the dirty ones.
    pub(super) fn unlink(&mut self, map: &PageMap<SHIFT>, page: PageNo) -> (u32, u32) {
        let head = map.header(page);
        let pages = head.run();
        self.free.remove(map, page);
        head.set_kind(Kind::Blank);
        map.header(page.up(pages - 1)).set_kind(Kind::Blank);
        (pages, head.dirty_pages())
    }

    /// The length of the free run right behind the page `last`, or 0.
    fn free_behind(&self, map: &PageMap<SHIFT>, last: PageNo) -> u32 {
        if map.to_end(last) <= 1 {
            return 0;
        }
        let next = map.header(last.up(1));
        if next.kind() == Kind::Free { next.run() } else { 0 }
    }

    /// The length of the free run right before `page`, or 0.
    fn free_before(&self, map: &PageMap<SHIFT>, page: PageNo) -> u32 {
        if map.below(page) == 0 {
            return 0;
        }
        let last = map.header(page.down(1));
        match last.kind() {
            Kind::Free | Kind::FreeTail => last.run(),
            _ => 0,
        }
    }

    /// The length of the free run at the top of the region that grew last.
    fn free_at_tip(&self, map: &PageMap<SHIFT>) -> u32 {
        self.free_top(map, self.tip).map_or(0, |run| map.header(run).run())
    }
}
