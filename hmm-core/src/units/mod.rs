//! The heap's units of measure: pages and size classes. No unsafe code here.
//!
//! ```text
//!   byte < slot (one block of a size class) < page (64 KiB) < run (pages)
//! ```

mod class;
mod page;

pub(crate) use class::{Class, Geometry, STRIDE};
pub(crate) use page::PageNo;

/// One word of a free-slot bitmap.
pub(crate) type Word = usize;

/// The number of slots that one bitmap word tells of.
pub(crate) const WORD_BITS: usize = Word::BITS as usize;

/// The page size of hosted heaps is `1 << HOSTED_SHIFT`: the largest of which a
/// summary word can name all bitmap words.
pub const HOSTED_SHIFT: u32 = if WORD_BITS == 64 { 16 } else { 14 };

/// The number of size classes of hosted heaps.
pub const HOSTED_CLASSES: usize = Geometry::<HOSTED_SHIFT>::CLASSES;

/// The alignment of every block, in bytes.
pub const GRANULE: usize = 16;
