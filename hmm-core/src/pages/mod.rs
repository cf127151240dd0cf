//! Floor 3, **pages**: runs of whole pages.
//!
//! ```text
//!   region: | Small | Large ------ | Free ---- FreeTail | Medium Body | Free …  top |
//!                                    \__ trees: best fit, lowest address _/      ^
//!                                                              the backend's break
//! ```
//!
//! Every page belongs to exactly one run. Free runs are merged with their
//! neighbours at once and found best fit first; what they hold beyond a bound
//! goes back to the backend at once. The floors above ask for runs.
//!
//! One lock, the caller's, guards it all; only the [`map`] is read without. In the order to read them:
//!
//! ```text
//!   header, pair             what is known of a page; a word of a slab's bitmap
//!   map                      from an address to its header: regions, dirty bits
//!   meta                     memory for the heap's own tables
//!   tree, free_runs          the free runs, in order
//!   swing, keep              how much free memory is worth keeping
//!   ------------------------ from here on, each file is a part of `Pages`
//!   runs                     runs are taken, given back, resized
//!   widen                    ranges are opened, grow and are lowered; holes in them
//!   purge, moves, resident   memory behind pages goes back, is moved, is looked for
//!   bound, limit             what free runs may hold, and all of the heap
//!   chunk                    pages for slabs, and memory for many at once
//! ```

mod bound;
mod chunk;
mod free_runs;
pub(crate) mod header;
pub(crate) mod keep;
mod limit;
pub(crate) mod map;
pub(crate) mod meta;
mod moves;
pub(crate) mod pair;
mod purge;
mod resident;
mod runs;
mod swing;
mod tree;
mod widen;

use self::chunk::Appetite;
use self::free_runs::FreeRuns;
use self::keep::Keep;
use self::map::{MAX_REGIONS, PageMap};
use self::meta::Meta;
use self::pair::BitPair;
use crate::grow::{Grown, HeapGrow, Span};
use crate::units::{Geometry, PageNo};

use core::ptr::NonNull;

/// Whether a run may be made by growing the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Growth {
    Avoid,
    Allow,
}

/// The run layer of a heap with pages of `1 << SHIFT` bytes.
#[derive(Debug)]
pub(crate) struct Pages<G, const SHIFT: u32> {
    grow: G,
    meta: Meta,
    free: FreeRuns,
    /// Headers open so far, for each region.
    opened: [u32; MAX_REGIONS],
    /// Memory that could not be entered, for want of tables, and that the backend
    /// did not take back: nobody's for now.
    unentered: Option<Grown>,
    /// Whether what the backend handed out last was zero: such pages are held once they are used.
    grows_zeroed: bool,
    /// The region that grew last.
    tip: usize,
    /// The number of the first page of the next region.
    next_region: PageNo,
    /// Pages of all regions, those in foreign holes excepted.
    own: usize,
    /// Bytes of slabs that held no memory when those were last looked through.
    hollow: usize,
    /// What medium slabs that went back since then lacked of the memory that their pages are taken to hold.
    lacking: usize,
    /// Pages in use whose memory is about to be that of others: for the limit they count once.
    moving: usize,
    /// The backend has given memory back, or moved pages: it can.
    gives: bool,
    keep: Keep<SHIFT>,
    appetite: Appetite,
}

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    const PAGE: usize = 1 << SHIFT;

    /// How much metadata to ask for at a time: heaps on small machines take
    /// what they need and no more.
    const META_CHUNK: usize = if SHIFT >= 13 { 64 * 1024 } else { 0 };

    pub(crate) const fn new(grow: G) -> Self {
        Self {
            grow,
            meta: Meta::new(),
            free: FreeRuns::new(),
            opened: [0; MAX_REGIONS],
            unentered: None,
            grows_zeroed: false,
            tip: 0,
            next_region: PageNo::FIRST,
            own: 0,
            hollow: 0,
            lacking: 0,
            moving: 0,
            gives: false,
            keep: Keep::new(),
            appetite: Appetite::new(),
        }
    }

    /// The backend.
    pub(crate) fn grow(&mut self) -> &mut G {
        &mut self.grow
    }

    /// `bytes` bytes of zeroed metadata that stay.
    pub(crate) fn take_meta(&mut self, map: &PageMap<SHIFT>, bytes: usize) -> Option<NonNull<u8>> {
        self.with_meta(map, bytes, |meta, grow, room| meta.take(grow, bytes, Self::META_CHUNK, room))
    }

    /// A bitmap of `words` local and as many remote words, contents unknown.
    pub(crate) fn take_bits(&mut self, map: &PageMap<SHIFT>, words: usize) -> Option<*const BitPair> {
        let take = |meta: &mut Meta, grow: &mut G, room| meta.take_bits(grow, words, Self::META_CHUNK, room);
        self.with_meta(map, Meta::bitmap_bytes(words), take)
    }

    /// What `take` takes of metadata, `bytes` bytes, and of the backend no more than it is told. Where that has no
    /// more, not even addresses, all there is may be free pages of the heap's own.
    fn with_meta<R>(
        &mut self,
        map: &PageMap<SHIFT>,
        bytes: usize,
        take: impl Fn(&mut Meta, &mut G, usize) -> Option<R>,
    ) -> Option<R> {
        let room = self.room_for_meta(map);
        take(&mut self.meta, &mut self.grow, room).or_else(|| {
            if Self::META_CHUNK == 0 {
                // What is free at the top and what tables are made of is one memory there.
                let top = self.free_top(map, self.tip)?;
                self.lower(map, self.tip, top, 0);
            } else {
                self.meta_from_pages(map, bytes)?;
            }
            let room = self.room_for_meta(map);
            take(&mut self.meta, &mut self.grow, room)
        })
    }

    /// Makes free pages metadata, at least `bytes` bytes of it: a hole in the heap from then on. (Small heaps do
    /// without: one in the middle would halve the largest block for good.)
    fn meta_from_pages(&mut self, map: &PageMap<SHIFT>, bytes: usize) -> Option<()> {
        let pages = Geometry::<SHIFT>::pages_for(bytes.checked_add(Meta::MORE)?)?;
        let page = self.take_run(map, pages, 1, Growth::Avoid)?;
        self.lose(map, page);
        let chunk = Span { start: NonNull::new(map.address(page))?, bytes: (pages as usize) << SHIFT };
        // SAFETY: the run is free no more, and nobody else's.
        unsafe { chunk.start.write_bytes(0, chunk.bytes) };
        self.meta.enter(chunk);
        Some(())
    }

    /// Takes a bitmap of `words` words back.
    pub(crate) fn give_bits(&mut self, bits: *const BitPair, words: usize) {
        self.meta.give_bits(bits, words);
    }

    /// Pages in free runs.
    pub(crate) fn free_pages(&self) -> usize {
        self.free.pages()
    }

    /// Pages of all regions, those in foreign holes excepted.
    pub(crate) fn own_pages(&self) -> usize {
        self.own
    }

    /// Pages that are not free.
    pub(crate) fn used_pages(&self) -> usize {
        self.own - self.free.pages()
    }

    /// What slabs lack of memory.
    #[cfg(test)]
    pub(crate) fn hollow(&self) -> usize {
        self.hollow
    }

    /// Pages in free runs that may hold memory.
    pub(crate) fn dirty_pages(&self) -> usize {
        self.free.dirty()
    }

    /// Bytes of the heap's own tables.
    pub(crate) fn meta_bytes(&self) -> usize {
        self.meta.bytes()
    }

    /// The length of the longest free run in bytes.
    pub(crate) fn longest_free(&self, map: &PageMap<SHIFT>) -> usize {
        self.free.longest(map) as usize * Self::PAGE
    }

    /// How many free runs can be found: for the validator.
    pub(crate) fn count_free_runs(&self, map: &PageMap<SHIFT>) -> usize {
        self.free.count(map)
    }

    /// Whether the free run that begins at `page` can be found.
    pub(crate) fn knows_free(&self, map: &PageMap<SHIFT>, page: PageNo) -> bool {
        self.free.holds(map, page)
    }
}
