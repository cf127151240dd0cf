//! Which blocks a slot may hold: the class they were given at first, or one
//! that `realloc` or want of memory left them in.

use crate::pages::header::{Header, Mark};
use crate::units::Geometry;

/// A block that grows by no more than one part in so many grows in steps.
const STEPS: usize = 16;

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

/// The bytes to look for when a block in a slot of `have` bytes grows to `size`. One that
/// outgrew it by little grows in small steps, and would move again at each class: it gets
/// a quarter more than it had, as in tcmalloc, and what its class then has.
/// (Only in slots: large blocks are as long as they were asked for.)
pub(crate) fn with_headroom<const SHIFT: u32>(have: usize, size: usize, align: usize) -> usize {
    let roomy = have + have / 4;
    let is_step = size > have && size - have <= have / STEPS;
    // What is borrowed has slots of whole lines: one too long for the block is none that its sized free expects.
    let fits = || keeps(in_lines(roomy), size);
    if is_step && fits() && Geometry::<SHIFT>::class_of_aligned(roomy, align).is_some() { roomy } else { size }
}

/// Whether a block of `size` bytes and alignment `align` may live in a slot of the slab with
/// this header.
pub(crate) fn serves<const SHIFT: u32>(header: &Header, size: usize, align: usize) -> bool {
    let class = header.class();
    let have = Geometry::<SHIFT>::info(class).size as usize;
    let is_first = |size| Geometry::<SHIFT>::class_of_aligned(size, align) == Some(class);
    size <= have && (keeps(have, size) || is_first(size) || header.has(Mark::Lines) && is_first(in_lines(size)))
}
