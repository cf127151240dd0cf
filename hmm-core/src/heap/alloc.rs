//! Allocating, past the fast path.

use core::ptr;

use super::refill::refill;
use super::{Ground, Supply, large};
use crate::pages::header::Mark;
use crate::slab::{Block, locate};
use crate::units::{Class, Geometry};

/// A block of at least `size` bytes at a multiple of `align`, a power of two; null when memory has run out.
pub(crate) fn alloc<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    align: usize,
    size: usize,
) -> *mut u8 {
    match Geometry::<SHIFT>::class_of_aligned(size, align) {
        Some(class) => slot(s, class, size, align),
        None => whole_pages(s, size, align, false),
    }
}

/// A large block; empty slabs are given up for it if need be.
fn whole_pages<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    size: usize,
    align: usize,
    zeroed: bool,
) -> *mut u8 {
    let p = large::alloc(s, size, align, zeroed);
    if !p.is_null() || size > isize::MAX as usize {
        return p;
    }
    s.reclaim();
    large::alloc(s, size, align, zeroed)
}

/// As [`alloc`], with the first `size` bytes zero. Memory that is
/// known to be zero is not written.
pub(crate) fn alloc_zeroed<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    align: usize,
    size: usize,
) -> *mut u8 {
    let Some(class) = Geometry::<SHIFT>::class_of_aligned(size, align) else {
        return whole_pages(s, size, align, true);
    };
    let p = slot(s, class, size, align);
    // SAFETY: the block is ours and at least `size` bytes long.
    unsafe { clear(s, p, size) };
    p
}

/// Zeroes the first `size` bytes of the new slot at `p`, if it is one, and if they are not
/// known to be zero.
///
/// # Safety
///
/// It is the caller's, and has so many.
#[inline(always)]
pub(crate) unsafe fn clear<const SHIFT: u32, S: Ground<SHIFT>>(s: &S, p: *mut u8, size: usize) {
    if p.is_null() || size > Geometry::<SHIFT>::SMALL_MAX && is_clean(s, p) {
        return;
    }
    // SAFETY: the caller's promise.
    unsafe { ptr::write_bytes(p, 0, size) };
}

/// A slot of `class`, the one for `size` bytes at a multiple of `align`; null
/// when memory has run out.
fn slot<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    class: Class,
    size: usize,
    align: usize,
) -> *mut u8 {
    take(s, class).or_else(|| scrape(s, class, size, align)).unwrap_or(ptr::null_mut())
}

/// A slot of `class` from where there is one, or a fresh slab.
fn take<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, class: Class) -> Option<*mut u8> {
    let local = s.local();
    local.take(class).or_else(|| if refill(s, class) { local.take(class) } else { None })
}

/// There is no memory for another slab of `class`: gives up what is empty, and
/// as a last resort takes a slot of up to twice the size, such as `realloc` may
/// leave a block in, too.
#[cold]
fn scrape<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    class: Class,
    size: usize,
    align: usize,
) -> Option<*mut u8> {
    s.reclaim();
    (class.index()..C)
        .map(Class::nth)
        .take_while(|&wider| wider == class || wider.size() <= 2 * size)
        .filter(|wider| wider.size() & (align - 1) == 0)
        .find_map(|wider| take(s, wider).inspect(|&p| mark_wider(s, p, class)))
}

/// If the slot at `p` is not one of `class`, sized frees in its slab may name any size.
fn mark_wider<const SHIFT: u32, S: Ground<SHIFT>>(s: &S, p: *mut u8, class: Class) {
    match locate(s.map(), p) {
        Ok(Block::Slot(slot)) if slot.class != class => slot.header.set(Mark::Any),
        _ => {}
    }
}

/// Whether the slot at `p` is a medium one that was never used since its pages were zero.
fn is_clean<const SHIFT: u32, S: Ground<SHIFT>>(s: &S, p: *mut u8) -> bool {
    match locate(s.map(), p) {
        Ok(Block::Slot(slot)) if Geometry::<SHIFT>::is_medium(slot.class) => {
            slot.header.soiled() & (1 << slot.index) == 0
        }
        _ => false,
    }
}
