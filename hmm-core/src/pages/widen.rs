//! Growing the heap's address ranges and lowering them again.

use crate::sync::AtomicUsize;

use super::Pages;
use super::header::{Header, Kind};
use super::map::{MAX_REGIONS, PageMap, Region};
use crate::grow::{Grown, HeapGrow};
use crate::units::{PageNo, WORD_BITS};

/// Bytes of a page table that are opened at a time.
const OPEN_STEP: usize = 64 * 1024;

/// A table that cannot be had is asked for anew so many times smaller. Where there is no room for it,
/// what is left is for blocks: with half of it, there may be little.
const SMALLER: u32 = 64;

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// Gets at least `pages` more pages from the backend, in one piece, and
    /// enters them as free; or those that could not be entered the last time,
    /// however many they are. Says whether there were any.
    pub(super) fn widen(&mut self, map: &PageMap<SHIFT>, pages: u32) -> bool {
        let Some(min) = (pages as usize).checked_mul(Self::PAGE) else { return false };
        let Some(grown) = self.spare.take().or_else(|| self.grow.grow(min, Self::PAGE)) else { return false };
        let entered = self.enter(map, &grown);
        if !entered {
            // SAFETY: the span was handed out last of its range, and nothing was
            // put there.
            let taken = unsafe { self.grow.shrink(grown.span.start, grown.span.bytes) };
            // (Where all ranges are in use, what none of them can take would only be in the way of what can be had.)
            let has_place = map.spare_region().is_some() || Self::continued(map, &grown).is_some();
            self.spare = Some(grown).filter(|_| !taken && has_place);
        }
        entered
    }

    /// Makes a span from the backend part of a region, and free.
    fn enter(&mut self, map: &PageMap<SHIFT>, grown: &Grown) -> bool {
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
        let gap = ((offset - old_end) >> SHIFT) as u32;
        let page = first.up((offset >> SHIFT) as u32);
        if gap > 0 {
            let hole = map.header(page.down(gap));
            hole.set_run(gap);
            hole.set_kind(Kind::Foreign);
        }
        map.set_dirty(page, pages, !grown.zeroed);
        self.give_new(map, page, pages);
        true
    }

    /// Ends a region before its last run, if that is a foreign hole into which
    /// the backend's memory, `offset` bytes from the base, now reaches back; or behind which it begins, perhaps
    /// after more that is others': that makes one hole.
    fn cut_last_hole(&mut self, map: &PageMap<SHIFT>, index: usize, offset: usize) {
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
    fn fill_hole(&mut self, map: &PageMap<SHIFT>, region: usize, start: PageNo, pages: u32, zeroed: bool) -> bool {
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

    /// The region that the span continues, or a new one; `None` if it fits
    /// none and no other can be had.
    fn region_for(&mut self, map: &PageMap<SHIFT>, grown: &Grown, pages: u32) -> Option<usize> {
        Self::continued(map, grown).or_else(|| self.open_region(map, grown, pages))
    }

    /// The region that the span continues.
    fn continued(map: &PageMap<SHIFT>, grown: &Grown) -> Option<usize> {
        let at = grown.span.start.as_ptr().addr();
        map.regions().position(|region| {
            let offset = at.wrapping_sub(region.base().addr());
            (offset >> SHIFT).saturating_add(grown.span.bytes >> SHIFT) <= region.room() as usize
        })
    }

    /// Opens a region for a span that no region can take.
    fn open_region(&mut self, map: &PageMap<SHIFT>, grown: &Grown, pages: u32) -> Option<usize> {
        let Some((index, region)) = map.spare_region() else { return self.reopen_region(map, grown, pages) };
        let start = grown.span.start.as_ptr();
        let mut room = self.room_at(map, grown).min(u32::MAX - 1 - self.next_region.get());
        if room < pages {
            return None;
        }
        // Where not even addresses can be had for so large a table, a smaller
        // one serves; the range then ends earlier.
        let (table, dirty) = loop {
            if let Some(tables) = self.tables(room) {
                break tables;
            }
            if room == pages {
                return None;
            }
            room = (room / SMALLER).max(pages);
        };
        self.make_way(map, start, room);
        region.open(start, self.next_region, room, table, dirty);
        self.next_region = self.next_region.up(room);
        Some(index)
    }

    /// As [`open_region`](Self::open_region), where all are in use: one that went back whole serves again, as far as the
    /// headers reach that are open. (Not the first, whose address owners know.)
    fn reopen_region(&mut self, map: &PageMap<SHIFT>, grown: &Grown, pages: u32) -> Option<usize> {
        let is_back = |&index: &usize| map.region(index).bytes() == 0 && self.opened[index] >= pages;
        let index = (1..MAX_REGIONS).filter(is_back).max_by_key(|&index| self.opened[index])?;
        let start = grown.span.start.as_ptr();
        let room = self.room_at(map, grown).min(self.opened[index]);
        if room < pages {
            return None;
        }
        self.make_way(map, start, room);
        map.region(index).reopen(start, room);
        Some(index)
    }

    /// Makes room for a region of `room` pages from `start` on: others end before it, also with a hole in which it
    /// begins.
    fn make_way(&mut self, map: &PageMap<SHIFT>, start: *const u8, room: u32) {
        for (index, other) in map.regions().enumerate() {
            let offset = start.addr().wrapping_sub(other.base().addr());
            if offset < other.bytes() {
                self.cut_last_hole(map, index, offset);
            }
            other.make_way(start, room, SHIFT);
        }
    }

    /// The pages that a region may have that begins with this span. Where a region's table had to be small, others begin
    /// within what would have been its room. No two rooms overlap, or the one would take what the other has for a hole.
    fn room_at(&self, map: &PageMap<SHIFT>, grown: &Grown) -> u32 {
        let bytes = grown.room.max(grown.span.bytes);
        let in_use = map.regions().filter(|region| region.bytes() > 0);
        let next = in_use.map(|region| region.pages_from(grown.span.start.as_ptr(), SHIFT)).min();
        u32::try_from((bytes >> SHIFT).min(next.unwrap_or(usize::MAX))).unwrap_or(u32::MAX)
    }

    /// A header table and dirty bits for `room` pages, neither open yet.
    fn tables(&mut self, room: u32) -> Option<(*mut Header, *mut AtomicUsize)> {
        let room = room as usize;
        let bits = room.div_ceil(WORD_BITS) * size_of::<AtomicUsize>();
        let bytes = room.checked_mul(size_of::<Header>())?;
        let table = self.grow.meta(bytes.checked_add(bits)?)?.as_ptr();
        Some((table.cast(), table.wrapping_add(bytes).cast()))
    }

    /// Opens the headers and dirty bits of the first `end` pages of a region.
    fn open_headers(&mut self, map: &PageMap<SHIFT>, index: usize, region: &Region, end: u32) -> bool {
        let opened = self.opened[index % MAX_REGIONS];
        if end <= opened {
            return true;
        }
        let step = (OPEN_STEP / size_of::<Header>()) as u32;
        let target = end.checked_next_multiple_of(step).unwrap_or(end).min(region.room());
        let words = |pages: u32| (pages as usize).div_ceil(WORD_BITS);
        let headers = (target - opened) as usize * size_of::<Header>();
        let bytes = headers + (words(target) - words(opened)) * size_of::<AtomicUsize>();
        let done = self.shed(map, bytes)
            && self.open_part(region.table(), opened as usize, target as usize)
            && self.open_part(region.dirty(), words(opened), words(target));
        if done {
            self.opened[index % MAX_REGIONS] = target;
            self.meta.count(bytes);
        }
        done
    }

    /// Opens the elements `from..to` of a table.
    fn open_part<T>(&mut self, table: *mut T, from: usize, to: usize) -> bool {
        let bytes = (to - from) * size_of::<T>();
        let start = core::ptr::NonNull::new(table.wrapping_add(from).cast::<u8>());
        start.is_some_and(|start| self.grow.open_meta(start, bytes))
    }

    /// Enters new pages as free, without lowering the break again.
    fn give_new(&mut self, map: &PageMap<SHIFT>, page: PageNo, pages: u32) {
        let dirty = map.count_dirty(page, pages);
        let (_, below, _) = map.surroundings(page);
        let before = if below == 0 { None } else { Some(map.header(page.down(1))) };
        match before {
            Some(last) if matches!(last.kind(), Kind::Free | Kind::FreeTail) => {
                let start = page.down(last.run());
                let (length, more) = self.unlink(map, start);
                self.link(map, start, length + pages, dirty + more);
            }
            _ => self.link(map, page, pages, dirty),
        }
    }

    /// Gives the top of a region back if the free run at `page` ends there and is more than twice
    /// as long as what may be kept: all but that. Pages of it that hold no memory cost nothing, and
    /// those that do are purged as any others.
    pub(super) fn lower_if_long(&mut self, map: &PageMap<SHIFT>, page: PageNo) {
        let run = map.header(page).run();
        let (index, _, above) = map.surroundings(page);
        if above == run {
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
        let Some(start) = core::ptr::NonNull::new(map.address(cut)) else { return false };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TinyHeap;
    use crate::grow::Span;
    use core::ptr::NonNull;
    use std::vec;

    /// Each span lies by itself, and goes back whole.
    struct Apart {
        /// Words, so that tables are aligned.
        memory: &'static mut [u64],
        used: usize,
    }

    impl Apart {
        fn take(&mut self, bytes: usize, align: usize) -> Option<NonNull<u8>> {
            let start = self.memory.as_mut_ptr().cast::<u8>();
            let at = start.wrapping_add(self.used + align);
            let at = at.wrapping_sub(at.addr() % align);
            self.used = at.addr() - start.addr() + bytes;
            NonNull::new(at).filter(|_| self.used <= size_of_val(self.memory))
        }
    }

    // SAFETY: no byte is handed out twice, and tables are zero.
    unsafe impl HeapGrow for Apart {
        fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
            let bytes = min.next_multiple_of(align);
            let start = self.take(bytes, align)?;
            // (What is behind stays free, so that the next one does not adjoin.)
            self.used += align;
            Some(Grown { span: Span { start, bytes }, room: bytes, zeroed: true })
        }

        unsafe fn shrink(&mut self, _: NonNull<u8>, _: usize) -> bool {
            true
        }

        fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
            self.take(bytes, 64)
        }

        fn os_page(&self) -> usize {
            4096
        }
    }

    #[test]
    fn ranges_that_went_back_serve_again() {
        let memory = vec![0_u64; 256 * 1024].leak();
        let mut heap = TinyHeap::new(Apart { memory, used: 0 });
        for round in 0..3 * MAX_REGIONS {
            let block = heap.alloc(8 * 1024);
            let Some(block) = block else { panic!("refused in round {round}: {:?}", heap.stats()) };
            // SAFETY: a live block of so many bytes; not used again.
            unsafe { block.write_bytes(0xA5, 8 * 1024) };
            assert_eq!(heap.check(), Ok(()));
            // SAFETY: likewise.
            assert_eq!(unsafe { heap.free(block) }, Ok(()));
            heap.trim();
            assert_eq!((heap.stats().mapped, heap.check()), (0, Ok(())));
        }
    }

    /// Hands out these stretches, by the page: where it begins, how long it is, how far it might reach.
    struct Told<'a> {
        stretches: &'a [(usize, usize, usize)],
        takes_back: bool,
        rest: Apart,
        start: NonNull<u8>,
    }

    // SAFETY: the stretches of the test do not overlap while they are handed out.
    unsafe impl HeapGrow for Told<'_> {
        fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
            let (&(at, pages, room), rest) = self.stretches.split_first()?;
            self.stretches = rest;
            let start = NonNull::new(self.start.as_ptr().wrapping_add(at * align))?;
            let span = Span { start, bytes: pages * align };
            (span.bytes >= min).then_some(Grown { span, room: room * align, zeroed: false })
        }

        unsafe fn shrink(&mut self, _: NonNull<u8>, _: usize) -> bool {
            self.takes_back
        }

        fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
            self.rest.meta(bytes)
        }

        fn os_page(&self) -> usize {
            512
        }
    }

    #[test]
    fn a_range_that_begins_in_anothers_last_hole_ends_that_one() {
        let mut rest = Apart { memory: vec![0_u64; 64 * 1024].leak(), used: 0 };
        let Some(start) = rest.take(8 * 512, 512) else { panic!("there is memory") };
        let stretches = &[(0, 1, 3), (2, 1, 1), (1, 3, 3)];
        let mut heap = TinyHeap::new(Told { stretches, takes_back: true, rest, start });
        let blocks = [512, 512].map(|size| heap.alloc(size));
        let [Some(_), Some(last)] = blocks else { panic!("refused: {blocks:?}") };
        // SAFETY: a live block, not used again.
        assert_eq!(unsafe { heap.free(last) }, Ok(()));
        heap.trim();
        let Some(block) = heap.alloc(3 * 512) else { panic!("refused: {:?}", heap.stats()) };
        assert_eq!(block.as_ptr().addr() - start.as_ptr().addr(), 512, "behind the first page");
        assert_eq!(heap.check(), Ok(()));
        // SAFETY: likewise.
        assert_eq!(unsafe { heap.free(block) }, Ok(()));
    }

    #[test]
    fn what_no_range_can_take_is_not_in_the_way_of_what_one_can() {
        let mut rest = Apart { memory: vec![0_u64; 64 * 1024].leak(), used: 0 };
        let Some(start) = rest.take(3 * (MAX_REGIONS + 1) * 512, 512) else { panic!("there is memory") };
        // Each lies by itself, one more than there are ranges; then one that continues the first.
        let mut stretches: vec::Vec<_> = (0..=MAX_REGIONS).map(|number| (3 * number, 1, 2)).collect();
        stretches.push((1, 1, 1));
        let mut heap = TinyHeap::new(Told { stretches: &stretches, takes_back: false, rest, start });
        let taken = (0..MAX_REGIONS + 3).filter(|_| heap.alloc(512).is_some()).count();
        assert_eq!((taken, heap.check()), (MAX_REGIONS + 1, Ok(())));
    }
}
