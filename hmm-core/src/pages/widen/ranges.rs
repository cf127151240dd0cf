//! Which range takes what the backend hands out.
//!
//! ```text
//!   regions[0]   |=====....... room .......|
//!   regions[1]                                   |==.. room ..|
//!   a span            ^ continues the first           ^ the second       ^ opens another
//! ```
//!
//! No two rooms overlap: a region ends where the next one up begins.

use crate::grow::{Grown, HeapGrow};
use crate::pages::Pages;
use crate::pages::map::{MAX_REGIONS, PageMap};

/// A table that cannot be had is asked for anew so many times smaller. Where there is no room for it,
/// what is left is for blocks: with half of it, there may be little.
const SMALLER: u32 = 64;

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// The region that the span continues, or a new one; `None` if it fits
    /// none and no other can be had.
    pub(super) fn region_for(&mut self, map: &PageMap<SHIFT>, grown: &Grown, pages: u32) -> Option<usize> {
        Self::continued(map, grown).or_else(|| self.open_region(map, grown, pages))
    }

    /// The region that the span continues.
    pub(super) fn continued(map: &PageMap<SHIFT>, grown: &Grown) -> Option<usize> {
        let at = grown.span.start.as_ptr().addr();
        map.regions().position(|region| {
            let offset = at.wrapping_sub(region.base().addr());
            (offset >> SHIFT).saturating_add(grown.span.bytes >> SHIFT) <= region.room() as usize
        })
    }

    /// Opens a region for a span that no region can take.
    fn open_region(&mut self, map: &PageMap<SHIFT>, grown: &Grown, pages: u32) -> Option<usize> {
        let Some((index, region)) = map.unused_region() else { return self.reopen_region(map, grown, pages) };
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
}
