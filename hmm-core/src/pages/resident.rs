//! What of the heap memory is behind, as the backend tells.

use core::ptr::NonNull;

use super::Pages;
use super::header::{Header, Kind};
use super::map::{PageMap, Region};
use crate::grow::{HeapGrow, Span};
use crate::units::{PageNo, WORD_BITS};

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// Bytes of the heap's ranges and tables that memory is behind; `None` if
    /// the backend cannot tell.
    pub(crate) fn resident(&mut self, map: &PageMap<SHIFT>) -> Option<usize> {
        let mut bytes = 0;
        for chunk in self.meta.chunks() {
            bytes += self.grow.resident(chunk)?;
        }
        for (index, region) in map.regions().enumerate() {
            for table in self.tables_of(index, region) {
                bytes += self.grow.resident(table)?;
            }
            let mut span = 0..0;
            for page in map.runs_in(index) {
                let header = map.header(page);
                let start = map.address(page).addr() - region.base().addr();
                let end = start + ((header.run() as usize) << SHIFT);
                if header.kind() == Kind::Foreign {
                    bytes += self.resident_in(region, span.start, span.end)?;
                    span = end..end;
                } else {
                    span.end = end;
                }
            }
            bytes += self.resident_in(region, span.start, span.end)?;
        }
        Some(bytes)
    }

    /// Whether memory is behind most of the `bytes` bytes from `start` on, as far as the backend can tell.
    pub(super) fn is_filled(&mut self, start: *mut u8, bytes: usize) -> bool {
        let filled = NonNull::new(start).and_then(|start| self.grow.filled(Span { start, bytes }));
        filled.is_some_and(|filled| filled >= bytes / 4 * 3)
    }

    /// As [`is_filled`](Self::is_filled), of the `pages` pages (not 0) from `page` on, by a look at the first, the last and the
    /// one in the middle.
    pub(super) fn seems_filled(&mut self, map: &PageMap<SHIFT>, page: PageNo, pages: u32) -> bool {
        [0, pages / 2, pages - 1].into_iter().all(|nth| self.is_filled(map.address(page.up(nth)), Self::PAGE))
    }

    /// Bytes that memory is behind, of those from offset `from` of the region
    /// up to `to`.
    fn resident_in(&mut self, region: &Region, from: usize, to: usize) -> Option<usize> {
        let start = NonNull::new(region.base().wrapping_add(from))?;
        self.grow.resident(Span { start, bytes: to - from })
    }

    /// The open parts of a region's tables.
    fn tables_of(&self, index: usize, region: &Region) -> impl Iterator<Item = Span> + use<G, SHIFT> {
        let pages = self.opened[index] as usize;
        let words = pages.div_ceil(WORD_BITS);
        let tables =
            [(region.table().cast(), pages * size_of::<Header>()), (region.dirty().cast(), words * size_of::<usize>())];
        tables.into_iter().filter_map(|(start, bytes)| Some(Span { start: NonNull::new(start)?, bytes }))
    }
}
