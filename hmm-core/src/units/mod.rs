//! Floor 2, **units**: what the heap is measured in, pages and size classes. No unsafe code here.
//!
//! ```text
//!   byte < slot (one block of a size class) < page (64 KiB) < run (pages)
//! ```

mod class;
mod geometry;
mod page;

pub(crate) use class::{Class, STRIDE};
pub(crate) use geometry::Geometry;
pub(crate) use page::PageNo;

/// One word of a free-slot bitmap.
pub(crate) type Word = usize;

/// The number of slots that one bitmap word tells of.
pub(crate) const WORD_BITS: usize = Word::BITS as usize;

/// The page size of hosted heaps is `1 << HOSTED_SHIFT`: the largest of which a
/// summary word can tell of all bitmap words.
pub const HOSTED_SHIFT: u32 = if WORD_BITS == 64 { 16 } else { 14 };

/// The number of size classes of hosted heaps.
pub const HOSTED_CLASSES: usize = Geometry::<HOSTED_SHIFT>::CLASSES;

/// The words of a slab's bitmap, at most: of two each, a summary word tells by one bit.
pub(crate) const MOST_WORDS: usize = 2 * WORD_BITS;

/// The least alignment of a block, in bytes: of one that was asked for at less than [`GRANULE`].
pub const MIN_ALIGN: usize = 8;

/// The alignment of a block that was asked for without one, in bytes.
pub const GRANULE: usize = 16;
