//! Large blocks that a thread freed and may soon want again.
//!
//! ```text
//!   owner   kept: | 4 pages @ 17 | 64 pages @ 100 | – | – |      licence: 96 pages
//!                    take 3: | 1 page @ 20 |      put it back: | 4 pages @ 17 |
//!   heap    the bound on free memory (`pages/keep`), which the licences are part of
//! ```
//!
//! A program that takes and frees the same few buffers over and over, of ever other
//! sizes perhaps, needs neither the lock nor the tree of free runs for it. What is
//! kept is resident and free, so it counts for the heap's bound on that, however
//! many threads sleep on what they keep: each takes out a licence for as many pages
//! as it kept at once since it last gave a run back unused, and whoever gets none goes the long way.
//!
//! A run is cut where it is longer than what is wanted, and joined with its
//! neighbours when it comes back: only if the thread takes and frees its blocks in
//! turns. Where they live at random, what is left over would seldom be joined, and is not;
//! the best fit is left to the tree, but for an eighth more than is wanted. A kept run is
//! of its own kind in the page table: whoever frees the block once more is told, and
//! nobody else's runs merge with it.

mod run;
#[cfg(test)]
mod tests;

use core::cell::Cell;
use core::ptr;

use self::run::{Run, ends_at, header_at, merge};
use crate::pages::header::{Header, Kind, Mark};

/// Runs that one thread keeps at most.
const RUNS: usize = 4;

/// Pages that passed through the heap are told of when there are so many.
const TOLD: u32 = 1024;

/// What one owner keeps.
#[derive(Debug)]
pub(super) struct Kept {
    runs: [Run; RUNS],
    /// The place of the run that has to go when there are too many.
    oldest: Cell<usize>,
    /// Pages of all runs, and those that may be kept.
    pages: Cell<u32>,
    licence: Cell<u32>,
    /// Pages that were kept since that was last told.
    passed: Cell<u32>,
    /// The blocks taken last, and the place of the last one.
    taken: [Cell<*mut u8>; RUNS],
    last: Cell<usize>,
    /// Whether the block freed last was one of those.
    turns: Cell<bool>,
}

impl Kept {
    pub(super) const fn new() -> Self {
        Self {
            runs: [const { Run::new() }; RUNS],
            oldest: Cell::new(0),
            pages: Cell::new(0),
            licence: Cell::new(0),
            passed: Cell::new(0),
            taken: [const { Cell::new(ptr::null_mut()) }; RUNS],
            last: Cell::new(0),
            turns: Cell::new(false),
        }
    }

    /// Whether the block at `start` is the one that was taken last.
    #[inline]
    fn is_last(&self, start: *mut u8) -> bool {
        ptr::eq(self.taken[self.last.get() % RUNS].get(), start)
    }

    /// The large block at `start` is taken, from here or from elsewhere.
    #[inline]
    pub(super) fn note_taken(&self, start: *mut u8) {
        if !self.is_last(start) {
            let next = (self.last.get() + 1) % RUNS;
            self.last.set(next);
            self.taken[next].set(start);
        }
    }

    /// `pages` more were kept: they have passed through the heap. Returns how many
    /// that makes, if it is worth telling.
    pub(super) fn passed(&self, pages: u32) -> Option<u32> {
        let passed = self.passed.get().saturating_add(pages);
        self.passed.set(if passed < TOLD { passed } else { 0 });
        (passed >= TOLD).then_some(passed)
    }

    /// A run of `pages` pages (not 0) of `1 << shift` bytes, a large block once
    /// more, from the shortest of those kept that has so many, if it fits.
    pub(super) fn take(&self, pages: u32, shift: u32) -> Option<(*mut u8, &Header)> {
        if self.pages.get() < pages {
            return None;
        }
        self.take_first(pages, shift).or_else(|| Some(self.cut(self.shortest(pages)?, pages, shift)))
    }

    /// As [`take`](Self::take), from the first one, if that is as long or may be cut and is the only one.
    #[inline(always)]
    pub(super) fn take_first(&self, pages: u32, shift: u32) -> Option<(*mut u8, &Header)> {
        let first = &self.runs[0];
        let have = first.pages.get();
        let may_be_cut = || have > pages && have == self.pages.get() && self.turns.get();
        if have == pages || may_be_cut() { Some(self.cut(first, pages, shift)) } else { None }
    }

    /// Takes the first `pages` pages of a run that has as many or more.
    #[inline(always)]
    fn cut<'a>(&'a self, run: &'a Run, pages: u32, shift: u32) -> (*mut u8, &'a Header) {
        let (start, header) = (run.start.get(), run.header());
        if self.split(run, pages, shift) {
            header.set_run(pages);
        }
        header.set_kind(Kind::Large);
        self.note_taken(start);
        (start, header)
    }

    /// Leaves what is behind the first `pages` pages of a run that has as many or more in its place. Says whether
    /// there is any.
    #[inline(always)]
    fn split(&self, run: &Run, pages: u32, shift: u32) -> bool {
        let (start, header) = (run.start.get(), run.header());
        let rest = run.pages.get() - pages;
        run.pages.set(0);
        self.pages.set(self.pages.get() - pages);
        if rest > 0 {
            let behind = header_at(ptr::from_ref(header).wrapping_add(pages as usize));
            behind.mark_only_moved(header.is_moved());
            run.set(start.wrapping_add((pages as usize) << shift), behind, rest);
            behind.set_kind(Kind::Kept);
        }
        rest > 0
    }

    /// Whether a run is kept right behind the large block that `header` heads.
    pub(super) fn has_behind(&self, header: &Header) -> bool {
        self.behind(header).is_some()
    }

    fn behind(&self, header: &Header) -> Option<&Run> {
        self.runs.iter().find(|run| run.pages.get() > 0 && ends_at(header, run.header()))
    }

    /// Lengthens the large block that `header` heads to `want` pages by the first of a run that is kept right behind it.
    /// `Err` if there is none; or if it is too short, with that run, which is not kept any more: the caller gives it back.
    pub(super) fn lengthen(&self, header: &Header, want: u32, shift: u32) -> Result<(), Option<&Header>> {
        let lacking = want.saturating_sub(header.run());
        let run = self.behind(header).filter(|_| lacking > 0).ok_or(None)?;
        if run.pages.get() < lacking {
            self.pages.set(self.pages.get() - run.pages.get());
            return Err(run.take().map(|(_, short)| short));
        }
        let next = run.header();
        self.split(run, lacking, shift);
        // Who still steps over the block by its old length steps over the run by its old one, too.
        header.set_run(want);
        next.set_kind(Kind::Blank);
        if next.is_moved() {
            header.set(Mark::MOVED);
        }
        Ok(())
    }

    /// The shortest run of at least `pages` pages, and of not many more unless it may be
    /// cut.
    #[inline(never)]
    fn shortest(&self, pages: u32) -> Option<&Run> {
        let most = if self.turns.get() { u32::MAX } else { pages.saturating_add(pages / 8) };
        let fits = self.runs.iter().filter(|run| (pages..=most).contains(&run.pages.get()));
        fits.min_by_key(|run| run.pages.get())
    }

    /// As [`put`](Self::put), if that takes no licence and the block, taken last, is all that is kept then, or
    /// what was cut from the only run. Returns how many pages it has.
    #[inline(always)]
    pub(super) fn put_first(&self, start: *mut u8, header: &Header) -> Option<u32> {
        let (first, pages, others) = (&self.runs[0], header.run(), self.pages.get());
        let want = others + pages;
        let is_rest = || first.pages.get() == others && ends_at(header, first.header());
        let is_next = want <= self.licence.get() && self.is_last(start) && (others == 0 || is_rest());
        if !is_next || !Self::claim(header, pages) {
            return None;
        }
        self.turns.set(true);
        self.pages.set(want);
        if others > 0 {
            merge(header, first.header(), want);
        }
        first.set(start, header, want);
        Some(pages)
    }

    /// Keeps the large block at `start`, which is freed, if `license`, asked for
    /// more pages, allows. `Err` if nothing was done, because of that, or
    /// because another thread freed the block meanwhile. If there were too
    /// many, the run to give back for it.
    pub(super) fn put(
        &self,
        license: impl FnOnce(u32) -> bool,
        start: *mut u8,
        header: &Header,
    ) -> Result<Option<&Header>, ()> {
        let pages = header.run();
        let want = self.pages.get() + pages;
        if want > self.licence.get() {
            if !license(want - self.licence.get()) {
                return Err(());
            }
            self.licence.set(want);
        }
        if !Self::claim(header, pages) {
            return Err(());
        }
        let turns = self.is_last(start) || self.taken.iter().any(|taken| ptr::eq(taken.get(), start));
        self.turns.set(turns);
        let (start, header) = if turns { self.join(start, header) } else { (start, header) };
        let place = self.runs.iter().find(|run| run.pages.get() == 0).unwrap_or_else(|| {
            let oldest = self.oldest.get();
            self.oldest.set((oldest + 1) % RUNS);
            &self.runs[oldest % RUNS]
        });
        self.pages.set(want - place.pages.get());
        let out = place.take().map(|(_, header)| header);
        place.set(start, header, header.run());
        Ok(out)
    }

    /// Claims a large block of `pages` pages, which is freed; `false` if another thread freed it meanwhile, or
    /// resized it.
    #[inline(always)]
    fn claim(header: &Header, pages: u32) -> bool {
        let is_ours = header.change_kind(Kind::Large, Kind::Kept);
        if is_ours && header.run() != pages {
            header.set_kind(Kind::Large);
            return false;
        }
        is_ours
    }

    /// Joins the run at `start` with those kept right before and behind it, which
    /// leave their places. Returns the longer run.
    fn join<'a>(&'a self, mut start: *mut u8, mut header: &'a Header) -> (*mut u8, &'a Header) {
        for run in self.runs.iter().filter(|run| run.pages.get() > 0) {
            let (other, pages) = (run.header(), run.pages.get());
            let (first, second) = match header {
                header if ends_at(other, header) => (other, header),
                header if ends_at(header, other) => (header, other),
                _ => continue,
            };
            if ptr::eq(first, other) {
                start = run.start.get();
            }
            run.pages.set(0);
            merge(first, second, header.run() + pages);
            header = first;
        }
        (start, header)
    }

    /// Whether anything may be kept.
    pub(super) fn has_licence(&self) -> bool {
        self.licence.get() > 0
    }

    /// The bytes of the licence, in a heap with pages of `1 << shift` bytes.
    #[cfg(test)]
    pub(super) fn licence(&self, shift: u32) -> usize {
        (self.licence.get() as usize) << shift
    }

    /// The pages of the licence, which ends.
    pub(super) fn end_licence(&self) -> u32 {
        self.licence.take()
    }

    /// The longest run, if it has `least` pages (not 0) and the thread takes and frees its blocks in turns: it
    /// is not kept any more, and the caller gives it back.
    pub(super) fn take_longest(&self, least: u32) -> Option<&Header> {
        let longest = self.runs.iter().max_by_key(|run| run.pages.get())?;
        if longest.pages.get() < least || !self.turns.get() {
            return None;
        }
        self.pages.set(self.pages.get() - longest.pages.get());
        longest.take().map(|(_, header)| header)
    }

    /// The pages of the licence that are not used: that part ends.
    pub(super) fn end_unused(&self) -> u32 {
        let pages = self.pages.get();
        self.licence.replace(pages) - pages
    }

    /// All that is kept, one by one not kept any more: the caller gives it back.
    pub(super) fn empty(&self) -> impl Iterator<Item = &Header> {
        self.runs.iter().filter_map(|run| {
            self.pages.set(self.pages.get() - run.pages.get());
            run.take().map(|(_, header)| header)
        })
    }
}
