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

mod dirty;
mod region;

pub(crate) use self::region::Region;

use super::header::Header;
use crate::units::PageNo;

/// Address ranges a heap may consist of. The first is the one that matters;
/// the others serve when it cannot grow.
pub(crate) const MAX_REGIONS: usize = 16;

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

impl<const SHIFT: u32> PageMap<SHIFT> {
    const PAGE: usize = 1 << SHIFT;

    pub(crate) const fn new() -> Self {
        Self { regions: [const { Region::new() }; MAX_REGIONS] }
    }

    /// The header of the page that `p` points into, if that is in the first region.
    pub(crate) fn header_in_first(&self, p: *const u8) -> Option<&Header> {
        let region = &self.regions[0];
        region.offset_of(p).map(|offset| region.header(offset >> SHIFT))
    }

    /// The page that `p` points into; `None` if it is not in the heap.
    pub(crate) fn locate(&self, p: *const u8) -> Option<Spot<'_>> {
        self.regions.iter().find_map(|region| {
            let offset = region.offset_of_if_there(p)?;
            let index = offset >> SHIFT;
            let page = region.first()?.up(index as u32);
            Some(Spot { page, header: region.header(index), offset: offset & (Self::PAGE - 1) })
        })
    }

    /// The region that `page` is in and the page's index there.
    fn region_of(&self, page: PageNo) -> (&Region, u32) {
        for region in &self.regions {
            if let Some(index) = region.index_of(page) {
                return (region, index);
            }
        }
        // A `PageNo` names a page of some region, unless that has moved since: who then reads another header's link
        // fails by its count (`HandOver`), or has a stale pointer.
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
    pub(crate) fn unused_region(&self) -> Option<(usize, &Region)> {
        self.regions.iter().enumerate().find(|(_, region)| region.first().is_none())
    }

    /// The region number `index`.
    pub(crate) fn region(&self, index: usize) -> &Region {
        &self.regions[index % MAX_REGIONS]
    }

    /// The index of the region that `page` is in.
    pub(crate) fn region_index(&self, page: PageNo) -> usize {
        let (region, _) = self.region_of(page);
        self.regions.iter().position(|r| core::ptr::eq(r, region)).unwrap_or(0)
    }

    /// Pages of `page`'s region below it.
    pub(crate) fn below(&self, page: PageNo) -> u32 {
        self.region_of(page).1
    }

    /// Pages from `page` on to its region's end.
    pub(crate) fn to_end(&self, page: PageNo) -> u32 {
        let (region, below) = self.region_of(page);
        ((region.bytes() >> SHIFT) as u32).saturating_sub(below)
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
}
