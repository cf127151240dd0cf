//! Which blocks a slot may hold: the class they were given at first, or one
//! that `realloc` or want of memory left them in.

use crate::units::Geometry;

/// Whether a slot of `slot` bytes is kept when its block shrinks to `size`.
pub(crate) fn keeps(slot: usize, size: usize) -> bool {
    size <= slot && size >= slot / 2
}

/// Whether a block of `size` bytes and alignment `align` may live in a slot of
/// `slot` bytes.
pub(crate) fn serves<const SHIFT: u32>(slot: usize, size: usize, align: usize) -> bool {
    let first = || Geometry::<SHIFT>::class_of_aligned(size, align);
    size <= slot && (keeps(slot, size) || first().is_some_and(|class| class.size() == slot))
}
