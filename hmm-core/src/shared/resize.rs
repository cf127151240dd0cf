//! Resizing, on the floor of many owners.
//!
//! ```text
//!   a small block    stays, if one look tells │ moves: another block, a copy
//!   any other        the same by a closer look
//!   a large one      grows into what the thread keeps right behind it
//!                    by the floor below: in place, by moving pages, by copying
//! ```

use core::ptr;

use super::owner::Owner;
use super::seat::Seat;
use super::{Lock, Shared};
use crate::grow::HeapGrow;
use crate::heap::resize::{self, Resize};
use crate::heap::{fast, fit};

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
        match unsafe { self.resize(owner, p, size) } {
            Resize::Stays => p,
            // SAFETY: likewise.
            Resize::Moves { have } => unsafe { self.move_block(owner, p, have, align, size) },
            // SAFETY: likewise.
            Resize::Unknown => unsafe { self.realloc_slow(owner, p, align, size) },
        }
    }

    /// What it takes to make the block at `p` hold `size` bytes: one look tells for small blocks
    /// that keep their slot or outgrow it, which most calls of `realloc` are about. (That one which
    /// moves is in use is seen when it is freed.)
    ///
    /// # Safety
    ///
    /// `owner` is the calling thread's, or nobody; `p` is a live block or null.
    #[inline(always)]
    pub unsafe fn resize(&self, owner: &Owner<C>, p: *const u8, size: usize) -> Resize {
        let Some(used) = fast::used::<SHIFT, C, _>(&owner.local, p) else { return Resize::Unknown };
        let have = used.bytes::<SHIFT>();
        if size > have {
            Resize::Moves { have }
        } else if fit::keeps(have, size) && !used.is_claimed(&owner.local) {
            Resize::Stays
        } else {
            Resize::Unknown
        }
    }

    /// [`realloc`](Self::realloc), where [`resize`](Self::resize) could not tell.
    ///
    /// # Safety
    ///
    /// As [`realloc`](Self::realloc).
    #[inline(never)]
    pub unsafe fn realloc_slow(&self, owner: &Owner<C>, p: *mut u8, align: usize, size: usize) -> *mut u8 {
        let resize = match fast::used::<SHIFT, C, _>(&owner.local, p) {
            Some(used) if !used.is_claimed(&owner.local) => resize::look_in::<SHIFT>(used.header, align, size),
            _ => self.judge(resize::look(&self.map, &owner.local, p, align, size)),
        };
        match resize {
            Resize::Stays => p,
            // SAFETY: the caller's promise.
            Resize::Moves { have } => unsafe { self.move_block(owner, p, have, align, size) },
            Resize::Unknown if self.grow_into_kept(owner, p, size) => p,
            // SAFETY: likewise.
            Resize::Unknown => unsafe { self.realloc_below(owner, p, align, size) },
        }
    }

    /// [`realloc`](Self::realloc) of a block that [moves](Resize::Moves).
    ///
    /// # Safety
    ///
    /// As [`realloc`](Self::realloc); a look at the same block has just told what it has.
    #[inline(always)]
    pub unsafe fn move_block(&self, owner: &Owner<C>, p: *mut u8, have: usize, align: usize, size: usize) -> *mut u8 {
        let roomy = fit::with_headroom::<SHIFT>(have, size, align);
        // SAFETY: the owner is the calling thread's.
        let to = unsafe { self.alloc_aligned(owner, align, roomy) };
        if to.is_null() {
            // SAFETY: the caller's promise.
            return unsafe { self.realloc_below(owner, p, align, size) };
        }
        // SAFETY: both blocks are the caller's, disjoint, and at least this
        // long.
        unsafe { to.copy_from_nonoverlapping(p, have.min(size)) };
        // SAFETY: the caller gives the old block up.
        unsafe { self.free(owner, p) };
        to
    }

    /// [`realloc`](Self::realloc) by the floor below, which has other ways, too.
    ///
    /// # Safety
    ///
    /// As [`realloc`](Self::realloc).
    #[cold]
    #[inline(never)]
    unsafe fn realloc_below(&self, owner: &Owner<C>, p: *mut u8, align: usize, size: usize) -> *mut u8 {
        let resize = |seat: &Seat<'_, G, L, SHIFT, C>| {
            // SAFETY: the caller's promise.
            unsafe { resize::realloc(seat, p, align, size) }
        };
        let new = self.seated(owner, resize);
        new.map_or(ptr::null_mut(), |new| self.judge(new))
    }

    /// The bytes that the block at `p` holds; 0 for null. (Some programs ask that of every block,
    /// to keep books of their own.)
    ///
    /// # Safety
    ///
    /// As [`resize`](Self::resize).
    #[inline(always)]
    pub unsafe fn usable_size(&self, owner: &Owner<C>, p: *const u8) -> usize {
        match fast::used::<SHIFT, C, _>(&owner.local, p) {
            Some(used) if !used.is_claimed(&owner.local) => used.bytes::<SHIFT>(),
            _ => self.usable_size_slow(owner, p),
        }
    }

    /// As [`usable_size`](Self::usable_size), of any block.
    #[inline(never)]
    fn usable_size_slow(&self, owner: &Owner<C>, p: *const u8) -> usize {
        if p.is_null() {
            return 0;
        }
        self.judge(resize::usable_size(&self.map, &owner.local, p))
    }
}
