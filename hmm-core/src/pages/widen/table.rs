//! The page tables: a range's headers and dirty bits, and how far they are open.
//!
//! ```text
//!   | hdr 1 | hdr 2 | … | hdr 1024 |  closed … | bits | closed … |     addresses for all the room
//!   ◄──────── opened ─────────────►             ◄────►                 memory for what is used
//! ```

use crate::grow::{HeapGrow, Span};
use crate::pages::Pages;
use crate::pages::header::Header;
use crate::pages::map::{MAX_REGIONS, PageMap, Region};
use crate::sync::AtomicUsize;
use crate::units::WORD_BITS;
use core::ptr::NonNull;

/// Bytes of a page table that are opened at a time.
const OPEN_STEP: usize = 64 * 1024;

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// A header table and dirty bits for `room` pages, neither open yet.
    pub(super) fn tables(&mut self, room: u32) -> Option<(*mut Header, *mut AtomicUsize)> {
        let room = room as usize;
        let bits = room.div_ceil(WORD_BITS) * size_of::<AtomicUsize>();
        let bytes = room.checked_mul(size_of::<Header>())?;
        let table = self.grow.meta(bytes.checked_add(bits)?)?.as_ptr();
        Some((table.cast(), table.wrapping_add(bytes).cast()))
    }

    /// Opens the headers and dirty bits of the first `end` pages of a region.
    pub(super) fn open_headers(&mut self, map: &PageMap<SHIFT>, index: usize, region: &Region, end: u32) -> bool {
        let opened = self.opened[index % MAX_REGIONS];
        if end <= opened {
            return true;
        }
        let step = (OPEN_STEP / size_of::<Header>()) as u32;
        let target = end.checked_next_multiple_of(step).unwrap_or(end).min(region.room());
        let words = |pages: u32| (pages as usize).div_ceil(WORD_BITS);
        let headers = (target - opened) as usize * size_of::<Header>();
        let bytes = headers + (words(target) - words(opened)) * size_of::<AtomicUsize>();
        let done = self.shed(map, bytes)
            && self.open_part(region.table(), opened as usize, target as usize)
            && self.open_part(region.dirty(), words(opened), words(target));
        if done {
            self.opened[index % MAX_REGIONS] = target;
            self.meta.count(bytes);
        }
        done
    }

    /// Opens the elements `from..to` of a table.
    fn open_part<T>(&mut self, table: *mut T, from: usize, to: usize) -> bool {
        let bytes = (to - from) * size_of::<T>();
        let start = NonNull::new(table.wrapping_add(from).cast::<u8>());
        start.is_some_and(|start| self.grow.open_meta(start, bytes))
    }

    /// The open parts of a region's tables.
    pub(in crate::pages) fn tables_of(
        &self,
        index: usize,
        region: &Region,
    ) -> impl Iterator<Item = Span> + use<G, SHIFT> {
        let pages = self.opened[index] as usize;
        let words = pages.div_ceil(WORD_BITS);
        let tables =
            [(region.table().cast(), pages * size_of::<Header>()), (region.dirty().cast(), words * size_of::<usize>())];
        tables.into_iter().filter_map(|(start, bytes)| Some(Span { start: NonNull::new(start)?, bytes }))
    }
}
