//! Allocating, past the fast path.

use core::ptr;
use core::sync::atomic::Ordering::Relaxed;

use super::refill::refill;
use super::{Supply, large};
use crate::slab::{Block, locate};
use crate::units::{Class, Geometry};

/// A block of at least `size` bytes; null when memory has run out.
pub(crate) fn alloc<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, size: usize) -> *mut u8 {
    if size > Geometry::<SHIFT>::SLAB_MAX {
        return large::alloc(s, size, 1, false);
    }
    slot(s, Geometry::<SHIFT>::class_of(size))
}

/// A block of at least `size` bytes at a multiple of `align`, a power of two.
pub(crate) fn alloc_aligned<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    align: usize,
    size: usize,
) -> *mut u8 {
    match Geometry::<SHIFT>::class_of_aligned(size, align) {
        Some(class) => slot(s, class),
        None => large::alloc(s, size, align, false),
    }
}

/// As [`alloc_aligned`], with the first `size` bytes zero. Memory that is
/// known to be zero is not written.
pub(crate) fn alloc_zeroed<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    align: usize,
    size: usize,
) -> *mut u8 {
    let Some(class) = Geometry::<SHIFT>::class_of_aligned(size, align) else {
        return large::alloc(s, size, align, true);
    };
    let p = slot(s, class);
    let is_zero = Geometry::<SHIFT>::is_medium(class) && is_clean(s, p);
    if !p.is_null() && !is_zero {
        // SAFETY: the block is ours and at least `size` bytes long.
        unsafe { ptr::write_bytes(p, 0, size) };
    }
    p
}

/// A slot of `class`; null when memory has run out.
fn slot<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, class: Class) -> *mut u8 {
    let cur = s.local().cur(class);
    let p = cur.take().or_else(|| if refill(s, class) { cur.take() } else { None });
    p.unwrap_or(ptr::null_mut())
}

/// Whether the medium slot at `p` was never used since its pages were zero.
fn is_clean<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, p: *mut u8) -> bool {
    match locate(s.map(), p) {
        Ok(Block::Slot(slot)) => slot.header.soiled.load(Relaxed) & (1 << slot.index) == 0,
        _ => false,
    }
}
