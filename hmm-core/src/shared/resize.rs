//! Resizing, on the floor of many owners.
//!
//! ```text
//!   the owner's small block   stays │ grows: a larger one, a copy
//!   everything else           borrowed │ the floor below: in place, by moving pages, by copying
//! ```

use core::ptr;

use super::owner::Owner;
use super::seat::Seat;
use super::{Lock, Shared};
use crate::grow::HeapGrow;
use crate::heap::{fast, fit, resize};
use crate::units::GRANULE;

/// What it takes to resize a block, as far as one look tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resize {
    /// Nothing: it stays where it is.
    Stays,
    /// A larger block: it holds so many bytes.
    Grows {
        /// Bytes.
        have: usize,
    },
    /// A closer look.
    Unknown,
}

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Shared<G, L, SHIFT, C> {
    /// Makes the block at `p` hold `size` bytes at a multiple of `align`, a
    /// power of two of which it is one already; returns where it is now. Null when
    /// memory has run out; the block is then as it was.
    ///
    /// # Safety
    ///
    /// As [`free`](Self::free); the old address is not used again if another
    /// is returned.
    pub unsafe fn realloc(&self, owner: &Owner<C>, p: *mut u8, align: usize, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        match unsafe { self.resize(owner, p, align, size) } {
            Resize::Stays => p,
            // SAFETY: likewise.
            Resize::Grows { have } => unsafe { self.grow(owner, p, have, size) },
            // SAFETY: likewise.
            Resize::Unknown => unsafe { self.realloc_any(owner, p, align, size) },
        }
    }

    /// [`realloc`](Self::realloc) of any block.
    ///
    /// # Safety
    ///
    /// As [`realloc`](Self::realloc).
    #[inline(never)]
    unsafe fn realloc_any(&self, owner: &Owner<C>, p: *mut u8, align: usize, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        if let Some(to) = unsafe { self.realloc_to_borrowed(owner, p, align, size) } {
            return to;
        }
        let resize = |seat: &Seat<'_, G, L, SHIFT, C>| {
            // SAFETY: the caller's promise.
            unsafe { resize::realloc(seat, p, align, size) }
        };
        let new = self.seated(owner, resize);
        new.map_or(ptr::null_mut(), |new| self.judge(new))
    }

    /// What resizing the block at `p` to `size` bytes takes: one look tells for the owner's small
    /// blocks, which most calls of `realloc` are about.
    ///
    /// # Safety
    ///
    /// As [`realloc`](Self::realloc).
    #[inline(always)]
    pub unsafe fn resize(&self, owner: &Owner<C>, p: *const u8, align: usize, size: usize) -> Resize {
        match fast::small::<SHIFT, C, _>(&owner.local, owner.token(), p) {
            Some(have) if align <= GRANULE && size > have => Resize::Grows { have },
            Some(have) if align <= GRANULE && fit::keeps(have, size) => Resize::Stays,
            _ => Resize::Unknown,
        }
    }

    /// [`realloc`](Self::realloc) of a block that [grows](Resize::Grows).
    ///
    /// # Safety
    ///
    /// As [`realloc`](Self::realloc); [`resize`](Self::resize) of the same block to `size` bytes has
    /// just told what it has.
    #[inline(always)]
    pub unsafe fn grow(&self, owner: &Owner<C>, p: *mut u8, have: usize, size: usize) -> *mut u8 {
        let roomy = fit::with_headroom::<SHIFT>(have, size, 1);
        let to = match fast::alloc::<SHIFT, C, _>(&owner.local, roomy) {
            Some(to) => to,
            // SAFETY: the owner is the calling thread's.
            None => unsafe { self.alloc(owner, roomy) },
        };
        if to.is_null() {
            // SAFETY: the caller's promise.
            return unsafe { self.realloc_any(owner, p, 1, size) };
        }
        // SAFETY: both blocks are the caller's, disjoint, and at least this
        // long.
        unsafe { to.copy_from_nonoverlapping(p, have) };
        // SAFETY: the caller gives the old block up.
        unsafe { self.free(owner, p) };
        to
    }

    /// The bytes that the block at `p` holds.
    pub fn usable_size(&self, p: *const u8) -> usize {
        self.judge(resize::usable_size(self, p))
    }
}
