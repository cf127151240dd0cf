//! The backend's limit: what the heap holds stays within it.
//!
//! ```text
//!   held │ pages in use | dirty free pages | tables │   ≤ the limit
//!                         └ purged where more is wanted
//! ```
//!
//! Where nothing can be purged, what is added counts at once; and what was held before a
//! limit was lowered stays.

use super::Pages;
use super::map::PageMap;
use crate::grow::HeapGrow;

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// Bytes that the heap holds: pages in use, dirty free ones, and tables.
    pub(crate) fn held(&self) -> usize {
        ((self.used_pages() - self.moving + self.free.dirty()) << SHIFT) + self.meta.bytes()
    }

    /// Whether the backend's limit lets the heap hold `pages` more pages in use,
    /// when nothing else is free and dirty.
    pub(super) fn may_hold(&self, pages: u32) -> bool {
        let used = self.used_pages() - self.moving + pages as usize;
        used.checked_mul(Self::PAGE).is_some_and(|bytes| bytes.saturating_add(self.meta.bytes()) <= self.grow.limit())
    }

    /// Whether `pages` pages more from the backend would be within the limit: where it cannot purge and
    /// what it hands out is not zero, they are held at once.
    pub(super) fn may_add(&mut self, map: &PageMap<SHIFT>, pages: u32) -> bool {
        self.shed(map, (pages as usize) << SHIFT)
    }

    /// Whether the heap is within its limit, or holds no more than the `before` bytes that it held anyway: they may be
    /// more after the limit was lowered, and stay so where nothing can be purged.
    pub(super) fn keeps_limit(&mut self, map: &PageMap<SHIFT>, before: usize) -> bool {
        self.shed(map, 0) || self.held() <= before
    }

    /// Bytes of tables more that it may hold; free pages make room for a chunk.
    pub(super) fn room_for_meta(&mut self, map: &PageMap<SHIFT>) -> usize {
        self.shed(map, Self::META_CHUNK);
        self.grow.limit().saturating_sub(self.held())
    }

    /// Purges as many free pages as it takes for the heap to hold `more` bytes more
    /// and stay within the backend's limit. Says whether it would.
    pub(super) fn shed(&mut self, map: &PageMap<SHIFT>, more: usize) -> bool {
        loop {
            let would = self.held().saturating_add(more);
            let excess = would.saturating_sub(self.grow.limit()).div_ceil(Self::PAGE);
            if excess == 0 {
                return true;
            }
            let Some(run) = self.free.longest_holding(map) else { return false };
            if self.purge_free(map, run, excess as u32) == 0 {
                return false;
            }
        }
    }

    /// Gives back what is free at the top if the heap holds more than its limit: what was added for nothing, and
    /// cannot be purged, must not count for ever.
    pub(super) fn lower_if_over(&mut self, map: &PageMap<SHIFT>) {
        let is_over = self.held() > self.grow.limit();
        if let Some(top) = self.free_top(map, self.tip).filter(|_| is_over) {
            self.lower(map, self.tip, top, 0);
        }
    }
}
