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

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// Gives back the memory of the wholly free parts of the slab at `page`,
    /// which is the caller's, and of which no block is remembered. Returns how
    /// many bytes that are.
    pub(crate) fn purge_parts(&mut self, map: &PageMap<SHIFT>, page: PageNo, bits: &Bits<'_>) -> usize {
        let header = map.header(page);
        let before = soiled_bytes::<SHIFT>(header);
        if before > 0 {
            match Geometry::<SHIFT>::is_medium(header.class()) {
                true => self.purge_slots(map, page, header, bits),
                false => self.purge_small(map, page, header, bits),
            }
        }
        before.saturating_sub(soiled_bytes::<SHIFT>(header))
    }

    fn purge_small(&mut self, map: &PageMap<SHIFT>, page: PageNo, header: &Header, bits: &Bits<'_>) {
        let soiled = header.soiled();
        let unit = (self.grow().os_page() / part_bytes::<SHIFT>()).max(1);
        if unit > PARTS {
            return;
        }
        let free = free_parts::<SHIFT>(header, bits) | !soiled;
        // Whole pages of the system's, where those are larger than a part.
        let group = u16::MAX >> (PARTS - unit);
        let whole = (0..PARTS).step_by(unit).map(|at| group << at).filter(|&group| free & group == group);
        let whole = whole.fold(0, |all, group| all | group);
        for stretch in stretches(whole) {
            let mask = (u16::MAX >> (PARTS - stretch.len())) << stretch.start;
            let bytes = part_bytes::<SHIFT>();
            if soiled & mask != 0 && self.purge_bytes(map, page, stretch.start * bytes..stretch.end * bytes) {
                header.unsoil(mask);
            }
        }
    }

    /// As `purge_small`, of a medium slab: what is left of free slots on a page
    /// of the system's that a live one shares is zeroed by hand.
    fn purge_slots(&mut self, map: &PageMap<SHIFT>, page: PageNo, header: &Header, bits: &Bits<'_>) {
        let size = header.class().size();
        let slots = usize::from(Geometry::<SHIFT>::info(header.class()).slots);
        // What is left over behind the last slot is free in any case.
        let free = (bits.free_in(0, slots) & Word::from(u16::MAX)) as u16 | 1 << slots;
        let bytes = (header.run() as usize) << SHIFT;
        let os_page = self.grow().os_page();
        if Geometry::<SHIFT>::PAGE % os_page != 0 {
            return;
        }
        let start = map.address(page);
        for stretch in stretches(free) {
            let mask = (u16::MAX >> (PARTS - stretch.len())) << stretch.start;
            let (from, to) = (stretch.start * size, (stretch.end * size).min(bytes));
            let (low, high) = (from.next_multiple_of(os_page), to / os_page * os_page);
            if header.soiled() & mask == 0 || low >= high || !self.purge_bytes(map, page, low..high) {
                continue;
            }
            for edge in [from..low, high..to] {
                // SAFETY: the bytes are those of free slots of a slab of the
                // caller's.
                unsafe { ptr::write_bytes(start.wrapping_add(edge.start), 0, edge.len()) };
            }
            header.unsoil(mask);
        }
    }
}

/// The parts of a small slab in which no slot is in use.
pub(crate) fn free_parts<const SHIFT: u32>(header: &Header, bits: &Bits<'_>) -> u16 {
    let info = Geometry::<SHIFT>::info(header.class());
    let (size, slots) = (info.size as usize, usize::from(info.slots));
    // As in `Geometry::slot_of`: there are two divisions a part.
    let over_size = |bytes: usize| ((bytes as u64 * u64::from(info.recip)) >> 32) as usize;
    let bytes = part_bytes::<SHIFT>();
    let is_free = |&part: &usize| {
        let (first, end) = (over_size(part * bytes), over_size((part + 1) * bytes + size - 1));
        bits.are_free(first, end.min(slots))
    };
    (0..PARTS).filter(is_free).fold(0, |mask, part| mask | 1 << part)
}

/// Bytes of the parts of a slab that may hold memory.
pub(crate) fn soiled_bytes<const SHIFT: u32>(header: &Header) -> usize {
    let (class, soiled) = (header.class(), header.soiled());
    if !Geometry::<SHIFT>::is_medium(class) {
        return soiled.count_ones() as usize * part_bytes::<SHIFT>();
    }
    let behind = 1 << Geometry::<SHIFT>::info(class).slots;
    let left_over = if soiled & behind != 0 { left_over::<SHIFT>(class) } else { 0 };
    (soiled & (behind - 1)).count_ones() as usize * class.size() + left_over
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
