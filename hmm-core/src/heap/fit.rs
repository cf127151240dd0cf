//! Which blocks a slot may hold: the class they were given at first, or one
//! that `realloc` or want of memory left them in.

use crate::pages::header::Mark;
use crate::slab::Slot;
use crate::units::Geometry;

/// Bytes of a cache line.
const LINE: usize = 64;

/// The bytes of a block of `size` bytes that shares no cache line with others, if it is
/// one of a slab's.
pub(crate) fn in_lines(size: usize) -> usize {
    size.max(1).checked_next_multiple_of(LINE).unwrap_or(size)
}

/// Whether a slot of `slot` bytes is kept when its block shrinks to `size`.
pub(crate) fn keeps(slot: usize, size: usize) -> bool {
    size <= slot && size >= slot / 2
}

/// Whether a block of `size` bytes and alignment `align` may live in `slot`.
pub(crate) fn serves<const SHIFT: u32>(slot: &Slot<'_>, size: usize, align: usize) -> bool {
    let have = slot.class.size();
    let is_first = |size| Geometry::<SHIFT>::class_of_aligned(size, align).is_some_and(|class| class.size() == have);
    let in_lines = || slot.header.has(Mark::Lines) && is_first(in_lines(size));
    size <= have && (keeps(have, size) || is_first(size) || in_lines())
}
