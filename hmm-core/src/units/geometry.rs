//! What follows from a heap's page size: which of the classes it uses, and what its slabs look like.
//!
//! ```text
//!   class │ size │ slots of a slab │ words of its bitmap │ pages of it │ reciprocal: offset → slot
//! ```

use super::class::{ALL, Class, FINE_MAX, SIZE_MAX};
use super::{GRANULE, HOSTED_SHIFT, MIN_ALIGN, MOST_WORDS, WORD_BITS};

/// Of a table with an entry for each class, so many that any index finds one: nothing
/// to check, and no panic inside `malloc`.
const ENTRIES: usize = ALL.next_power_of_two();

/// The classes of the sizes up to some multiple of [`GRANULE`] and of [`MIN_ALIGN`] less.
type Pair = [Class; 2];

/// A table whose entry number `(size + 15) / 16` has the class of `size` at [`GRANULE`]; of no bytes, that of one
/// there.
const fn table<const ENTRIES: usize>() -> [Pair; ENTRIES] {
    let mut table = [[Class::by_search(GRANULE); 2]; ENTRIES];
    let mut unit = 1;
    while unit < ENTRIES {
        let size = unit * GRANULE;
        table[unit] = [Class::by_search(size - MIN_ALIGN), Class::by_search(size)];
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
        let size = Class::nth(index).size();
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
        if is_fine { Class::fine(size) } else { Class::coarse(size) }
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
        assert!(SHIFT <= HOSTED_SHIFT, "where words have 32 bits, pages are of 16 KiB at most");
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
            assert_eq!(class, Class::by_search(if size == 0 { GRANULE } else { size }), "{size} bytes");
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
        every_offset::<HOSTED_SHIFT>();
        every_offset::<14>();
        every_offset::<13>();
        every_offset::<9>();
    }

    #[test]
    fn every_size_gets_the_smallest_class_that_holds_it_and_is_aligned() {
        every_size::<HOSTED_SHIFT>();
        every_size::<14>();
        every_size::<12>();
        every_size::<9>();
    }

    #[test]
    fn no_slab_serves_larger_alignments_than_a_page() {
        assert!(Geometry::<HOSTED_SHIFT>::class_of_aligned(1, 2 << HOSTED_SHIFT).is_none());
    }
}
