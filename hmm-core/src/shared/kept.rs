//! Large blocks that a thread freed and may soon want again.
//!
//! ```text
//!   owner   kept: | 4 pages @ 17 | 64 pages @ 100 | – | – |      licence: 96 pages
//!   heap    the bound on free memory (`pages/keep`), which the licences are part of
//! ```
//!
//! A program that takes and frees the same few buffers over and over needs
//! neither the lock nor the tree of free runs for it. What is kept is resident
//! and free, so it counts for the heap's bound on that, however many threads
//! sleep on what they keep: each takes out a licence for as many pages as it ever
//! kept at once, and whoever gets none goes the long way.
//!
//! A kept run is of its own kind in the page table: whoever frees the block once
//! more is told, and its neighbours do not merge with it.

use core::cell::Cell;
use core::ptr;

use crate::pages::header::{Header, Kind};

/// Runs that one thread keeps at most.
const RUNS: usize = 4;

/// One run, none if it has no pages.
#[derive(Debug)]
struct Run {
    pages: Cell<u32>,
    start: Cell<*mut u8>,
    header: Cell<*const Header>,
}

/// What one owner keeps.
#[derive(Debug)]
pub(super) struct Kept {
    runs: [Run; RUNS],
    /// The place of the run that has to go when there are too many.
    oldest: Cell<usize>,
    pages: Cell<u32>,
    licence: Cell<u32>,
}

impl Run {
    const fn new() -> Self {
        Self { pages: Cell::new(0), start: Cell::new(ptr::null_mut()), header: Cell::new(ptr::null()) }
    }

    /// Takes the run out of its place.
    fn take(&self) -> Option<(*mut u8, &Header)> {
        if self.pages.take() == 0 {
            return None;
        }
        // SAFETY: headers are never unmapped.
        Some((self.start.get(), unsafe { &*self.header.get() }))
    }
}

impl Kept {
    pub(super) const fn new() -> Self {
        Self { runs: [const { Run::new() }; RUNS], oldest: Cell::new(0), pages: Cell::new(0), licence: Cell::new(0) }
    }

    /// A kept run of `pages` pages (not 0), a large block once more.
    #[inline]
    pub(super) fn take(&self, pages: u32) -> Option<(*mut u8, &Header)> {
        let run = self.runs.iter().find(|run| run.pages.get() == pages)?;
        let (start, header) = run.take()?;
        self.pages.set(self.pages.get() - pages);
        header.set_kind(Kind::Large);
        Some((start, header))
    }

    /// Keeps the large block at `start`, which is freed, if `license`, asked for
    /// more pages, allows. `Err` if nothing was done, because of that, or
    /// because another thread freed the block meanwhile. If there were too
    /// many, the run to give back for it.
    #[inline]
    pub(super) fn put(
        &self,
        license: impl FnOnce(u32) -> bool,
        start: *mut u8,
        header: &Header,
    ) -> Result<Option<&Header>, ()> {
        let place = self.runs.iter().find(|run| run.pages.get() == 0).unwrap_or_else(|| {
            let oldest = self.oldest.get();
            self.oldest.set((oldest + 1) % RUNS);
            &self.runs[oldest]
        });
        let pages = header.run();
        let want = self.pages.get() - place.pages.get() + pages;
        if want > self.licence.get() {
            if !license(want - self.licence.get()) {
                return Err(());
            }
            self.licence.set(want);
        }
        if !header.change_kind(Kind::Large, Kind::Kept) {
            return Err(());
        }
        let out = place.take().map(|(_, header)| header);
        place.start.set(start);
        place.header.set(header);
        place.pages.set(pages);
        self.pages.set(want);
        Ok(out)
    }

    /// The pages of the licence, which ends.
    pub(super) fn end_licence(&self) -> u32 {
        self.licence.take()
    }

    /// All that is kept, not kept any more: the caller gives it back.
    pub(super) fn empty(&self) -> impl Iterator<Item = &Header> {
        self.pages.set(0);
        self.runs.iter().filter_map(Run::take).map(|(_, header)| header)
    }
}
