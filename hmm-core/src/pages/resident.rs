//! The heap's ranges as the backend knows them, and what of them memory is behind: as it tells, and as the memory
//! itself does.

use core::ptr::NonNull;

use super::Pages;
use super::header::Kind;
use super::map::PageMap;
use crate::grow::{HeapGrow, Span};
use crate::units::PageNo;

/// Pages of the system's that tell of a stretch whether it was filled.
const LOOKS: usize = 8;

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
        let not_entered = self.unentered.as_ref().map(|grown| grown.span);
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

    /// Whether the `pages` pages (not 0) from `page` on, which are the caller's and hold nothing that lives, were filled:
    /// whether of the system's pages in them, looked at here and there, all but one hold something else than zeros. Where
    /// memory never goes back, none will be missed.
    ///
    /// A page that is not there reads as zero, and goes back with the rest. The system could tell which are there, but it
    /// takes a file for that, whose number other threads of the program may miss, or take for theirs.
    pub(super) fn seems_filled(&self, map: &PageMap<SHIFT>, page: PageNo, pages: u32) -> bool {
        let bytes = self.grow.os_page().clamp(size_of::<usize>(), Self::PAGE);
        let last = ((pages as usize) << SHIFT) / bytes - 1;
        let is_zero = |&nth: &usize| {
            let start = map.address(page).wrapping_add(last * nth / (LOOKS - 1) * bytes).cast::<usize>();
            let words = (0..bytes / size_of::<usize>()).map(|word| start.wrapping_add(word));
            // SAFETY: aligned, in pages that are the caller's, and what the backend handed out may be read.
            words.map(|word| unsafe { word.read_volatile() }).all(|word| word == 0)
        };
        self.gives && (0..LOOKS).filter(is_zero).nth(1).is_none()
    }
}
