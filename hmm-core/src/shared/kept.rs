//! Large blocks that a thread freed and may soon want again.
//!
//! ```text
//!   owner   kept: | 4 pages @ 17 | 64 pages @ 100 | – | – |      licence: 96 pages
//!   heap    room: what is left of KEEP for all threads' licences
//! ```
//!
//! A program that takes and frees the same few buffers over and over needs
//! neither the lock nor the tree of free runs for it. What is kept is resident
//! and free, so there is a bound on it for the whole heap, however many threads
//! sleep on what they keep: each takes out a licence for as many pages as it ever
//! kept at once, and whoever gets none goes the long way.
//!
//! A kept run is of its own kind in the page table: whoever frees the block once
//! more is told, and its neighbours do not merge with it.

use core::cell::Cell;
use core::ptr;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;

use crate::pages::header::{Header, Kind};

/// Bytes that all threads together may keep.
pub(super) const KEEP: usize = 8 * 1024 * 1024;

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

    /// Keeps the large block at `start`, which is freed, if `room`, the pages
    /// left for licences, allows. `Err` if nothing was done, because of that,
    /// or because another thread freed the block meanwhile. If there were too
    /// many, the run to give back for it.
    #[inline]
    pub(super) fn put(&self, room: &AtomicU32, start: *mut u8, header: &Header) -> Result<Option<&Header>, ()> {
        let place = self.runs.iter().find(|run| run.pages.get() == 0).unwrap_or_else(|| {
            let oldest = self.oldest.get();
            self.oldest.set((oldest + 1) % RUNS);
            &self.runs[oldest]
        });
        let pages = header.run();
        let want = self.pages.get() - place.pages.get() + pages;
        if want > self.licence.get() && !self.license(room, want) || !header.change_kind(Kind::Large, Kind::Kept) {
            return Err(());
        }
        let out = place.take().map(|(_, header)| header);
        place.start.set(start);
        place.header.set(header);
        place.pages.set(pages);
        self.pages.set(want);
        Ok(out)
    }

    /// Asks for a licence to keep `want` pages.
    #[cold]
    fn license(&self, room: &AtomicU32, want: u32) -> bool {
        let lacking = want - self.licence.get();
        let taken = room.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(lacking)).is_ok();
        if taken {
            self.licence.set(want);
        }
        taken
    }

    /// All that is kept, not kept any more: the caller gives it back. So goes
    /// the licence.
    pub(super) fn empty(&self, room: &AtomicU32) -> impl Iterator<Item = &Header> {
        self.pages.set(0);
        room.fetch_add(self.licence.take(), Relaxed);
        self.runs.iter().filter_map(Run::take).map(|(_, header)| header)
    }
}
