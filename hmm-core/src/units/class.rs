//! Size classes.
//!
//! ```text
//!   8 16 24 … 64 | 80 96 … 256 | 288 … 512 | … | … 8 KiB | 10 12 14 16 | 20 24 28 32 | 40 48 56 64 KiB
//!   steps of 8   | of 16       | eight to a doubling     | four: ≤ 25 % of which most is never touched
//! ```
//!
//! Blocks of 24 bytes lie at multiples of 8. Who asks for no alignment, as C does, gets multiples of 16, and
//! thus of those up to 64 bytes each second class; Rust says what its layouts need, which seldom is more than 8.
//!
//! The sequence of sizes is the same for every heap; how many of them a heap
//! uses, and how many pages a slab of each takes, follows from its page size
//! ([`Geometry`]). The spacing is that of jemalloc and its descendants.

use core::fmt;

#[cfg(doc)]
use super::Geometry;
use super::{GRANULE, MIN_ALIGN};

/// The classes up to 64 bytes.
const DENSE: usize = 8;
/// The size of the last of those.
const DENSE_MAX: usize = DENSE * MIN_ALIGN;
/// The classes from there to 256 bytes.
const LINEAR: usize = 12;
/// The classes up to those of which there are eight to a doubling.
const FIRST: usize = DENSE + LINEAR;
/// Those from there to 8 KiB: eight to each doubling.
const FINE: usize = 8 * 5;
/// The size of the last of those.
pub(super) const FINE_MAX: usize = 8 * 1024;
/// The size of the last class of the whole sequence. (Beyond `FINE_MAX` there are four to each
/// doubling. With eight, programs that use blocks of all sizes hold up to a fourth more and take a
/// tenth longer: each class has slabs of its own.)
pub(super) const SIZE_MAX: usize = 64 * 1024;
/// The classes of the whole sequence.
pub(super) const ALL: usize = FIRST + FINE + 4 * 3;

/// A size class: its index in the sequence of sizes, times [`STRIDE`]. The fast
/// paths add it to an address as it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub(crate) struct Class(u16);

/// Bytes of what an owner has for each class in its hottest table.
pub(crate) const STRIDE: usize = 32;

impl Class {
    /// The number of classes up to 1 KiB: the sizes of which programs use thousands.
    pub(crate) const COMMON: usize = Self::number_to(1024);

    /// The number of classes of the whole sequence.
    pub(crate) const ALL: usize = ALL;

    /// The number of classes up to `size`, which is one's.
    pub(crate) const fn number_to(size: usize) -> usize {
        Self::by_search(size).index() + 1
    }

    /// The class of `size`: the first that is as large.
    pub(super) const fn by_search(size: usize) -> Self {
        let mut index = 0;
        while size_of_index(index) < size {
            index += 1;
        }
        Self::nth(index)
    }

    /// The same of more than 256 bytes, and at most [`FINE_MAX`].
    #[inline(always)]
    pub(super) const fn fine(size: usize) -> Self {
        debug_assert!(size > 256 && size <= FINE_MAX);
        let last = size - 1;
        let doubling = (last | 1).ilog2() as usize - 8;
        Self::nth(FIRST + doubling * 8 + (last >> (doubling + 5)) - 8)
    }

    /// That of more.
    #[inline(always)]
    pub(super) const fn coarse(size: usize) -> Self {
        debug_assert!(size > FINE_MAX && size <= SIZE_MAX);
        let last = size - 1;
        let doubling = (last | 1).ilog2() as usize - 13;
        Self::nth(FIRST + FINE + doubling * 4 + (last >> (doubling + 11)) - 4)
    }

    /// The class of this index.
    #[inline(always)]
    pub(crate) const fn nth(index: usize) -> Self {
        Self((index * STRIDE) as u16)
    }

    #[inline(always)]
    pub(crate) const fn index(self) -> usize {
        self.0 as usize / STRIDE
    }

    /// [`STRIDE`] times the index.
    #[inline(always)]
    pub(crate) const fn offset(self) -> usize {
        self.0 as usize
    }

    /// The class as a number, for [`from_number`](Self::from_number).
    pub(crate) const fn number(self) -> u16 {
        self.0
    }

    #[inline(always)]
    pub(crate) const fn from_number(number: u16) -> Self {
        Self(number)
    }

    /// The bytes of a slot.
    #[inline(always)]
    pub(crate) const fn size(self) -> usize {
        // (A class is one of the sequence: nothing to check, and no panic inside `malloc`.)
        SIZES[self.index() % SIZES.len()] as usize
    }
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "class of {} bytes", self.size())
    }
}

/// The sizes by index.
static SIZES: [u32; ALL.next_power_of_two()] = {
    let mut sizes = [0; ALL.next_power_of_two()];
    let mut index = 0;
    while index < ALL {
        sizes[index] = size_of_index(index) as u32;
        index += 1;
    }
    sizes
};

const fn size_of_index(index: usize) -> usize {
    if index < DENSE {
        return (index + 1) * MIN_ALIGN;
    }
    if index < FIRST {
        return DENSE_MAX + (index + 1 - DENSE) * GRANULE;
    }
    let fine = index - FIRST;
    if fine < FINE {
        let (doubling, eighth) = (fine / 8, fine % 8 + 9);
        return eighth << (doubling + 5);
    }
    let (doubling, quarter) = ((fine - FINE) / 4, (fine - FINE) % 4 + 5);
    quarter << (doubling + 11)
}

const _: () = {
    assert!(size_of_index(ALL - 1) == SIZE_MAX && size_of_index(FIRST + FINE - 1) == FINE_MAX);
    assert!(ALL * STRIDE <= u16::MAX as usize);
    assert!(size_of_index(DENSE - 1) == DENSE_MAX && size_of_index(DENSE) == DENSE_MAX + GRANULE);
    assert!(size_of_index(FIRST - 1) == 256 && size_of_index(FIRST) == 288);
    let mut index = FIRST;
    while index < ALL {
        let (least, size) = (size_of_index(index - 1) + 1, size_of_index(index));
        if size <= FINE_MAX {
            assert!(Class::fine(least).index() == index && Class::fine(size).index() == index);
        } else {
            assert!(Class::coarse(least).index() == index && Class::coarse(size).index() == index);
        }
        index += 1;
    }
};
