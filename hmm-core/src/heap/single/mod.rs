//! The heap of one owner.

mod supply;

use core::cell::UnsafeCell;
use core::ptr::NonNull;

use static_assertions::{assert_impl_all, assert_not_impl_any};

use super::fast::{self, Freed};
use super::local::Local;
use super::recent::Nothing;
use super::{Ground, Supply, alloc, collect, free, resize};
use crate::check::{self, Owners, Violation};
use crate::grow::{FixedRegion, HeapGrow};
use crate::misuse::Misuse;
use crate::pages::Pages;
use crate::pages::map::PageMap;
use crate::slab::{Block, locate};
use crate::stats::Stats;
use crate::units::{GRANULE, Geometry, HOSTED_CLASSES, HOSTED_SHIFT};

/// The owner word of a single heap's slabs.
const TOKEN: usize = 8;

/// A heap for one owner at a time, over any backend: what an embedder uses.
///
/// All state lies in the value itself and in the backend's memory, so a heap
/// can stand in a `static` and may be moved. Allocating and freeing look at a
/// few slabs and one path of the tree of free runs at most; only
/// [`check`](Self::check), [`stats`](Self::stats) and [`trim`](Self::trim)
/// walk the heap.
///
/// `SHIFT` sets the page size, `1 << SHIFT` bytes, and `C` must be the number
/// of size classes that follow from it: use the aliases [`TinyHeap`] (pages of
/// 512 bytes) or `Heap<G>` (64 KiB), or one of these, beside which others do not compile:
///
/// | `SHIFT` | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 |
/// |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
/// | `C` | 8 | 12 | 20 | 28 | 36 | 44 | 60 | 64 | 68 | 72 |
///
/// (15 and 16 need addresses of 64 bits; elsewhere `Heap<G>` has pages of 16 KiB.)
#[derive(Debug)]
pub struct Heap<G: HeapGrow, const SHIFT: u32 = HOSTED_SHIFT, const C: usize = HOSTED_CLASSES> {
    map: PageMap<SHIFT>,
    local: Local<C, Nothing>,
    pages: UnsafeCell<Pages<G, SHIFT>>,
}

/// A heap with pages of 512 bytes, for arenas of some KiB to some MiB: blocks
/// up to 256 bytes live in slabs, larger ones take whole pages.
pub type TinyHeap<G> = Heap<G, 9, 20>;

// SAFETY: a heap is used through `&mut self` only and none of its state is
// tied to a thread.
unsafe impl<G: HeapGrow + Send, const SHIFT: u32, const C: usize> Send for Heap<G, SHIFT, C> {}

assert_impl_all!(Heap<FixedRegion>: Send);
assert_not_impl_any!(Heap<FixedRegion>: Sync, Clone);

impl<G: HeapGrow, const SHIFT: u32, const C: usize> Heap<G, SHIFT, C> {
    /// An empty heap over `grow`. Takes no memory until the first block.
    pub const fn new(grow: G) -> Self {
        const { assert!(C == Geometry::<SHIFT>::CLASSES, "C must be the class count of SHIFT") };
        Self { map: PageMap::new(), local: Local::new(), pages: UnsafeCell::new(Pages::new(grow)) }
    }

    /// A block of at least `size` bytes, aligned to 16; `None` when memory has
    /// run out. `size` may be 0: the block is then as unique as any other.
    ///
    /// ```
    /// # use core::mem::MaybeUninit;
    /// # use hmm_core::{FixedRegion, TinyHeap};
    /// # let arena = Box::leak(Box::new([MaybeUninit::<u8>::uninit(); 8192]));
    /// let mut heap = TinyHeap::new(FixedRegion::new(arena));
    /// let block = heap.alloc(24).expect("8 KiB hold 24 bytes");
    /// assert_eq!(block.as_ptr().addr() % 16, 0);
    /// ```
    #[inline]
    pub fn alloc(&mut self, size: usize) -> Option<NonNull<u8>> {
        NonNull::new(match fast::alloc_slot::<SHIFT, C, _>(&self.local, GRANULE, size) {
            Some(p) => p,
            None => alloc::alloc(&*self, GRANULE, size),
        })
    }

    /// As [`alloc`](Self::alloc), with the first `size` bytes zero.
    pub fn alloc_zeroed(&mut self, size: usize) -> Option<NonNull<u8>> {
        NonNull::new(alloc::alloc_zeroed(&*self, GRANULE, size))
    }

    /// As [`alloc`](Self::alloc), at a multiple of `align` bytes. `None` also
    /// if `align` is not a power of two.
    ///
    /// Blocks of 8, 24, 40 or 56 bytes, which most often are aligned to 8, take no more if that is asked for.
    ///
    /// ```
    /// # use core::mem::MaybeUninit;
    /// # use hmm_core::{FixedRegion, TinyHeap};
    /// # let arena = Box::leak(Box::new([MaybeUninit::<u8>::uninit(); 8192]));
    /// let mut heap = TinyHeap::new(FixedRegion::new(arena));
    /// let block = heap.alloc_aligned(8, 24).expect("8 KiB hold 24 bytes");
    /// assert_eq!(heap.usable_size(block), Ok(24));
    /// ```
    pub fn alloc_aligned(&mut self, align: usize, size: usize) -> Option<NonNull<u8>> {
        if !align.is_power_of_two() {
            return None;
        }
        NonNull::new(alloc::alloc(&*self, align, size))
    }

    /// As [`alloc_aligned`](Self::alloc_aligned), with the first `size` bytes zero.
    pub fn alloc_zeroed_aligned(&mut self, align: usize, size: usize) -> Option<NonNull<u8>> {
        if !align.is_power_of_two() {
            return None;
        }
        NonNull::new(alloc::alloc_zeroed(&*self, align, size))
    }

    /// Frees `block`. Misuse is refused, named, and leaves the heap as it was.
    ///
    /// # Errors
    ///
    /// A double, interior, wild or foreign pointer.
    ///
    /// # Safety
    ///
    /// If it is a live block of this heap, nothing uses it any more.
    #[inline]
    pub unsafe fn free(&mut self, block: NonNull<u8>) -> Result<(), Misuse> {
        let p = block.as_ptr();
        match fast::free::<SHIFT, C, _>(&self.local, TOKEN, p, None) {
            Freed::Done => Ok(()),
            Freed::DoneAndMore => {
                if let Ok(Block::Slot(slot)) = locate(&self.map, p) {
                    free::emptied(&*self, slot.page, slot.header);
                }
                Ok(())
            }
            Freed::NotHere(_) | Freed::NotThere | Freed::Already => {
                self.local.note_range(&self.map);
                free::free(&*self, p)
            }
        }
    }

    /// As [`free`](Self::free), of a block that was asked for with this size and alignment.
    ///
    /// ```
    /// # use core::mem::MaybeUninit;
    /// # use hmm_core::{FixedRegion, TinyHeap};
    /// # let arena = Box::leak(Box::new([MaybeUninit::<u8>::uninit(); 8192]));
    /// let mut heap = TinyHeap::new(FixedRegion::new(arena));
    /// let block = heap.alloc_aligned(8, 24).expect("8 KiB hold 24 bytes");
    /// // SAFETY: a live block, not used again.
    /// let refused = unsafe { heap.free_sized(block, 8, 400) };
    /// assert!(refused.is_err(), "the block is none of 400 bytes");
    /// // SAFETY: likewise.
    /// assert!(unsafe { heap.free_sized(block, 3, 24) }.is_err(), "there is no such alignment");
    /// // SAFETY: likewise.
    /// assert_eq!(unsafe { heap.free_sized(block, 8, 24) }, Ok(()));
    /// ```
    ///
    /// # Errors
    ///
    /// As [`free`](Self::free), and a size or alignment that the block's size class does not serve.
    ///
    /// # Safety
    ///
    /// As [`free`](Self::free).
    pub unsafe fn free_sized(&mut self, block: NonNull<u8>, align: usize, size: usize) -> Result<(), Misuse> {
        // (No block is so aligned as to be one of an alignment that there is not.)
        let align = if align.is_power_of_two() { align } else { usize::MAX };
        free::check_sized(&*self, block.as_ptr(), size, align)?;
        // SAFETY: the caller's promise.
        unsafe { self.free(block) }
    }

    /// Makes `block` at least `size` bytes long, in place where that is
    /// possible; returns where it is now, as [`alloc`](Self::alloc) would if it moves: at a multiple of 16, whatever
    /// it was before ([`realloc_aligned`](Self::realloc_aligned)).
    /// `None` when memory has run out; the block is then as it was.
    ///
    /// # Errors
    ///
    /// As [`free`](Self::free).
    ///
    /// # Safety
    ///
    /// `block` is a live block of this heap, if it is one of its blocks at
    /// all, and the old address is not used again if another is returned.
    pub unsafe fn realloc(&mut self, block: NonNull<u8>, size: usize) -> Result<Option<NonNull<u8>>, Misuse> {
        // SAFETY: the caller's promise.
        unsafe { resize::realloc(&*self, block.as_ptr(), GRANULE, size) }.map(NonNull::new)
    }

    /// As [`realloc`](Self::realloc), of a block at a multiple of `align` bytes, at which it stays. `Ok(None)` also if
    /// `align` is not a power of two.
    ///
    /// ```
    /// # use core::mem::MaybeUninit;
    /// # use hmm_core::{FixedRegion, TinyHeap};
    /// # let arena = Box::leak(Box::new([MaybeUninit::<u8>::uninit(); 16384]));
    /// let mut heap = TinyHeap::new(FixedRegion::new(arena));
    /// let block = heap.alloc_aligned(64, 100).expect("16 KiB hold 100 bytes");
    /// // SAFETY: a live block; its old address is not used again.
    /// let longer = unsafe { heap.realloc_aligned(block, 64, 1000) };
    /// assert!(longer.is_ok_and(|block| block.is_some_and(|block| block.as_ptr().addr() % 64 == 0)));
    /// ```
    ///
    /// # Errors
    ///
    /// As [`free`](Self::free).
    ///
    /// # Safety
    ///
    /// As [`realloc`](Self::realloc), and the block lies at a multiple of `align`.
    pub unsafe fn realloc_aligned(
        &mut self,
        block: NonNull<u8>,
        align: usize,
        size: usize,
    ) -> Result<Option<NonNull<u8>>, Misuse> {
        if !align.is_power_of_two() {
            return Ok(None);
        }
        // SAFETY: the caller's promise.
        unsafe { resize::realloc(&*self, block.as_ptr(), align, size) }.map(NonNull::new)
    }

    /// The bytes that `block` holds, at least those asked for.
    ///
    /// # Errors
    ///
    /// As [`free`](Self::free).
    pub fn usable_size(&self, block: NonNull<u8>) -> Result<usize, Misuse> {
        resize::usable_size(&self.map, &self.local, block.as_ptr())
    }

    /// Gives all free pages back to the backend, as far as it takes them.
    /// Says whether it took any.
    pub fn trim(&mut self) -> bool {
        let before = self.pages.get_mut().gone();
        collect::collect(&*self);
        let pages = self.pages.get_mut();
        pages.trim(&self.map, 0) || pages.gone() != before
    }

    /// What the heap holds, by a walk over it.
    pub fn stats(&self) -> Stats {
        let collect = |pages: &mut Pages<G, SHIFT>| {
            let counts = Stats::collect(&self.map, pages, self.local.claimed());
            Stats { resident: pages.resident(&self.map).unwrap_or(counts.held), ..counts }
        };
        self.with_pages(collect).unwrap_or_default()
    }

    /// Walks the heap and asserts the invariants of `docs/design.md`.
    ///
    /// # Errors
    ///
    /// The first one that does not hold.
    pub fn check(&self) -> Result<(), Violation> {
        self.with_pages(|pages| check::runs(&self.map, pages, Owners::Rest)).unwrap_or(Ok(()))?;
        check::slabs(&self.map)?;
        check::owner(self)?;
        check::none_is_lost(&self.map, check::listed(self), |owner| owner == self.token())
    }

    /// The backend.
    pub fn grow_mut(&mut self) -> &mut G {
        self.pages.get_mut().grow()
    }
}
