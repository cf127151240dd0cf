//! The heap's ranges as the backend knows them, and what of them memory is behind.

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
        }
        for piece in Self::pieces(map) {
            bytes += self.grow.resident(piece)?;
        }
        Some(bytes)
    }

    /// Runs `f` on each unbroken piece of what the backend handed out.
    pub(crate) fn each_piece(&self, map: &PageMap<SHIFT>, f: impl FnMut(Span)) {
        let not_entered = self.spare.as_ref().map(|grown| grown.span);
        Self::pieces(map).chain(not_entered).for_each(f);
    }

    /// The heap's ranges, without the holes that others hold in them. (Only where those lie is asked of the
    /// runs: owners may cut and join what they keep meanwhile.)
    fn pieces(map: &PageMap<SHIFT>) -> impl Iterator<Item = Span> + '_ {
        map.regions().enumerate().flat_map(move |(index, region)| {
            let mut runs = map.runs_in(index);
            let is_hole = |page: &PageNo| map.header(*page).kind() == Kind::Foreign;
            core::iter::from_fn(move || {
                let start = map.address(runs.find(|page| !is_hole(page))?);
                let hole = runs.find(is_hole).map(|page| map.address(page));
                let end = hole.unwrap_or(region.base().wrapping_add(region.bytes()));
                Some(Span { start: NonNull::new(start)?, bytes: end.addr() - start.addr() })
            })
        })
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

    /// The open parts of a region's tables.
    fn tables_of(&self, index: usize, region: &Region) -> impl Iterator<Item = Span> + use<G, SHIFT> {
        let pages = self.opened[index] as usize;
        let words = pages.div_ceil(WORD_BITS);
        let tables =
            [(region.table().cast(), pages * size_of::<Header>()), (region.dirty().cast(), words * size_of::<usize>())];
        tables.into_iter().filter_map(|(start, bytes)| Some(Span { start: NonNull::new(start)?, bytes }))
    }
}
