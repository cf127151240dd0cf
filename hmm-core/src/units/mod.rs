//! The heap's units of measure: pages and size classes. No unsafe code here.
//!
//! ```text
//!   byte < slot (one block of a size class) < page (64 KiB) < run (pages)
//! ```

mod class;
mod page;

pub(crate) use class::{Class, Geometry};
pub(crate) use page::PageNo;

/// One word of a free-slot bitmap.
pub(crate) type Word = usize;

/// The number of slots that one bitmap word tells of.
pub(crate) const WORD_BITS: usize = Word::BITS as usize;

/// The alignment of every block, in bytes.
pub const GRANULE: usize = 16;
