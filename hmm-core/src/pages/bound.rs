//! The bound on free memory, held: the books ([`Keep`]) are told what comes and goes, and
//! what free runs hold beyond it goes back.
//!
//! ```text
//!   runs are freed, taken ───────┐
//!   threads want to keep more ───┼──► keep: what may stay ──► purge, longest runs first
//!   slabs gave back, refilled ───┘
//! ```

use super::Pages;
use super::keep::Keep;
use super::map::PageMap;
use crate::grow::HeapGrow;

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// Pages that are purged at a time where so many are free.
    const BATCH: usize = 8;

    /// How much free memory is kept.
    pub(crate) fn keep(&mut self) -> &mut Keep<SHIFT> {
        &mut self.keep
    }

    /// Purges what free runs hold beyond what may be kept, the longest runs
    /// first: those are the least likely to be taken soon, and the cheapest by
    /// the page.
    pub(super) fn keep_within(&mut self, map: &PageMap<SHIFT>) {
        let room = self.keep.room(self.used_bytes());
        self.keep.keeps(self.free.dirty());
        if self.free.dirty() <= room || self.is_within_bound() {
            return;
        }
        // A good deal at a time: each call costs as much as a few pages do.
        let target = room - (room / 16).max((room / 4).min(Self::BATCH));
        let mut given = 0;
        while let Some(run) = self.free.longest_holding(map).filter(|_| self.free.dirty() > target) {
            let gone = self.purge_free(map, run, (self.free.dirty() - target) as u32);
            if gone == 0 {
                break;
            }
            given += gone;
        }
        self.keep.gave((given as usize) << SHIFT, self.free.dirty());
    }

    /// Bounds what is free and kept to `bytes`; with `None` to what the rule
    /// says.
    pub(crate) fn keep_free(&mut self, map: &PageMap<SHIFT>, bytes: Option<usize>) {
        self.keep.set(bytes);
        self.keep_within(map);
    }

    /// Whether all that the heap holds, free or not, is within the bound.
    fn is_within_bound(&self) -> bool {
        self.keep.covers(self.all_bytes())
    }

    /// Whether `bytes` more free bytes may be kept.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.free.dirty() + (bytes >> SHIFT) <= self.keep.room(self.used_bytes())
    }

    /// Licenses a thread to keep `bytes` more, if there is room, at the cost of
    /// free runs.
    pub(crate) fn license(&mut self, map: &PageMap<SHIFT>, bytes: usize) -> bool {
        let is_within_rule = self.keep.covers_by_rule(self.all_bytes());
        let granted = self.keep.license(self.used_bytes(), bytes, is_within_rule, self.grow.limit());
        if granted {
            self.keep_within(map);
        }
        granted
    }

    /// As [`license`](Self::license), for large blocks.
    pub(crate) fn license_kept(&mut self, map: &PageMap<SHIFT>, bytes: usize) -> bool {
        let granted = self.keep.license_kept(self.used_bytes(), bytes, self.grow.limit());
        if granted {
            self.keep_within(map);
        }
        granted
    }

    /// How much more is licensed inside slabs than may be by now.
    pub(crate) fn licensed_beyond(&self) -> usize {
        self.keep.licensed_beyond(self.used_bytes())
    }

    /// Takes back a licence for `bytes` bytes of large blocks.
    pub(crate) fn return_kept(&mut self, bytes: usize) {
        self.keep.return_kept(bytes);
    }

    /// `bytes` bytes passed through slabs: less may be worth keeping
    /// now. Whether no more is licensed than may be kept.
    pub(crate) fn pass(&mut self, map: &PageMap<SHIFT>, bytes: usize) -> bool {
        let used = self.used_bytes();
        self.keep.freed(bytes, used);
        self.keep_within(map);
        let is_covered = self.keep.is_covered(used) || self.keep.covers_by_rule(self.all_bytes());
        is_covered && self.keep.keeps_little_inside(self.grow.limit(), 0)
    }

    /// As [`pass`](Self::pass), of large blocks that threads keep.
    pub(crate) fn pass_kept(&mut self, map: &PageMap<SHIFT>, bytes: usize) -> bool {
        self.pass(map, bytes) && self.keep.keeps_little_large(self.grow.limit(), 0)
    }

    /// Most threads have ended: what they took and freed is no swing of those that stay. Says
    /// whether there were many.
    pub(crate) fn end_crowd(&mut self, map: &PageMap<SHIFT>) -> bool {
        let ends = self.keep.end_crowd(self.used_bytes());
        if ends {
            self.keep_within(map);
        }
        ends
    }

    /// Somebody gave back `bytes` bytes inside slabs, and a licence for
    /// `licence` bytes; of the slabs' pages, `hollow[0]` bytes hold no memory now,
    /// where it were `hollow[1]` before.
    pub(crate) fn gave_parts(&mut self, bytes: usize, licence: usize, hollow: [usize; 2]) {
        // Threads may come out of order.
        self.hollow = self.hollow.wrapping_add(hollow[0]).wrapping_sub(hollow[1]);
        self.lacking = 0;
        self.keep.gave_inside(licence, bytes, self.hollow, self.free.dirty());
    }

    /// So many bytes that slabs' pages lacked of memory they lack no more, or are gone with them.
    pub(crate) fn fill(&mut self, bytes: usize) {
        self.hollow = self.hollow.wrapping_sub(bytes);
    }

    /// `bytes` bytes that held no memory were taken, as pages.
    pub(crate) fn took(&mut self, bytes: usize) {
        self.keep.keeps(self.free.dirty());
        self.keep.took(bytes, self.used_bytes(), self.free.dirty());
    }

    /// `bytes` bytes inside slabs, which had gone back, were taken again.
    pub(crate) fn took_parts(&mut self, bytes: usize) {
        self.keep.keeps(self.free.dirty());
        self.keep.took_inside(bytes, self.used_bytes(), self.free.dirty());
    }

    /// A medium slab goes back, and `bytes` bytes of it lack memory, though its pages count as dirty.
    pub(crate) fn gave_lacking(&mut self, bytes: usize) {
        self.lacking = self.lacking.saturating_add(bytes);
    }

    /// `bytes` bytes of dirty pages were taken for a medium slab. What went back from inside such
    /// slabs, and then with them, is taken again so: where most of a slab's slots are free, it is soon
    /// one that is free as a whole.
    pub(crate) fn took_lacking(&mut self, bytes: usize) {
        let again = bytes.min(self.lacking);
        self.lacking -= again;
        if again > 0 {
            self.took_parts(again);
        }
    }

    /// Bytes that went back by the rule so far; wraps.
    pub(crate) fn gone(&self) -> usize {
        self.keep.gone()
    }

    /// Bytes of pages in use that hold memory, as far as is known.
    pub(super) fn used_bytes(&self) -> usize {
        (self.used_pages() << SHIFT).saturating_sub(self.hollow)
    }

    /// Bytes of pages in use, and of free ones that may hold memory.
    fn all_bytes(&self) -> usize {
        (self.used_pages() + self.free.dirty()) << SHIFT
    }
}
