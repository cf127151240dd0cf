//! The free runs, in two sets: those that hold memory and those that do not.
//!
//! ```text
//!   holding:  runs with dirty pages, some or all      purged, longest first
//!   bare:     runs without one: addresses only        never looked at for that
//! ```
//!
//! A run's head tells how many of its pages are dirty. What holds memory is taken
//! first, the best fit: addresses cost next to nothing, memory and page faults do.

use super::map::PageMap;
use super::tree::RunTree;
use crate::units::PageNo;

/// All free runs of a heap.
#[derive(Debug)]
pub(super) struct FreeRuns {
    holding: RunTree,
    bare: RunTree,
    /// Pages in all runs.
    pages: usize,
    /// Those that may hold memory.
    dirty: usize,
}

impl FreeRuns {
    pub(super) const fn new() -> Self {
        Self { holding: RunTree::new(), bare: RunTree::new(), pages: 0, dirty: 0 }
    }

    /// Pages in free runs.
    pub(super) fn pages(&self) -> usize {
        self.pages
    }

    /// Pages in free runs that may hold memory.
    pub(super) fn dirty(&self) -> usize {
        self.dirty
    }

    fn of(&self, dirty: u32) -> &RunTree {
        if dirty > 0 { &self.holding } else { &self.bare }
    }

    /// Enters the run that begins at `page`, whose header tells its length and
    /// its dirty pages.
    pub(super) fn insert<const SHIFT: u32>(&mut self, map: &PageMap<SHIFT>, page: PageNo) {
        let header = map.header(page);
        let dirty = header.dirty_pages();
        self.of(dirty).insert(map, page);
        self.pages += header.run() as usize;
        self.dirty += dirty as usize;
    }

    /// Takes out the run that begins at `page`, one of these.
    pub(super) fn remove<const SHIFT: u32>(&mut self, map: &PageMap<SHIFT>, page: PageNo) {
        let header = map.header(page);
        let dirty = header.dirty_pages();
        self.of(dirty).remove(map, page);
        self.pages -= header.run() as usize;
        self.dirty -= dirty as usize;
    }

    /// The shortest run of at least `pages` pages of those that hold memory, or,
    /// if there is none, of the others; the lowest of equally long ones.
    pub(super) fn best_fit<const SHIFT: u32>(&self, map: &PageMap<SHIFT>, pages: u32) -> Option<PageNo> {
        self.holding.best_fit(map, pages).or_else(|| self.bare.best_fit(map, pages))
    }

    /// The shortest run of at least `pages` pages of those that hold memory.
    pub(super) fn best_holding<const SHIFT: u32>(&self, map: &PageMap<SHIFT>, pages: u32) -> Option<PageNo> {
        self.holding.best_fit(map, pages)
    }

    /// The longest run that holds memory.
    pub(super) fn longest_holding<const SHIFT: u32>(&self, map: &PageMap<SHIFT>) -> Option<PageNo> {
        self.holding.longest(map)
    }

    /// The length of the longest run in pages.
    pub(super) fn longest<const SHIFT: u32>(&self, map: &PageMap<SHIFT>) -> u32 {
        let length = |run: Option<PageNo>| run.map_or(0, |run| map.header(run).run());
        length(self.holding.longest(map)).max(length(self.bare.longest(map)))
    }

    /// How many runs can be found: for the validator.
    pub(super) fn count<const SHIFT: u32>(&self, map: &PageMap<SHIFT>) -> usize {
        self.holding.count(map) + self.bare.count(map)
    }

    /// Whether the run that begins at `page` can be found.
    pub(super) fn holds<const SHIFT: u32>(&self, map: &PageMap<SHIFT>, page: PageNo) -> bool {
        self.of(map.header(page).dirty_pages()).holds(map, page)
    }
}
