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

use core::cell::Cell;
use core::ptr;

use crate::pages::header::{Header, Kind, Mark};

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
    /// Pages that were kept since that was last told.
    passed: Cell<u32>,
    /// The blocks taken last, and the place of the last one.
    taken: [Cell<*mut u8>; RUNS],
    last: Cell<usize>,
    /// Whether the block freed last was one of those.
    turns: Cell<bool>,
}

/// So many are told at once.
const TOLD: u32 = 1024;

impl Run {
    const fn new() -> Self {
        Self { pages: Cell::new(0), start: Cell::new(ptr::null_mut()), header: Cell::new(ptr::null()) }
    }

    fn set(&self, start: *mut u8, header: &Header, pages: u32) {
        self.start.set(start);
        self.header.set(header);
        self.pages.set(pages);
        header.set_run(pages);
    }

    /// Takes the run out of its place.
    fn take(&self) -> Option<(*mut u8, &Header)> {
        if self.pages.take() == 0 {
            return None;
        }
        Some((self.start.get(), header_at(self.header.get())))
    }
}

/// A header that a run, or the rest of one, begins with.
fn header_at<'a>(header: *const Header) -> &'a Header {
    // SAFETY: it is that of a page of a run that is kept, and headers are never
    // unmapped.
    unsafe { &*header }
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
        let (start, header) = (run.start.get(), header_at(run.header.get()));
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
        let (start, header) = (run.start.get(), header_at(run.header.get()));
        let rest = run.pages.get() - pages;
        run.pages.set(0);
        self.pages.set(self.pages.get() - pages);
        if rest > 0 {
            let behind = header_at(ptr::from_ref(header).wrapping_add(pages as usize));
            behind.set_moved(header.is_moved());
            run.set(start.wrapping_add((pages as usize) << shift), behind, rest);
            behind.set_kind(Kind::Kept);
        }
        rest > 0
    }

    /// Lengthens the large block that `header` heads to `want` pages by the first of a run that is kept right behind it.
    /// `Err` if there is none; or if it is too short, with that run, which is not kept any more: the caller gives it back.
    pub(super) fn lengthen(&self, header: &Header, want: u32, shift: u32) -> Result<(), Option<&Header>> {
        let lacking = want.saturating_sub(header.run());
        let is_behind = |run: &&Run| run.pages.get() > 0 && ends_at(header, header_at(run.header.get()));
        let run = self.runs.iter().find(is_behind).filter(|_| lacking > 0).ok_or(None)?;
        if run.pages.get() < lacking {
            self.pages.set(self.pages.get() - run.pages.get());
            return Err(run.take().map(|(_, short)| short));
        }
        let next = header_at(run.header.get());
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
        let is_rest = || first.pages.get() == others && ends_at(header, header_at(first.header.get()));
        let is_next = want <= self.licence.get() && self.is_last(start) && (others == 0 || is_rest());
        if !is_next || !header.change_kind(Kind::Large, Kind::Kept) {
            return None;
        }
        self.turns.set(true);
        self.pages.set(want);
        if others > 0 {
            merge(header, header_at(first.header.get()), want);
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
        let want = self.pages.get() + header.run();
        if want > self.licence.get() {
            if !license(want - self.licence.get()) {
                return Err(());
            }
            self.licence.set(want);
        }
        if !header.change_kind(Kind::Large, Kind::Kept) {
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

    /// Joins the run at `start` with those kept right before and behind it, which
    /// leave their places. Returns the longer run.
    fn join<'a>(&'a self, mut start: *mut u8, mut header: &'a Header) -> (*mut u8, &'a Header) {
        for run in self.runs.iter().filter(|run| run.pages.get() > 0) {
            let (other, pages) = (header_at(run.header.get()), run.pages.get());
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

    /// The bytes of the licence, in heaps of the largest pages.
    #[cfg(test)]
    pub(super) fn licence(&self) -> usize {
        (self.licence.get() as usize) << 16
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

/// Makes one run of `pages` pages of the two that `first` and `second` head.
fn merge(first: &Header, second: &Header, pages: u32) {
    first.set_moved(first.is_moved() || second.is_moved());
    first.set_run(pages);
    second.set_kind(Kind::Blank);
}

/// Whether the run that `first` heads ends where `next` begins. (What is kept is of the heap's first range, whose headers
/// lie in one table. A table of another range ends with bits: no run there ends at a header of this one.)
fn ends_at(first: &Header, next: &Header) -> bool {
    ptr::eq(ptr::from_ref(first).wrapping_add(first.run() as usize), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIFT: u32 = 16;

    /// Three runs of two pages each, side by side, are freed, as blocks that were taken last or not.
    fn free_three(in_turns: bool) -> Option<u32> {
        let table: [Header; 6] = core::array::from_fn(|_| Header::default());
        let kept = Kept::new();
        for first in [0, 2, 4] {
            let start = ptr::without_provenance_mut((first + 1) << SHIFT);
            let header = &table[first];
            header.set_run(2);
            header.set_kind(Kind::Large);
            if in_turns {
                kept.note_taken(start);
            }
            assert!(kept.put(|_| true, start, header).is_ok_and(|out| out.is_none()));
        }
        assert!(kept.take(7, SHIFT).is_none());
        (1..=6).rev().find(|&pages| kept.take(pages, SHIFT).is_some())
    }

    #[test]
    fn neighbours_are_joined_where_a_thread_takes_and_frees_in_turns() {
        assert_eq!(free_three(true), Some(6));
        assert_eq!(free_three(false), Some(2), "best fit: each by itself");
    }

    #[test]
    fn a_block_grows_into_what_is_kept_right_behind_it() {
        let table: [Header; 8] = core::array::from_fn(|_| Header::default());
        let (kept, start) = (Kept::new(), ptr::without_provenance_mut(1 << SHIFT));
        table[0].set_run(8);
        table[0].set_kind(Kind::Large);
        kept.note_taken(start);
        assert!(kept.put(|_| true, start, &table[0]).is_ok_and(|out| out.is_none()));
        let lengthen = |want| kept.lengthen(&table[0], want, SHIFT).map_err(|short| short.map(Header::run));
        assert!(kept.take(3, SHIFT).is_some());
        assert_eq!((lengthen(3), kept.pages.get()), (Err(None), 5), "as long already");
        assert_eq!((lengthen(5), table[0].run(), kept.pages.get()), (Ok(()), 5, 3));
        assert_eq!((table[3].kind(), table[5].kind(), table[5].run()), (Kind::Blank, Kind::Kept, 3));
        assert_eq!((lengthen(9), kept.pages.get()), (Err(Some(3)), 0), "too short: it goes back");
        assert_eq!(lengthen(9), Err(None));
    }

    #[test]
    fn a_block_that_grew_tells_of_pages_that_were_moved_into_it() {
        let table: [Header; 8] = core::array::from_fn(|_| Header::default());
        let kept = Kept::new();
        for (head, pages) in [(0, 2), (2, 4)] {
            table[head].set_run(pages);
            table[head].set_kind(Kind::Large);
        }
        table[0].set(Mark::Shrunk);
        table[2].set_moved(true);
        assert!(kept.put(|_| true, ptr::without_provenance_mut(3 << SHIFT), &table[2]).is_ok());
        assert!(kept.lengthen(&table[0], 4, SHIFT).is_ok());
        assert!(table[0].is_moved() && table[0].has(Mark::Shrunk) && table[4].is_moved());
    }

    #[test]
    fn a_block_takes_all_that_is_kept_behind_it() {
        let table: [Header; 4] = core::array::from_fn(|_| Header::default());
        let (kept, start) = (Kept::new(), ptr::without_provenance_mut(1 << SHIFT));
        table[0].set_run(4);
        table[0].set_kind(Kind::Large);
        kept.note_taken(start);
        assert!(kept.put_first(start, &table[0]).is_none(), "that takes a licence");
        assert!(kept.put(|_| true, start, &table[0]).is_ok());
        assert!(kept.take(1, SHIFT).is_some());
        assert!(kept.lengthen(&table[0], 4, SHIFT).is_ok());
        assert_eq!((table[0].run(), table[1].kind(), kept.pages.get()), (4, Kind::Blank, 0));
        assert_eq!(kept.put_first(start, &table[0]), Some(4), "within the licence that it had");
    }
}
