//! What a heap holds, exact by construction: counted from the bits.
//!
//! ```text
//!   mapped   | active                      | free             |
//!            | allocated | free in slabs   | dirty | retained |
//!   held     = active + dirty + metadata     retained: addresses, no memory
//! ```

use crate::grow::HeapGrow;
use crate::pages::Pages;
use crate::pages::header::{Header, Kind};
use crate::pages::map::PageMap;
use crate::slab::Bits;
use crate::units::{Class, Geometry, MIN_ALIGN, PageNo};

/// What a heap holds. All figures but the counts are bytes; the names are
/// jemalloc's, which users of allocators know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Live blocks: slots at the size of their class, large blocks as asked for.
    pub allocated: usize,
    /// Pages that hold live blocks or are in some owner's use.
    pub active: usize,
    /// What memory is behind: of the address ranges and the heap's own tables,
    /// as the backend tells. Where it cannot: what may be, which is `held`.
    pub resident: usize,
    /// What counts for a limit: active pages, free ones that were used and not
    /// purged since, and metadata.
    pub held: usize,
    /// The heap's address ranges, without the holes that others hold in them.
    pub mapped: usize,
    /// Free pages that hold no memory, only addresses.
    pub retained: usize,
    /// The heap's own tables.
    pub metadata: usize,
    /// Live blocks, by number.
    pub blocks: usize,
    /// Free slots in slabs, by number.
    pub free_blocks: usize,
    /// Live large blocks, by number.
    pub large_blocks: usize,
    /// Live large blocks, their bytes.
    pub large_bytes: usize,
    /// Free pages, by number.
    pub pages_free: usize,
    /// The longest run of free pages: the largest block that surely fits.
    pub longest_free: usize,
    /// Free pages at the top of the heap's ranges.
    pub top_free: usize,
    /// Runs of free pages, by number.
    pub free_runs: usize,
    /// Owners (threads' heaps) made so far, by number; 1 for a single heap.
    pub heaps: usize,
}

impl Stats {
    /// Walks all runs of the heap. Needs the run layer's lock; what owners do
    /// meanwhile may or may not be counted. `claimed`: how many slots owners have claimed of
    /// a class, which are free though their bits do not tell. The backend is not asked: all that is held is taken
    /// to be resident.
    pub(crate) fn collect<G: HeapGrow, const SHIFT: u32>(
        map: &PageMap<SHIFT>,
        pages: &Pages<G, SHIFT>,
        claimed: impl Iterator<Item = (usize, Class)>,
    ) -> Self {
        let mut stats = Self { heaps: 1, ..Self::default() };
        let page_bytes = Geometry::<SHIFT>::PAGE;
        map.runs().for_each(|page| stats.add_run(map, page));
        for (slots, class) in claimed {
            stats.blocks = stats.blocks.saturating_sub(slots);
            stats.free_blocks += slots;
            stats.allocated = stats.allocated.saturating_sub(slots * class.size());
        }
        stats.mapped = pages.own_pages() * page_bytes;
        stats.metadata = pages.meta_bytes();
        stats.held = stats.active + stats.pages_free * page_bytes - stats.retained + stats.metadata;
        stats.resident = stats.held;
        stats.longest_free = pages.longest_free(map);
        debug_assert!(stats.allocated % MIN_ALIGN == 0);
        stats
    }

    /// Counts the run at `page`.
    fn add_run<const SHIFT: u32>(&mut self, map: &PageMap<SHIFT>, page: PageNo) {
        let page_bytes = Geometry::<SHIFT>::PAGE;
        let header = map.header(page);
        let run = header.run();
        let bytes = run as usize * page_bytes;
        match header.kind() {
            Kind::Small | Kind::Medium => {
                self.active += bytes;
                self.add_slots::<SHIFT>(header);
            }
            Kind::Large => {
                self.active += bytes;
                self.blocks += 1;
                self.large_blocks += 1;
                self.large_bytes += header.large_bytes();
                self.allocated += header.large_bytes();
            }
            Kind::Free => {
                self.pages_free += run as usize;
                self.free_runs += 1;
                let clean = (0..run).filter(|&i| !map.is_dirty(page.up(i))).count();
                self.retained += clean * page_bytes;
                if map.to_end(page) == run {
                    self.top_free += bytes;
                }
            }
            Kind::Kept => {
                self.pages_free += run as usize;
                self.free_runs += 1;
            }
            _ => {}
        }
    }

    /// Counts the slots of the slab that `header` heads.
    fn add_slots<const SHIFT: u32>(&mut self, header: &Header) {
        let info = Geometry::<SHIFT>::info(header.class());
        let slots = usize::from(info.slots);
        let bits = Bits::new(header, usize::from(info.words));
        let (local, remote) = (bits.count_free(slots), bits.count_remote());
        let live = slots.saturating_sub(local + remote);
        self.blocks += live;
        self.free_blocks += slots - live;
        self.allocated += live * info.size as usize;
    }
}

#[cfg(test)]
mod tests {
    use crate::{FixedRegion, TinyHeap};
    use core::mem::MaybeUninit;
    use std::boxed::Box;

    #[test]
    fn slots_that_come_next_are_free() {
        let arena = Box::leak(Box::new([MaybeUninit::uninit(); 16 * 1024]));
        let mut heap = TinyHeap::new(FixedRegion::new(arena));
        let block = heap.alloc(16).expect("there is room");
        let stats = heap.stats();
        assert_eq!((stats.blocks, stats.allocated, stats.free_blocks), (1, 16, 512 / 16 - 1));
        // SAFETY: a live block, not used again.
        unsafe { heap.free(block) }.expect("it is live");
        let stats = heap.stats();
        assert_eq!((stats.blocks, stats.allocated, stats.free_blocks), (0, 0, 512 / 16));
    }
}
