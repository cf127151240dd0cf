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

use super::{GRANULE, MIN_ALIGN, MOST_WORDS, WORD_BITS};

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
const FINE_MAX: usize = 8 * 1024;
/// The size of the last class of the whole sequence. (Beyond `FINE_MAX` there are four to each
/// doubling. With eight, programs that use blocks of all sizes hold up to a fourth more and take a
/// tenth longer: each class has slabs of its own.)
const SIZE_MAX: usize = 64 * 1024;
/// The classes of the whole sequence.
const ALL: usize = FIRST + FINE + 4 * 3;
/// Of a table with an entry for each of them, so many that any index finds one: nothing
/// to check, and no panic inside `malloc`.
const ENTRIES: usize = ALL.next_power_of_two();

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

    /// The number of classes up to `size`, which is one's.
    pub(crate) const fn number_to(size: usize) -> usize {
        index_by_search(size) + 1
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
    pub(crate) const fn size(self) -> usize {
        size_of_index(self.index())
    }
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "class of {} bytes", self.size())
    }
}

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

/// The index of the class of `size`, more than 256 bytes and at most [`FINE_MAX`].
const fn index_of_fine(size: usize) -> usize {
    debug_assert!(size > 256 && size <= FINE_MAX);
    let last = size - 1;
    let doubling = (last | 1).ilog2() as usize - 8;
    FIRST + doubling * 8 + (last >> (doubling + 5)) - 8
}

/// That of a larger one.
const fn index_of_coarse(size: usize) -> usize {
    debug_assert!(size > FINE_MAX && size <= SIZE_MAX);
    let last = size - 1;
    let doubling = (last | 1).ilog2() as usize - 13;
    FIRST + FINE + doubling * 4 + (last >> (doubling + 11)) - 4
}

const fn index_by_search(size: usize) -> usize {
    let mut index = 0;
    while size_of_index(index) < size {
        index += 1;
    }
    index
}

/// The classes of the sizes up to some multiple of [`GRANULE`] and of [`MIN_ALIGN`] less.
type Pair = [Class; 2];

/// A table whose entry number `(size + 15) / 16` has the class of `size` at [`GRANULE`]; of no bytes, that of one
/// there.
const fn table<const ENTRIES: usize>() -> [Pair; ENTRIES] {
    let mut table = [[Class::nth(index_by_search(GRANULE)); 2]; ENTRIES];
    let mut unit = 1;
    while unit < ENTRIES {
        let size = unit * GRANULE;
        table[unit] = [Class::nth(index_by_search(size - MIN_ALIGN)), Class::nth(index_by_search(size))];
        unit += 1;
    }
    table
}

/// The sizes in the table of heaps with small pages, which have little room for one, and of
/// others.
const NARROW_MAX: usize = 1024;
const WIDE_MAX: usize = 16 * 1024;

static NARROW: [Pair; NARROW_MAX / GRANULE + 1] = table();
static WIDE: [Pair; WIDE_MAX / GRANULE + 1] = table();

/// What a heap of some page size knows of one class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClassInfo {
    /// Bytes of a slot.
    pub(crate) size: u32,
    /// `ceil(2^32 / size)` for small classes, `ceil(2^32 / (size in units of
    /// 1/64 page))` for medium ones: see [`Geometry::slot_of`].
    pub(crate) recip: u32,
    /// Slots of a slab.
    pub(crate) slots: u16,
    /// Words of a slab's bitmap. Covers also the slot that would begin in the
    /// leftover bytes at the slab's end, so that an index computed from any
    /// offset in the slab has a bit.
    pub(crate) words: u8,
    /// Pages of a slab.
    pub(crate) run: u8,
}

impl ClassInfo {
    const fn new(index: usize, page: usize) -> Self {
        let size = size_of_index(index);
        let run = run_pages(size, page);
        let bytes = run * page;
        let words = bytes.div_ceil(size).div_ceil(WORD_BITS);
        let divisor = if run == 1 { size } else { size / (page / 64) };
        Self {
            size: size as u32,
            recip: (1_u64 << 32).div_ceil(divisor as u64) as u32,
            slots: (bytes / size) as u16,
            words: words as u8,
            run: run as u8,
        }
    }
}

/// Pages of a slab of `size`-byte slots: one while four slots fit, else as few as hold
/// four and leave no more than an eighth over. (With eight, programs that use blocks of all
/// sizes held twice the memory, and took a quarter longer.)
const fn run_pages(size: usize, page: usize) -> usize {
    if size <= page / 4 || page < HOSTED_PAGE {
        return 1;
    }
    let mut pages = 2;
    while pages * page / size < 4 || pages * page % size * 8 > pages * page {
        pages += 1;
    }
    pages
}

/// Heaps with pages at least this large have medium slabs of several pages;
/// in those with smaller ones, blocks beyond half a page are page runs.
const HOSTED_PAGE: usize = 8 * 1024;

/// What follows from the page size of a heap, `1 << SHIFT` bytes.
pub(crate) struct Geometry<const SHIFT: u32>;

impl<const SHIFT: u32> Geometry<SHIFT> {
    /// Bytes of a page.
    pub(crate) const PAGE: usize = 1 << SHIFT;

    /// The largest block that a slab serves; larger ones are page runs.
    pub(crate) const SLAB_MAX: usize = if Self::PAGE >= HOSTED_PAGE { Self::PAGE } else { Self::PAGE / 2 };

    /// The largest block in a slab of one page.
    pub(crate) const SMALL_MAX: usize = if Self::PAGE >= HOSTED_PAGE { Self::PAGE / 4 } else { Self::SLAB_MAX };

    /// Sizes up to this one are found by table, those above by formula.
    pub(crate) const TABLE_MAX: usize =
        if Self::PAGE >= HOSTED_PAGE || Self::SMALL_MAX <= NARROW_MAX { Self::SMALL_MAX } else { NARROW_MAX };

    /// The number of classes up to that size.
    pub(crate) const IN_TABLE: usize = Class::number_to(Self::TABLE_MAX);

    /// The number of classes in use.
    pub(crate) const CLASSES: usize = Class::number_to(Self::SLAB_MAX);

    const INFO: [ClassInfo; ENTRIES] = {
        let mut all = [ClassInfo::new(0, Self::PAGE); ENTRIES];
        let mut index = 0;
        while index < Self::CLASSES {
            all[index] = ClassInfo::new(index, Self::PAGE);
            index += 1;
        }
        all
    };

    /// What is known of `class`.
    #[inline]
    pub(crate) fn info(class: Class) -> &'static ClassInfo {
        const { Self::assert_sound() };
        let all: &'static [ClassInfo; ENTRIES] = const { &Self::INFO };
        &all[class.index() % ENTRIES]
    }

    /// The class of `size`, at most [`TABLE_MAX`](Self::TABLE_MAX), at multiples of `align`, a power of two up
    /// to [`GRANULE`].
    #[inline(always)]
    pub(crate) fn class_by_table(size: usize, align: usize) -> Class {
        debug_assert!(size <= Self::TABLE_MAX && align <= GRANULE);
        let table: &[Pair] = if Self::PAGE >= HOSTED_PAGE { &WIDE } else { &NARROW };
        // The compiler knows the size where it is inlined: no bounds check.
        match align {
            ..=MIN_ALIGN => table.as_flattened()[size.div_ceil(MIN_ALIGN) + 1],
            _ => table[size.div_ceil(GRANULE)][1],
        }
    }

    /// The class of `size`, more than [`TABLE_MAX`](Self::TABLE_MAX) and at most
    /// [`SLAB_MAX`](Self::SLAB_MAX).
    #[inline(always)]
    pub(crate) fn class_by_formula(size: usize) -> Class {
        let is_fine = Self::TABLE_MAX < FINE_MAX && size <= FINE_MAX;
        Class::nth(if is_fine { index_of_fine(size) } else { index_of_coarse(size) })
    }

    /// The smallest class whose slots hold `size` bytes and are aligned to
    /// `align`, a power of two no larger than a page; `None` if no slab
    /// serves such blocks. Slabs begin at page boundaries, so a slot is as
    /// aligned as its size is divisible. (Of no bytes, the class of [`GRANULE`], as by the table.)
    #[inline(always)]
    pub(crate) fn class_of_aligned(size: usize, align: usize) -> Option<Class> {
        if size > Self::SLAB_MAX || align > Self::PAGE {
            return None;
        }
        // A multiple of `align`: either classes lie closer there, and it is one's size, or
        // all of theirs are such multiples.
        let size = ((if size == 0 { GRANULE } else { size }) + align - 1) & !(align - 1);
        match size {
            _ if size <= Self::TABLE_MAX => Some(Self::class_by_table(size, MIN_ALIGN)),
            _ if size <= Self::SLAB_MAX => Some(Self::class_by_formula(size)),
            _ => None,
        }
    }

    /// Whether slabs of `class` span several pages.
    pub(crate) fn is_medium(class: Class) -> bool {
        Self::info(class).run > 1
    }

    /// The slot that begins exactly `offset` bytes into a slab of `class`;
    /// `None` if none does.
    ///
    /// With `r = ceil(2^32 / size) = (2^32 + e) / size` and
    /// `offset = i * size + rest`, the product `offset * r` is
    /// `i * 2^32 + i * e + rest * r`. As `i * e < r` its low half is below `r`
    /// exactly if `rest` is 0, and its high half is `i`: one multiplication
    /// divides and tells whether there was a remainder. `assert_sound` checks
    /// the bound. (After Lemire, Kaser and Kurz, "Faster remainder by direct
    /// computation", 2019.) Medium slabs count in units of 1/64 page, which
    /// divides all their sizes.
    #[inline]
    pub(crate) fn slot_of(class: Class, offset: usize) -> Option<usize> {
        let info = Self::info(class);
        let unit = Self::PAGE / 64;
        let offset = if info.run == 1 {
            offset
        } else if offset % unit == 0 {
            offset / unit
        } else {
            return None;
        };
        let product = offset as u64 * u64::from(info.recip);
        let slot = (product >> 32) as usize;
        ((product as u32) < info.recip && slot < usize::from(info.slots)).then_some(slot)
    }

    /// The number of pages that hold `bytes`; `None` beyond the numbers.
    pub(crate) fn pages_for(bytes: usize) -> Option<u32> {
        u32::try_from(bytes.div_ceil(Self::PAGE)).ok()
    }

    const fn assert_sound() {
        assert!(SHIFT >= 7 && SHIFT <= 16, "pages are of 128 bytes to 64 KiB");
        assert!(Self::CLASSES <= ALL && Self::SLAB_MAX <= SIZE_MAX);
        assert!(Self::TABLE_MAX <= if Self::PAGE >= HOSTED_PAGE { WIDE_MAX } else { NARROW_MAX });
        assert!(Self::TABLE_MAX >= 256 || Self::TABLE_MAX == Self::SLAB_MAX, "the formula begins there");
        let mut index = 0;
        while index < Self::CLASSES {
            let info = &Self::INFO[index];
            let size = info.size as usize;
            let bytes = info.run as usize * Self::PAGE;
            let unit = if info.run == 1 { 1 } else { Self::PAGE / 64 };
            let (span, divisor) = ((bytes / unit) as u64, (size / unit) as u64);
            assert!(size % unit == 0, "medium sizes count in units");
            let e = info.recip as u64 * divisor - (1 << 32);
            assert!((span / divisor) * e < info.recip as u64, "exact start check");
            let largest = (span / divisor) * e + (divisor - 1) * info.recip as u64;
            assert!(largest <= u32::MAX as u64, "the low half holds every remainder");
            assert!(info.run as usize == run_pages(size, Self::PAGE), "the run fits its field");
            assert!((info.run == 1) == (size <= Self::SMALL_MAX));
            assert!(info.run <= 8, "a slab holds no more of the address space");
            assert!(info.slots as usize == bytes / size, "the slots fit their field");
            assert!(info.words as usize == bytes.div_ceil(size).div_ceil(WORD_BITS), "the words fit their field");
            assert!(info.words as usize <= MOST_WORDS);
            assert!(info.run == 1 || info.slots < 16, "one mask of soiled slots, and what is left over");
            assert!(info.slots >= 2 && info.slots as usize <= MOST_WORDS * WORD_BITS);
            let left_over = bytes - info.slots as usize * size;
            let part = if info.run == 1 { 5 } else { 8 };
            assert!(
                Self::PAGE < HOSTED_PAGE || left_over * part <= bytes,
                "a fifth at most, of several pages an eighth"
            );
            index += 1;
        }
    }
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
            assert!(index_of_fine(least) == index && index_of_fine(size) == index);
        } else {
            assert!(index_of_coarse(least) == index && index_of_coarse(size) == index);
        }
        index += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    fn every_offset<const SHIFT: u32>() {
        for index in 0..Geometry::<SHIFT>::CLASSES {
            let class = Class::nth(index);
            let info = Geometry::<SHIFT>::info(class);
            let size = info.size as usize;
            for offset in 0..usize::from(info.run) << SHIFT {
                let starts = offset % size == 0 && offset / size < usize::from(info.slots);
                let expected = starts.then_some(offset / size);
                assert_eq!(Geometry::<SHIFT>::slot_of(class, offset), expected, "{class:?}");
            }
        }
    }

    /// Every size and alignment against a search.
    fn every_size<const SHIFT: u32>() {
        let classes = || (0..Geometry::<SHIFT>::CLASSES).map(Class::nth);
        for size in 0..=Geometry::<SHIFT>::SLAB_MAX {
            let class = Geometry::<SHIFT>::class_of_aligned(size, 1).expect("slabs serve it");
            assert_eq!(class.index(), index_by_search(if size == 0 { GRANULE } else { size }), "{size} bytes");
            for align in [MIN_ALIGN, GRANULE].into_iter().filter(|_| size <= Geometry::<SHIFT>::TABLE_MAX) {
                let least = Geometry::<SHIFT>::class_of_aligned(size, align);
                assert_eq!(Some(Geometry::<SHIFT>::class_by_table(size, align)), least, "{size} bytes");
            }
            let part = if size <= FINE_MAX { 8 } else { 4 };
            assert!(size < 128 || (class.size() - size) * part <= size, "waste at {size}");
        }
        for align in (0..=SHIFT).map(|shift| 1 << shift) {
            for size in (0..=Geometry::<SHIFT>::SLAB_MAX + 1).filter(|size| size % 97 == 0 || (size + 1) % align <= 2) {
                let fits = |class: &Class| {
                    class.size() >= (if size == 0 { GRANULE } else { size }) && class.size() % align == 0
                };
                let found = Geometry::<SHIFT>::class_of_aligned(size, align);
                assert_eq!(found, classes().find(fits), "{size} bytes at {align}");
            }
        }
    }

    #[test]
    fn one_multiplication_tells_slot_and_start() {
        every_offset::<16>();
        every_offset::<14>();
        every_offset::<13>();
        every_offset::<9>();
    }

    #[test]
    fn every_size_gets_the_smallest_class_that_holds_it_and_is_aligned() {
        every_size::<16>();
        every_size::<14>();
        every_size::<12>();
        every_size::<9>();
    }

    #[test]
    fn no_slab_serves_larger_alignments_than_a_page() {
        assert!(Geometry::<16>::class_of_aligned(1, 128 * 1024).is_none());
    }
}
