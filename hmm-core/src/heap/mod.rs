//! Floor 5, **heap**: one owner's slabs, and everything one owner can do.
//!
//! ```text
//!   Local   recent       the blocks freed lately, a few of each class
//!           cur[class]   the bitmap word that blocks are taken from otherwise
//!           bin[class]   the slab of that word, and the queue of other slabs
//!                        of the class with free slots
//!   slabs without a free slot are FULL: in no queue, found again by a free
//! ```
//!
//! [`Heap`] is this floor with one owner over a backend: no atomic
//! read-modify-write, no lock, nothing beyond `core`. The floor above puts
//! many owners on the same pages. What differs between the two is behind
//! [`Supply`], so that both run the same code.
//!
//! In the order to read them:
//!
//! ```text
//!   bin, fit                 a class's slabs; what a slot may hold
//!   cur, recent, stacks      what blocks are taken from; those freed lately
//!   found, loose             what lies free in slabs, as counted and as estimated
//!   local                    one owner
//!   ------------------------ from here on, what it does
//!   fast                     what most calls are; and past that:
//!   large, spare             blocks of whole pages; slabs that wait for their class
//!   free                     a block comes back
//!   refill, alloc            a word is used up; a block is wanted
//!   collect                  what is free goes back
//!   resize                   a block is wanted longer or shorter
//!   single                   the heap of one owner
//! ```

pub(crate) mod alloc;
mod bin;
pub(crate) mod collect;
pub(crate) mod cur;
pub(crate) mod fast;
pub(crate) mod fit;
pub(crate) mod found;
pub(crate) mod free;
pub(crate) mod large;
pub(crate) mod local;
pub(crate) mod loose;
pub(crate) mod recent;
pub(crate) mod refill;
pub(crate) mod resize;
mod single;
pub(crate) mod spare;
pub(crate) mod stacks;

pub use resize::Resize;
pub use single::{Heap, TinyHeap};

use crate::grow::HeapGrow;
use crate::misuse::Misuse;
use crate::pages::Pages;
use crate::pages::header::Header;
use crate::pages::map::PageMap;
use crate::slab::{Bits, Slot};
use crate::units::{Class, Geometry, PageNo};

use self::local::Local;
use self::recent::Recent;

/// Set in a slab's owner word beside the owner's token while the slab has no
/// free slot and is in no queue.
pub(crate) const FULL: usize = 1;

/// The floors below, as everyone reaches them.
pub(crate) trait Ground<const SHIFT: u32> {
    type Grow: HeapGrow;

    fn map(&self) -> &PageMap<SHIFT>;

    /// Runs `f` on the run layer, under its lock if it has one. `None`, and `f`
    /// is not run, in a signal handler that interrupted the lock's holder: an
    /// allocation then fails, a slab stays where it is, and a large block that is freed is lost.
    fn with_pages<R>(&self, f: impl FnOnce(&mut Pages<Self::Grow, SHIFT>) -> R) -> Option<R>;
}

/// What an owner works with: its own slabs, the pages they come from, and the
/// other owners, if there are any.
pub(crate) trait Supply<const SHIFT: u32, const C: usize>: Ground<SHIFT> {
    type Recent: Recent<C>;

    /// Bytes of empty slabs that the owner keeps for its next ones, at most.
    const SPARE: usize;

    /// The owner's slabs.
    fn local(&self) -> &Local<C, Self::Recent>;

    /// The owner word of the owner's slabs; a multiple of 4, not 0.
    fn token(&self) -> usize;

    /// Moves the slots that others freed in a slab of the owner's to its
    /// local bits. Returns how many bytes they come to.
    fn drain(&self, header: &Header, bits: &Bits<'_>) -> usize;

    /// Marks a slab of the owner's that has no free slot FULL. `false` if so
    /// much was freed by others meanwhile that the slab stays as it is.
    fn close(&self, header: &Header) -> bool;

    /// Takes a FULL slab of the owner's back into use. `false` if it was
    /// handed over to someone else meanwhile.
    fn reopen(&self, header: &Header) -> bool;

    /// A slab of `class` that its owner lost, now this owner's and drained.
    fn adopt(&self, class: Class) -> Option<PageNo>;

    /// Memory has run out: gives back all empty slabs within reach.
    fn reclaim(&self);

    /// A large block of `pages` pages is about to be taken: the owner gives back what it keeps for its
    /// next ones, and would serve, but is not to be taken by itself.
    fn before_large(&self, pages: u32) {
        let _ = pages;
    }

    /// A large block was taken, at `start`.
    fn took_large(&self, start: *mut u8) {
        let _ = start;
    }

    /// The heap is about to grow: gives back the empty slabs that are not in use.
    fn before_growth(&self);

    /// Frees the slot at `p`, one of a slab that is not this owner's.
    fn free_remote(&self, slot: &Slot<'_>, p: *mut u8) -> Result<(), Misuse>;
}

/// The bitmap of the slab with this header.
pub(crate) fn bits_of<const SHIFT: u32>(header: &Header) -> Bits<'_> {
    Bits::new(header, usize::from(Geometry::<SHIFT>::info(header.class()).words))
}
