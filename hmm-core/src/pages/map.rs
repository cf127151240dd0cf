//! The page map: from an address to its page header and back.
//!
//! ```text
//!   regions[0]   base ──► |page 1|page 2|page 3| …      addresses
//!                table ─► |hdr 1 |hdr 2 |hdr 3 | …      metadata
//!   regions[1]   base ──► |page n|page n+1| …           a second range
//! ```
//!
//! One subtraction tells whether a pointer lies in the first region, one shift
//! gives its header. Readers take no lock: a region's fields are published by
//! its `bytes`, which only the holder of the run layer's lock changes.

use crate::sync::Ordering::{Acquire, Relaxed, Release};
use crate::sync::{AtomicPtr, AtomicU32, AtomicUsize};

use super::header::Header;
use crate::units::{PageNo, WORD_BITS};

/// Address ranges a heap may consist of. The first is the one that matters;
/// the others serve when it cannot grow.
pub(crate) const MAX_REGIONS: usize = 16;

/// One address range of the heap.
#[derive(Debug)]
pub(crate) struct Region {
    /// Where the range starts, a multiple of the page size.
    base: AtomicPtr<u8>,
    /// How far it reaches now, in bytes from `base`.
    bytes: AtomicUsize,
    /// The headers of its pages.
    table: AtomicPtr<Header>,
    /// A bit a page: set if the page, when free, may hold something else than
    /// zero (and thus memory of the system's).
    dirty: AtomicPtr<AtomicUsize>,
    /// The number of its first page; 0 while the region is not in use.
    first: AtomicU32,
    /// Pages the table has room for.
    room: AtomicU32,
}

/// Where a pointer points, as far as its page goes.
#[derive(Clone, Copy)]
pub(crate) struct Spot<'a> {
    pub(crate) page: PageNo,
    pub(crate) header: &'a Header,
    /// Bytes from the start of the page.
    pub(crate) offset: usize,
}

/// All address ranges of a heap with pages of `1 << SHIFT` bytes.
#[derive(Debug)]
pub(crate) struct PageMap<const SHIFT: u32> {
    regions: [Region; MAX_REGIONS],
}

impl Region {
    const fn new() -> Self {
        Self {
            base: AtomicPtr::new(core::ptr::null_mut()),
            bytes: AtomicUsize::new(0),
            table: AtomicPtr::new(core::ptr::null_mut()),
            dirty: AtomicPtr::new(core::ptr::null_mut()),
            first: AtomicU32::new(0),
            room: AtomicU32::new(0),
        }
    }

    pub(crate) fn base(&self) -> *mut u8 {
        self.base.load(Relaxed)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// The number of its first page; `None` while it is not in use.
    pub(crate) fn first(&self) -> Option<PageNo> {
        PageNo::from_link(self.first.load(Relaxed))
    }

    pub(crate) fn room(&self) -> u32 {
        self.room.load(Relaxed)
    }

    /// The pages from `start` to where the region begins; beyond all numbers if that is
    /// below.
    pub(crate) fn pages_from(&self, start: *const u8, shift: u32) -> usize {
        self.base().addr().wrapping_sub(start.addr()) >> shift
    }

    /// Makes room for another region, of `room` pages from `start` on: ends before it, or
    /// for good if it begins in there. Needs the run layer's lock, and the region to have
    /// nothing there.
    pub(crate) fn make_way(&self, start: *const u8, room: u32, shift: u32) {
        let pages = start.addr().wrapping_sub(self.base().addr()) >> shift;
        if self.pages_from(start, shift) < room as usize {
            self.room.store(0, Relaxed);
        } else if pages < self.room() as usize && self.bytes() <= pages << shift {
            self.room.store(pages as u32, Relaxed);
        }
    }

    pub(crate) fn table(&self) -> *mut Header {
        self.table.load(Relaxed)
    }

    pub(crate) fn dirty(&self) -> *mut AtomicUsize {
        self.dirty.load(Relaxed)
    }

    /// Puts the region into use, with no page yet. Needs the run layer's lock.
    pub(crate) fn open(&self, base: *mut u8, first: PageNo, room: u32, table: *mut Header, dirty: *mut AtomicUsize) {
        self.base.store(base, Relaxed);
        self.table.store(table, Relaxed);
        self.dirty.store(dirty, Relaxed);
        self.room.store(room, Relaxed);
        self.first.store(first.get(), Release);
    }

    /// Moves the region, which has no page, to another place. Needs the run layer's lock. (Whoever looks for a pointer
    /// that is live there sees it: the block came later.)
    pub(crate) fn reopen(&self, base: *mut u8, room: u32) {
        self.room.store(room, Relaxed);
        // Release: with the new place goes that nothing is there yet.
        self.base.store(base, Release);
    }

    /// Moves the region's end. Needs the run layer's lock, and an open header
    /// for each page below the new end.
    pub(crate) fn set_bytes(&self, bytes: usize) {
        self.bytes.store(bytes, Release);
    }

    /// The header of the region's page number `index`, one whose header is
    /// open: below the region's end, or named by a `PageNo`.
    #[inline(always)]
    fn header(&self, index: usize) -> &Header {
        debug_assert!(index < self.room() as usize);
        let header = self.table().wrapping_add(index);
        // SAFETY: headers are opened before the region's end passes them or a
        // `PageNo` names them, and tables are never unmapped.
        unsafe { &*header }
    }

    fn dirty_word(&self, index: u32) -> (&AtomicUsize, usize) {
        let index = index as usize;
        let word = self.dirty().wrapping_add(index / WORD_BITS);
        // SAFETY: the dirty bits of all pages whose header is open are open
        // too (`Pages::open_headers`), and `index` is that of such a page.
        let word = unsafe { &*word };
        (word, 1 << (index % WORD_BITS))
    }
}

impl<const SHIFT: u32> PageMap<SHIFT> {
    const PAGE: usize = 1 << SHIFT;

    pub(crate) const fn new() -> Self {
        Self { regions: [const { Region::new() }; MAX_REGIONS] }
    }

    /// The header of the page that `p` points into, if that is in the first region.
    pub(crate) fn header_in_first(&self, p: *const u8) -> Option<&Header> {
        let region = &self.regions[0];
        let offset = p.addr().wrapping_sub(region.base().addr());
        (offset < region.bytes.load(Acquire)).then(|| region.header(offset >> SHIFT))
    }

    /// The page that `p` points into; `None` if it is not in the heap.
    pub(crate) fn locate(&self, p: *const u8) -> Option<Spot<'_>> {
        self.regions.iter().find_map(|region| {
            let base = region.base.load(Acquire);
            let offset = p.addr().wrapping_sub(base.addr());
            // (What is at this place by now may be another region's, where this one was reopened elsewhere meanwhile.)
            if offset >= region.bytes.load(Acquire) || base != region.base() {
                return None;
            }
            let index = offset >> SHIFT;
            let page = region.first()?.up(index as u32);
            Some(Spot { page, header: region.header(index), offset: offset & (Self::PAGE - 1) })
        })
    }

    /// The region that `page` is in and the page's index there.
    fn region_of(&self, page: PageNo) -> (&Region, u32) {
        for region in &self.regions {
            let index = page.get().wrapping_sub(region.first.load(Relaxed));
            if index < region.room() {
                return (region, index);
            }
        }
        // A `PageNo` names a page of some region: this is not reached.
        debug_assert!(false, "{page:?} is in no region");
        (&self.regions[0], 0)
    }

    /// The header of `page`.
    pub(crate) fn header(&self, page: PageNo) -> &Header {
        let (region, index) = self.region_of(page);
        region.header(index as usize)
    }

    /// The first byte of `page`.
    pub(crate) fn address(&self, page: PageNo) -> *mut u8 {
        let (region, index) = self.region_of(page);
        region.base().wrapping_add((index as usize) << SHIFT)
    }

    /// The number of the page whose header is `header`, one of this map's.
    pub(crate) fn page_of(&self, header: &Header) -> Option<PageNo> {
        let at = core::ptr::from_ref(header).addr();
        self.regions.iter().find_map(|region| {
            let index = at.wrapping_sub(region.table().addr()) / size_of::<Header>();
            (index < region.room() as usize).then(|| region.first())?.map(|first| first.up(index as u32))
        })
    }

    /// The regions in use.
    pub(crate) fn regions(&self) -> impl Iterator<Item = &Region> {
        self.regions.iter().take_while(|region| region.first().is_some())
    }

    /// The next region to put into use; `None` when all are.
    pub(crate) fn spare_region(&self) -> Option<(usize, &Region)> {
        self.regions.iter().enumerate().find(|(_, region)| region.first().is_none())
    }

    /// The region number `index`.
    pub(crate) fn region(&self, index: usize) -> &Region {
        &self.regions[index % MAX_REGIONS]
    }

    /// The index of the region that `page` is in, the pages below it there,
    /// and those from it to the region's end.
    pub(crate) fn surroundings(&self, page: PageNo) -> (usize, u32, u32) {
        let (region, below) = self.region_of(page);
        let index = self.regions.iter().position(|r| core::ptr::eq(r, region)).unwrap_or(0);
        (index, below, ((region.bytes() >> SHIFT) as u32).saturating_sub(below))
    }

    /// The last page of region `index`; `None` if the region is empty.
    pub(crate) fn region_end(&self, index: usize) -> Option<PageNo> {
        let region = self.region(index);
        let pages = (region.bytes() >> SHIFT) as u32;
        region.first().filter(|_| pages > 0).map(|first| first.up(pages - 1))
    }

    /// The heads of all runs of region `index`, upward.
    pub(crate) fn runs_in(&self, index: usize) -> impl Iterator<Item = PageNo> + '_ {
        let region = self.region(index);
        let mut at = 0;
        core::iter::from_fn(move || {
            let page = region.first()?.up(at);
            if at as usize >= region.bytes() >> SHIFT {
                return None;
            }
            let run = self.header(page).step();
            debug_assert!(run > 0, "{page:?} begins no run");
            at += run.max(1);
            Some(page)
        })
    }

    /// The heads of all runs of the heap.
    pub(crate) fn runs(&self) -> impl Iterator<Item = PageNo> + '_ {
        (0..self.regions().count()).flat_map(|index| self.runs_in(index))
    }

    /// Whether a free page may hold something else than zero.
    pub(crate) fn is_dirty(&self, page: PageNo) -> bool {
        let (region, index) = self.region_of(page);
        let (word, bit) = region.dirty_word(index);
        word.load(Relaxed) & bit != 0
    }

    /// Notes that `pages` pages from `page` on may (or cannot) hold something
    /// else than zero. Needs the run layer's lock.
    pub(crate) fn set_dirty(&self, page: PageNo, pages: u32, dirty: bool) {
        for (word, mask) in self.dirty_words(page, pages) {
            let old = word.load(Relaxed);
            word.store(if dirty { old | mask } else { old & !mask }, Relaxed);
        }
    }

    /// How many of the `pages` pages from `page` on may hold something else
    /// than zero.
    pub(crate) fn count_dirty(&self, page: PageNo, pages: u32) -> u32 {
        self.dirty_words(page, pages).map(|(word, mask)| (word.load(Relaxed) & mask).count_ones()).sum()
    }

    /// The highest dirty stretch among the `pages` pages from `page` on: how many
    /// pages lie below it there, and its length.
    pub(crate) fn last_dirty(&self, page: PageNo, pages: u32) -> Option<(u32, u32)> {
        let (region, first) = self.region_of(page);
        // Down to where the pages below `end` are all dirty, or all clean.
        let stretch = |mut end: u32, dirty: bool| {
            while end > first {
                let (word, bit) = region.dirty_word(end - 1);
                let word = if dirty { word.load(Relaxed) } else { !word.load(Relaxed) };
                let same = (word << bit.leading_zeros()).leading_ones();
                end -= same.min(end - first);
                if same + bit.leading_zeros() < usize::BITS {
                    break;
                }
            }
            end
        };
        let end = stretch(first + pages, false);
        let start = stretch(end, true);
        (start < end).then_some((start - first, end - start))
    }

    /// The words of the dirty bits of `pages` pages from `page` on, each with
    /// the bits that are theirs.
    fn dirty_words(&self, page: PageNo, pages: u32) -> impl Iterator<Item = (&AtomicUsize, usize)> {
        let (region, first) = self.region_of(page);
        let mut index = first;
        core::iter::from_fn(move || {
            let left = (first + pages - index) as usize;
            if left == 0 {
                return None;
            }
            let (word, bit) = region.dirty_word(index);
            let in_word = (WORD_BITS - index as usize % WORD_BITS).min(left);
            let mask = usize::MAX >> (WORD_BITS - in_word);
            index += in_word as u32;
            Some((word, mask * bit))
        })
    }
}
