//! Parts of slabs that hold no live block, to be given back while the rest of
//! the slab is in use.
//!
//! ```text
//!   small slab   | part 0 | part 1 | part 2 | …             16 of a page: 4 KiB each
//!   slots        |a|a| | | | | | |a| | | | | |
//!   soiled           1        1        0                    may hold memory
//!                           └─ wholly free: purged, and not soiled any more
//!
//!   medium slab  |  slot 0  |  slot 1  |  slot 2  | … | left over |      a slot is a part,
//!                                                                       what is left over another
//! ```
//!
//! Only bits tell what is free and nothing lies in free slots, so the system
//! may have any of their memory back. A part is soiled when slots in it are
//! handed out, and by whoever frees a medium slot.

use core::ops::Range;
use core::ptr;

use super::Bits;
use crate::grow::HeapGrow;
use crate::pages::Pages;
use crate::pages::header::Header;
use crate::pages::map::PageMap;
use crate::units::{Class, Geometry, PageNo, Word};

/// Parts of a small slab.
const PARTS: usize = u16::BITS as usize;

/// Bytes of one.
pub(crate) const fn part_bytes<const SHIFT: u32>() -> usize {
    (1 << SHIFT) / PARTS
}

/// All parts of a slab of `class`.
pub(super) fn all<const SHIFT: u32>(class: Class) -> u16 {
    let info = Geometry::<SHIFT>::info(class);
    let slots = usize::from(info.slots);
    let parts = if info.run == 1 { PARTS } else { slots + usize::from(left_over::<SHIFT>(class) > 0) };
    u16::MAX >> (PARTS - parts)
}

/// Bytes behind the last slot of a slab of `class`.
fn left_over<const SHIFT: u32>(class: Class) -> usize {
    let info = Geometry::<SHIFT>::info(class);
    (usize::from(info.run) << SHIFT) - usize::from(info.slots) * info.size as usize
}

/// The parts of a small slab that the bytes `from..to` of it lie in.
fn parts_of<const SHIFT: u32>(from: usize, to: usize) -> u16 {
    let (first, last) = (from / part_bytes::<SHIFT>(), (to - 1) / part_bytes::<SHIFT>());
    (u16::MAX << first) & (u16::MAX >> (PARTS - 1 - last.min(PARTS - 1)))
}

/// The parts that the slots of `class` lie in, from the first to the last of
/// those in `mask`, which is not 0; the first slot of the word is number `first`.
pub(crate) fn parts_of_slots<const SHIFT: u32>(class: Class, first: usize, mask: Word) -> u16 {
    let size = class.size();
    let low = first + mask.trailing_zeros() as usize;
    let high = first + (mask | 1).ilog2() as usize;
    parts_of::<SHIFT>(low * size, (high + 1) * size)
}

/// The stretches of ones in `mask`.
fn stretches(mut mask: u16) -> impl Iterator<Item = Range<usize>> {
    core::iter::from_fn(move || {
        if mask == 0 {
            return None;
        }
        let start = mask.trailing_zeros();
        let end = start + (mask >> start).trailing_ones();
        mask &= u16::MAX.checked_shl(end).unwrap_or(0);
        Some(start as usize..end as usize)
    })
}

/// A stretch of parts without a live block that may hold memory.
struct Stretch {
    parts: u16,
    /// What of the slab it takes up, and the whole pages of the system's in that.
    bytes: Range<usize>,
    whole: Range<usize>,
}

/// What of a slab could be given back, in pages of `os_page` bytes.
fn purgeable<const SHIFT: u32>(header: &Header, bits: &Bits<'_>, os_page: usize) -> impl Iterator<Item = Stretch> {
    let info = Geometry::<SHIFT>::info(header.class());
    let (slots, run) = (usize::from(info.slots), usize::from(info.run) << SHIFT);
    let soiled = header.soiled();
    let (size, free) = match info.run {
        _ if Geometry::<SHIFT>::PAGE % os_page != 0 => (1, 0),
        1 => {
            let free = free_among::<SHIFT>(header, bits, soiled) | !soiled;
            (part_bytes::<SHIFT>(), in_groups(free, os_page / part_bytes::<SHIFT>()))
        }
        // What is left over behind the last slot is free in any case.
        _ => (info.size as usize, (bits.free_in(0, slots) & Word::from(u16::MAX)) as u16 | 1 << slots),
    };
    stretches(if free & soiled != 0 { free } else { 0 }).filter_map(move |stretch| {
        let parts = (u16::MAX >> (PARTS - stretch.len())) << stretch.start;
        let bytes = stretch.start * size..(stretch.end * size).min(run);
        let whole = bytes.start.next_multiple_of(os_page)..bytes.end / os_page * os_page;
        (soiled & parts != 0 && !whole.is_empty()).then_some(Stretch { parts, bytes, whole })
    })
}

/// Those of `free` that make up whole pages of the system's, each of which takes `unit` parts.
fn in_groups(free: u16, unit: usize) -> u16 {
    if unit <= 1 {
        return free;
    }
    let groups = (0..PARTS).step_by(unit).map(|at| (u16::MAX >> PARTS.saturating_sub(unit)) << at);
    groups.filter(|&group| free & group == group).fold(0, |all, group| all | group)
}

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// Gives back the memory of the wholly free parts of the slab at `page`,
    /// which is the caller's, and of which no block is remembered. Returns how
    /// many bytes that are.
    pub(crate) fn purge_parts(&mut self, map: &PageMap<SHIFT>, page: PageNo, bits: &Bits<'_>) -> usize {
        let header = map.header(page);
        let before = soiled_bytes::<SHIFT>(header);
        let start = map.address(page);
        for Stretch { parts, bytes, whole } in purgeable::<SHIFT>(header, bits, self.grow().os_page()) {
            // SAFETY: whole pages of parts of a slab of the caller's that hold no block.
            if !unsafe { self.purge_bytes(map, page, whole.clone()) } {
                continue;
            }
            // What is left of free medium slots on a page of the system's that a live one shares
            // is zeroed by hand.
            for edge in [bytes.start..whole.start, whole.end..bytes.end] {
                // SAFETY: the bytes are those of free slots of a slab of the
                // caller's.
                unsafe { ptr::write_bytes(start.wrapping_add(edge.start), 0, edge.len()) };
            }
            header.unsoil(parts);
        }
        before.saturating_sub(soiled_bytes::<SHIFT>(header))
    }
}

/// The parts of a small slab in which no slot is in use.
pub(crate) fn free_parts<const SHIFT: u32>(header: &Header, bits: &Bits<'_>) -> u16 {
    free_among::<SHIFT>(header, bits, u16::MAX)
}

/// As [`free_parts`], among `parts`.
fn free_among<const SHIFT: u32>(header: &Header, bits: &Bits<'_>, parts: u16) -> u16 {
    let info = Geometry::<SHIFT>::info(header.class());
    let (size, slots) = (info.size as usize, usize::from(info.slots));
    // As in `Geometry::slot_of`: there are two divisions a part.
    let over_size = |bytes: usize| ((bytes as u64 * u64::from(info.recip)) >> 32) as usize;
    let bytes = part_bytes::<SHIFT>();
    let (mut left, mut free) = (parts, 0);
    while left != 0 {
        let part = left.trailing_zeros() as usize;
        left &= left - 1;
        let (first, end) = (over_size(part * bytes), over_size((part + 1) * bytes + size - 1).min(slots));
        if bits.are_free(first, end) {
            free |= 1 << part;
        }
    }
    free
}

/// Bytes of a slab that could be given back, in pages of `os_page` bytes.
pub(crate) fn whole_bytes<const SHIFT: u32>(header: &Header, bits: &Bits<'_>, os_page: usize) -> usize {
    // Mostly each free part can go by itself.
    if os_page <= part_bytes::<SHIFT>() && !Geometry::<SHIFT>::is_medium(header.class()) {
        return free_among::<SHIFT>(header, bits, header.soiled()).count_ones() as usize * part_bytes::<SHIFT>();
    }
    let parts = purgeable::<SHIFT>(header, bits, os_page).fold(0, |parts, stretch| parts | stretch.parts);
    bytes_of::<SHIFT>(header.class(), parts & header.soiled())
}

/// Bytes of the parts that `slots` of a slab lie in, of those that may hold memory and in which
/// no slot is in use.
pub(crate) fn whole_around<const SHIFT: u32>(header: &Header, bits: &Bits<'_>, slots: Range<usize>) -> usize {
    let class = header.class();
    let size = class.size();
    if Geometry::<SHIFT>::is_medium(class) {
        let free = bits.free_in(0, slots.end) & Word::MAX << slots.start & Word::from(header.soiled());
        return free.count_ones() as usize * size;
    }
    let parts = parts_of::<SHIFT>(slots.start * size, slots.end * size) & header.soiled();
    free_among::<SHIFT>(header, bits, parts).count_ones() as usize * part_bytes::<SHIFT>()
}

/// Bytes of the parts of a slab that may hold memory.
pub(crate) fn soiled_bytes<const SHIFT: u32>(header: &Header) -> usize {
    bytes_of::<SHIFT>(header.class(), header.soiled())
}

/// Bytes of `parts` of a slab of `class`.
fn bytes_of<const SHIFT: u32>(class: Class, parts: u16) -> usize {
    if !Geometry::<SHIFT>::is_medium(class) {
        return parts.count_ones() as usize * part_bytes::<SHIFT>();
    }
    let behind = 1 << Geometry::<SHIFT>::info(class).slots;
    let left_over = if parts & behind != 0 { left_over::<SHIFT>(class) } else { 0 };
    (parts & (behind - 1)).count_ones() as usize * class.size() + left_over
}

/// Bytes of free slots of a slab; all of them, and those that may hold memory.
pub(crate) fn free_bytes<const SHIFT: u32>(header: &Header, bits: &Bits<'_>) -> (usize, usize) {
    let info = Geometry::<SHIFT>::info(header.class());
    let (size, slots) = (info.size as usize, usize::from(info.slots));
    let all = bits.count_free(slots) * size;
    if info.run > 1 {
        let soiled = bits.free_in(0, slots) & Word::from(header.soiled());
        return (all, soiled.count_ones() as usize * size);
    }
    // The other parts are all free (I11).
    let others = (1 << SHIFT) - soiled_bytes::<SHIFT>(header);
    (all, all.saturating_sub(others))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::pair::BitPair;
    use crate::units::{HOSTED_SHIFT, MOST_WORDS, WORD_BITS};

    #[test]
    fn a_part_is_free_if_no_slot_in_it_is_in_use() {
        const SHIFT: u32 = HOSTED_SHIFT;
        let (header, pairs) = (Header::default(), [(); MOST_WORDS].map(|()| BitPair::default()));
        for class in (0..Class::ALL).map(Class::nth).filter(|&class| !Geometry::<SHIFT>::is_medium(class)) {
            let info = Geometry::<SHIFT>::info(class);
            let (size, slots) = (info.size as usize, usize::from(info.slots));
            header.set_slab(class, info.recip, pairs.as_ptr(), false);
            let bits = Bits::new(&header, usize::from(info.words));
            for step in [1, 2, 3, 7, 50, 128, 300, 1000, slots] {
                bits.fill();
                let mut held = 0;
                for slot in (step / 2..slots).step_by(step) {
                    bits.pair(slot / WORD_BITS).take(1 << (slot % WORD_BITS));
                    held |= parts_of::<SHIFT>(slot * size, (slot + 1) * size);
                }
                for parts in [u16::MAX, 0x0ff0, 0x8421, 0] {
                    assert_eq!(
                        free_among::<SHIFT>(&header, &bits, parts),
                        parts & !held,
                        "{size} bytes, each {step}th"
                    );
                }
            }
        }
    }

    #[test]
    fn pages_of_the_systems_take_several_parts_where_they_are_larger() {
        let free = 0b1111_1110_0110_1111;
        let groups = [(0, free), (1, free), (2, 0b1111_1100_0000_1111), (4, 0b1111_0000_0000_1111), (16, 0)];
        for (unit, whole) in groups {
            assert_eq!(in_groups(free, unit), whole, "pages of {unit} parts");
        }
        assert_eq!(in_groups(u16::MAX, 16), u16::MAX);
    }
}
