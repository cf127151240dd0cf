//! What a page is, and what else is marked in its header.

/// What a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Inside a run of another kind, or not handed out by the backend.
    Blank,
    /// The first page of a run of free pages.
    Free,
    /// The last page of a run of at least two free pages.
    FreeTail,
    /// A slab of one page.
    Small,
    /// The first page of a slab of several pages.
    Medium,
    /// Any other page of such a slab.
    MediumBody,
    /// The first page of a block of whole pages.
    Large,
    /// The first page of a hole that the backend could not have, or of pages that became tables.
    Foreign,
    /// The first page of a freed block of whole pages that a thread keeps.
    Kept,
}

impl Kind {
    /// The kind of this number; those of four bits that are none are `Blank`.
    #[inline(always)]
    pub(super) fn nth(number: u8) -> Self {
        use Kind::{Blank, Foreign, Free, FreeTail, Kept, Large, Medium, MediumBody, Small};
        const ALL: [Kind; 16] = [
            Blank, Free, FreeTail, Small, Medium, MediumBody, Large, Foreign, Kept, Blank, Blank, Blank, Blank, Blank,
            Blank, Blank,
        ];
        const _: () = assert!(ALL[Kept as usize] as u8 == Kept as u8);
        ALL[usize::from(number) % ALL.len()]
    }
}

/// What is to be known of some slabs and large blocks: a bit each. Of the first two, a sized free
/// cannot rely on the size that it is told.
#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Mark {
    /// Want of memory left a block in a slot that it would not be given, and its size may
    /// be any.
    Any = 1,
    /// Blocks were given slots of whole cache lines.
    Lines = 2,
    /// No memory was behind it when it was made: what is there now was written since.
    Bare = 4,
    /// A large block has given back what lies behind it, and does not do so again.
    Shrunk = 8,
}

impl Mark {
    /// Of a large block: its pages, or some, were moved here from another place.
    pub(crate) const MOVED: Self = Self::Any;
}
