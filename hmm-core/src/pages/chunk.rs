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
//!
//! Slots larger than a page of the system's may be used up and empty for the most part:
//! read buffers, stacks. Whether they are, the backend can tell of a slab that was made
//! without memory: the *witness*. If it was filled, large slots may have a few chunks;
//! those tell nothing, as all of them is memory, so the next slab is made without again.

use core::ptr::NonNull;

use super::header::{Kind, Mark};
use super::map::PageMap;
use super::{Growth, Pages};
use crate::grow::{HeapGrow, Span};
use crate::units::{Class, Geometry, PageNo};

/// Slabs that follow on one that was used up make it worth while, by their pages,
/// from so many on; each page of another slab takes away as many as [`SPARSE`].
const WORTH: u32 = 256;
const MOST_SCORE: u32 = 4 * WORTH;
const SPARSE: u32 = 16;

/// Blocks of so few pages use little of their last one. They take away as many: in memory that is
/// there too early, the rest of that page would be there for nothing.
const FEW_PAGES: u32 = 4;

/// Chunks that slabs of large slots may have for a witness.
const TRUST: u32 = 8;

/// How much slabs have been used up lately.
#[derive(Debug)]
pub(super) struct Appetite {
    pages: u32,
    /// The slab of large slots that was used up last, of those made without memory, until it
    /// is heard.
    witness: Option<PageNo>,
    /// Chunks that slabs of large slots may still have.
    trust: u32,
}

impl Appetite {
    pub(super) const fn new() -> Self {
        Self { pages: 0, witness: None, trust: 0 }
    }

    /// A slab of `pages` pages is wanted; `follows`: after one that was used up.
    fn note(&mut self, pages: u32, follows: bool) {
        self.pages =
            if follows { (self.pages + pages).min(MOST_SCORE) } else { self.pages.saturating_sub(pages * SPARSE) };
    }

    /// A large block of `pages` pages was taken.
    fn note_large(&mut self, pages: u32) {
        if pages <= FEW_PAGES {
            self.note(pages, false);
        }
    }

    /// The witness, a slab of `pages` pages, was filled, or not.
    fn hear(&mut self, pages: u32, filled: bool) {
        self.trust = if filled { TRUST } else { 0 };
        if !filled {
            self.pages = self.pages.min(WORTH);
            self.note(pages, false);
        }
    }

    /// The slab at `page` goes back.
    pub(super) fn forget(&mut self, page: PageNo) {
        self.witness = self.witness.filter(|&witness| witness != page);
    }

    fn is_large(&self) -> bool {
        self.pages >= WORTH
    }
}

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// Takes a run of pages for a slab of `class`, after the one `used_up`, if one was.
    pub(crate) fn take_for_slab(
        &mut self,
        map: &PageMap<SHIFT>,
        class: Class,
        used_up: Option<PageNo>,
        growth: Growth,
    ) -> Option<PageNo> {
        let pages = u32::from(Geometry::<SHIFT>::info(class).run);
        let large_slots = class.size() > self.grow.os_page();
        self.appetite.note(pages, used_up.is_some());
        if let Some(slab) = used_up.filter(|&slab| large_slots && map.header(slab).has(Mark::Bare)) {
            self.appetite.witness = Some(slab);
        }
        if self.appetite.is_large() && self.free.best_holding(map, pages).is_none() {
            self.add_chunk(map, large_slots, growth);
        }
        self.take_run(map, pages, 1, growth)
    }

    /// Whether a chunk is likely to be filled, if `large_slots` come first or small ones.
    fn is_worth(&mut self, map: &PageMap<SHIFT>, large_slots: bool) -> bool {
        if large_slots && self.appetite.trust > 0 {
            return true;
        }
        let Some(slab) = self.appetite.witness.take() else { return !large_slots };
        let filled = self.is_used_whole(map, slab);
        self.appetite.hear(map.header(slab).run(), filled);
        filled
    }

    /// Whether memory is behind most of the slots of this slab, as far as the backend can tell. (They are live: the program
    /// may have protected pages of them from reading, so nobody looks.)
    fn is_used_whole(&mut self, map: &PageMap<SHIFT>, slab: PageNo) -> bool {
        let class = map.header(slab).class();
        let bytes = class.size() * usize::from(Geometry::<SHIFT>::info(class).slots);
        let start = NonNull::new(map.address(slab));
        start.and_then(|start| self.grow.resident(Span { start, bytes })).is_some_and(|there| there >= bytes / 4 * 3)
    }

    /// The slab at `page` goes back: nothing is told by it any more.
    pub(crate) fn forget_slab(&mut self, page: PageNo) {
        self.appetite.forget(page);
    }

    /// A large block of `pages` pages was taken.
    pub(crate) fn note_large(&mut self, pages: u32) {
        self.appetite.note_large(pages);
    }

    /// Makes a chunk of free pages that hold memory, if there may be so many more and it is
    /// worth while.
    fn add_chunk(&mut self, map: &PageMap<SHIFT>, large_slots: bool, growth: Growth) {
        let bytes = self.grow.unit();
        let pages = (bytes >> SHIFT) as u32;
        if pages == 0 || !self.has_room(bytes) || !self.may_hold(pages) || !self.is_worth(map, large_slots) {
            return;
        }
        let Some(chunk) = self.take_run(map, pages, pages, growth) else { return };
        let populated = map.count_dirty(chunk, pages) == 0 && self.populate(map, chunk, bytes);
        if populated {
            map.set_dirty(chunk, pages, true);
            self.appetite.trust -= u32::from(large_slots);
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
    use crate::{Grown, HOSTED_SHIFT, Heap};
    use std::alloc::{Layout, alloc_zeroed};

    #[test]
    fn slabs_that_follow_make_chunks_worth_while_and_small_large_blocks_do_not() {
        let is_large_with = |pages| {
            let mut appetite = Appetite::new();
            (0..2 * WORTH).for_each(|_| appetite.note(1, true));
            (0..WORTH / SPARSE).for_each(|_| appetite.note_large(pages));
            appetite.is_large()
        };
        assert!(is_large_with(FEW_PAGES + 1), "one that is long uses most of its pages");
        assert!(!is_large_with(2));
    }

    /// Counts the chunks that it makes, and says how many hundredths of a slab are memory.
    struct Counting {
        resident: Option<usize>,
        chunks: usize,
    }

    // SAFETY: each span is an allocation of its own, zeroed and never freed.
    unsafe impl HeapGrow for Counting {
        fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
            let bytes = min.next_multiple_of(128 * UNIT);
            // SAFETY: the layout is not empty.
            let start = NonNull::new(unsafe { alloc_zeroed(Layout::from_size_align(bytes, align).ok()?) })?;
            Some(Grown { span: Span { start, bytes }, room: bytes, zeroed: true })
        }

        fn unit(&self) -> usize {
            UNIT
        }

        unsafe fn populate(&mut self, _: Span) -> bool {
            self.chunks += 1;
            true
        }

        fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
            // SAFETY: the layout is not empty.
            NonNull::new(unsafe { alloc_zeroed(Layout::from_size_align(bytes, 64).ok()?) })
        }

        fn resident(&mut self, span: Span) -> Option<usize> {
            Some(span.bytes / 100 * self.resident?)
        }

        fn os_page(&self) -> usize {
            OS_PAGE
        }
    }

    // By the heap's page, so that slabs and chunks are of as many wherever this runs: 4 KiB of 64, 512 KiB.
    const PAGE: usize = 1 << HOSTED_SHIFT;
    const OS_PAGE: usize = PAGE / 16;
    const UNIT: usize = 8 * PAGE;

    /// The chunks for 128 units of blocks of `size` bytes.
    fn chunks_for(size: usize, resident: Option<usize>) -> usize {
        let mut heap = Heap::<_>::new(Counting { resident, chunks: 0 });
        (0..128 * UNIT / size).for_each(|_| assert!(heap.alloc(size).is_some()));
        heap.grow_mut().chunks
    }

    #[test]
    fn large_slots_have_chunks_only_where_they_are_filled() {
        for size in [2 * OS_PAGE, 4 * OS_PAGE] {
            let chunks = chunks_for(size, Some(90));
            assert!((70..94).contains(&chunks), "some slabs between them are made without: {chunks}");
        }
        for size in [OS_PAGE / 4 * 5, 4 * OS_PAGE, PAGE] {
            assert_eq!(chunks_for(size, Some(40)), 0);
            assert_eq!(chunks_for(size, None), 0, "nobody tells");
        }
        assert!(chunks_for(OS_PAGE, None) > 90, "small ones are filled");
    }
}
