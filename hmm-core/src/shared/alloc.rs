//! Allocating, on the floor of many owners: where a block is sought, and in which order.
//!
//! ```text
//!   one at hand           fast paths: `alloc_fast`, of small slabs; `alloc_beyond`, of medium ones
//!   a large one           that the owner freed and kept: `alloc_kept`, if it is the first one
//!   another word          of the owner's current slab
//!   a large one           the others that are kept
//!   first of its class    from the common owner, if there are many threads
//!   anew                  the floor below: other slabs, fresh ones, whole pages
//! ```

use core::ptr;

use super::kept::Kept;
use super::owner::Owner;
use super::seat::Seat;
use super::{Lock, Shared};
use crate::grow::HeapGrow;
use crate::heap::{alloc, fast, refill};
use crate::units::{Class, GRANULE, Geometry};

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Shared<G, L, SHIFT, C> {
    /// Takes a block of at least `size` bytes at a multiple of `align`, 8 or 16, the quick way; `None`
    /// if that would take more than a look at its class. (The compiler has to know `align`.)
    ///
    /// # Safety
    ///
    /// `owner` is the calling thread's, or nobody.
    #[inline(always)]
    pub unsafe fn alloc_fast(&self, owner: &Owner<C>, align: usize, size: usize) -> Option<*mut u8> {
        fast::alloc::<SHIFT, C, _>(&owner.local, align, size)
    }

    /// As [`alloc_fast`](Self::alloc_fast), of larger sizes, as far as slabs serve them.
    ///
    /// # Safety
    ///
    /// As [`alloc_fast`](Self::alloc_fast).
    #[inline(always)]
    pub unsafe fn alloc_beyond(&self, owner: &Owner<C>, size: usize) -> Option<*mut u8> {
        fast::alloc_beyond::<SHIFT, C, _>(&owner.local, size)
    }

    /// A block of at least `size` bytes, aligned to 16; null when memory has
    /// run out.
    ///
    /// # Safety
    ///
    /// `owner` is the calling thread's, or nobody.
    pub unsafe fn alloc(&self, owner: &Owner<C>, size: usize) -> *mut u8 {
        match fast::alloc_slot::<SHIFT, C, _>(&owner.local, GRANULE, size) {
            Some(p) => p,
            // SAFETY: the caller's promise.
            None => unsafe { self.alloc_slow(owner, GRANULE, size) },
        }
    }

    /// As [`alloc_aligned`](Self::alloc_aligned), the long way: for those who have tried the quick
    /// ones, or what is large.
    ///
    /// # Safety
    ///
    /// As [`alloc`](Self::alloc).
    #[inline(never)]
    pub unsafe fn alloc_slow(&self, owner: &Owner<C>, align: usize, size: usize) -> *mut u8 {
        let at_hand = match Geometry::<SHIFT>::class_of_aligned(size, align) {
            Some(class) => self.take_next(owner, class),
            None if align <= Geometry::<SHIFT>::PAGE => self.take_kept(owner, size, Kept::take),
            None => None,
        };
        match at_hand {
            Some(p) => p,
            None => self.alloc_anew(owner, align, size),
        }
    }

    /// A block at hand, or from another word of the owner's current slab of `class`, if there
    /// is one.
    fn take_next(&self, owner: &Owner<C>, class: Class) -> Option<*mut u8> {
        owner.local.bin(class).current()?;
        let seat = Seat::take(self, owner)?;
        let taken = refill::take_next(&seat, class);
        self.rise(seat, owner);
        taken
    }

    /// A block of at least `size` bytes at a multiple of `align`, where there is none at hand.
    #[cold]
    #[inline(never)]
    fn alloc_anew(&self, owner: &Owner<C>, align: usize, size: usize) -> *mut u8 {
        self.borrow(owner, align, size)
            .or_else(|| self.seated(owner, |seat| alloc::alloc(seat, align, size)))
            .unwrap_or(ptr::null_mut())
    }

    /// As [`alloc`](Self::alloc), at a multiple of `align`, a power of two.
    ///
    /// # Safety
    ///
    /// As [`alloc`](Self::alloc).
    #[inline]
    pub unsafe fn alloc_aligned(&self, owner: &Owner<C>, align: usize, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        match unsafe { self.alloc_aligned_fast(owner, align, size) } {
            Some(p) => p,
            // SAFETY: likewise.
            None => unsafe { self.alloc_slow(owner, align, size) },
        }
    }

    /// As [`alloc_fast`](Self::alloc_fast), at a multiple of `align`, a power of two, and
    /// of any size.
    ///
    /// # Safety
    ///
    /// As [`alloc_fast`](Self::alloc_fast).
    #[inline(always)]
    pub unsafe fn alloc_aligned_fast(&self, owner: &Owner<C>, align: usize, size: usize) -> Option<*mut u8> {
        fast::alloc_aligned::<SHIFT, C, _>(&owner.local, align, size)
    }

    /// As [`alloc_aligned`](Self::alloc_aligned), with the first `size` bytes
    /// zero.
    ///
    /// # Safety
    ///
    /// As [`alloc`](Self::alloc).
    pub unsafe fn alloc_zeroed(&self, owner: &Owner<C>, align: usize, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        let slot = unsafe { self.alloc_aligned_fast(owner, align, size) }.or_else(|| {
            let class = Geometry::<SHIFT>::class_of_aligned(size, align)?;
            self.take_next(owner, class).or_else(|| self.borrow(owner, align, size))
        });
        match slot {
            Some(p) => {
                // SAFETY: the block is ours and at least `size` bytes long.
                unsafe { alloc::clear(self, p, size) };
                p
            }
            None => self.seated(owner, |seat| alloc::alloc_zeroed(seat, align, size)).unwrap_or(ptr::null_mut()),
        }
    }
}
