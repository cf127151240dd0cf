//! Memory for slabs by the chunk, where programs fill slab after slab.
//!
//! ```text
//!   a slab is wanted, no free run holds memory
//!     ──► | 32 free pages, aligned, without memory | ──populate──► all hold memory
//!         | slab |     free, dirty: the next slabs come from here    |
//! ```
//!
//! Systems put large units behind addresses at a fraction of what as many pages of
//! theirs cost. What is there too early counts as what it is, free pages that hold
//! memory: within the bound, and given back like others. So it is only done while
//! slabs are being used up. One for each of many classes, or many threads, would be
//! touched here and there, and most of a chunk wait for nothing.

use core::ptr::NonNull;

use super::header::Kind;
use super::map::PageMap;
use super::{Growth, Pages};
use crate::grow::{HeapGrow, Span};
use crate::units::PageNo;

/// Slabs that follow on one that was used up make it worth while, by their pages,
/// from so many on; each page of another slab takes away as many as [`SPARSE`].
const WORTH: u32 = 256;
const MOST: u32 = 4 * WORTH;
const SPARSE: u32 = 16;

/// Blocks of so few pages use little of their last one. They take away as many: in memory that is
/// there too early, the rest of that page would be there for nothing.
const FEW: u32 = 4;

/// How much slabs have been used up lately.
#[derive(Debug)]
pub(super) struct Appetite(u32);

impl Appetite {
    pub(super) const fn new() -> Self {
        Self(0)
    }

    /// A slab of `pages` pages is wanted; `follows`: after one that was used up.
    fn note(&mut self, pages: u32, follows: bool) {
        self.0 = if follows { (self.0 + pages).min(MOST) } else { self.0.saturating_sub(pages * SPARSE) };
    }

    /// A large block of `pages` pages was taken.
    fn note_large(&mut self, pages: u32) {
        if pages <= FEW {
            self.note(pages, false);
        }
    }

    fn is_large(&self) -> bool {
        self.0 >= WORTH
    }
}

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// Takes a run of `pages` pages for a slab; `follows`: after one that was used
    /// up.
    pub(crate) fn take_for_slab(
        &mut self,
        map: &PageMap<SHIFT>,
        pages: u32,
        follows: bool,
        growth: Growth,
    ) -> Option<PageNo> {
        self.appetite.note(pages, follows);
        if self.appetite.is_large() && self.free.best_holding(map, pages).is_none() {
            self.add_chunk(map, growth);
        }
        self.take_run(map, pages, 1, growth)
    }

    /// A large block of `pages` pages was taken.
    pub(crate) fn note_large(&mut self, pages: u32) {
        self.appetite.note_large(pages);
    }

    /// Makes a chunk of free pages that hold memory, if there may be so many more.
    fn add_chunk(&mut self, map: &PageMap<SHIFT>, growth: Growth) {
        let bytes = self.grow.unit();
        let pages = (bytes >> SHIFT) as u32;
        if pages == 0 || !self.has_room(bytes) || !self.may_hold(pages) {
            return;
        }
        let Some(chunk) = self.take_run(map, pages, pages, growth) else { return };
        let populated = map.count_dirty(chunk, pages) == 0 && self.populate(map, chunk, bytes);
        if populated {
            map.set_dirty(chunk, pages, true);
        }
        map.header(chunk).set_kind(Kind::Blank);
        self.enter_free(map, chunk, pages);
    }

    fn populate(&mut self, map: &PageMap<SHIFT>, chunk: PageNo, bytes: usize) -> bool {
        let Some(start) = NonNull::new(map.address(chunk)) else { return false };
        // SAFETY: the run was just taken and none of its pages is dirty.
        let populated = unsafe { self.grow.populate(Span { start, bytes }) };
        if !populated {
            map.set_dirty(chunk, 1, true);
        }
        populated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slabs_that_follow_make_chunks_worth_while_and_small_large_blocks_do_not() {
        let is_large_with = |pages| {
            let mut appetite = Appetite::new();
            (0..2 * WORTH).for_each(|_| appetite.note(1, true));
            (0..WORTH / SPARSE).for_each(|_| appetite.note_large(pages));
            appetite.is_large()
        };
        assert!(is_large_with(FEW + 1), "one that is long uses most of its pages");
        assert!(!is_large_with(2));
    }
}
