//! What a program did wrong with a pointer, in one line.

use core::fmt;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// A block that is free already was freed, or resized, or measured.
    DoubleFree,
    /// An address inside the heap at which no block begins.
    InvalidFree,
    /// An address that is not the heap's.
    ForeignFree,
    /// The size or alignment passed to a sized free is not the block's.
    SizeMismatch,
}

/// Where the pointer pointed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Slot { size: usize, page: u32 },
    Large { page: u32 },
    Nothing { page: u32 },
    Outside,
}

/// A misuse of the heap: what was done, with which pointer, and where it
/// points. Its `Display` form is the one line a program's operator reads:
/// `double free: 0x55d0c0a01230 (48-byte block, page 3)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misuse {
    what: What,
    address: usize,
    place: Place,
}

impl Misuse {
    pub(crate) fn new(what: What, p: *const u8, place: Place) -> Self {
        Self { what, address: p.addr(), place }
    }

    /// What was done.
    pub fn what(&self) -> What {
        self.what
    }

    /// The address that the pointer held.
    pub fn address(&self) -> usize {
        self.address
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            What::DoubleFree => "double free",
            What::InvalidFree => "invalid free",
            What::ForeignFree => "foreign free",
            What::SizeMismatch => "size mismatch",
        };
        write!(f, "{what}: {:#x} (", self.address)?;
        match self.place {
            Place::Slot { size, page } => write!(f, "{size}-byte block, page {page})"),
            Place::Large { page } => write!(f, "large block, page {page})"),
            Place::Nothing { page } => write!(f, "no block there, page {page})"),
            Place::Outside => f.write_str("not from this heap)"),
        }
    }
}

impl core::error::Error for Misuse {}
