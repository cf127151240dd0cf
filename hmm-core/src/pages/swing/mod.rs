//! How much free memory goes back and comes again.
//!
//! ```text
//!   memory in use     /\      /\      /\         a program that takes and frees
//!                    /  \    /  \    /  \        the same amount over and over
//!   ________________/    \__/    \__/    \___    pays for it once
//! ```
//!
//! What is given back and soon taken again is kept from then on, as long as
//! the program goes on like this. Measured in bytes that pass through, not in
//! time: a program that sleeps keeps what it was using, never more.
//!
//! How wide a swing is, is seen from what would be free and resident if nothing
//! had gone back. It rises to a peak and falls again as memory is taken:
//!
//! ```text
//!   peak  ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─/\─ ─ ─ ─ ─ ─ ─ ─
//!   given back and not        /  \          │
//!   taken again, and kept    /    \         │ width: so much is worth keeping
//!                       ____/      \____    ▼
//!                     frees ───►  ◄─── takes
//! ```
//!
//! Where it does not, because frees and allocations of many sizes come at once, what
//! counts is the [`flow`]. And what was kept for nothing is forgotten bit by bit: as
//! far as it was seen not to be needed ([`unneeded`]), or now and then to try ([`trial`]).

mod flow;
#[cfg(test)]
mod tests;
mod trial;
mod unneeded;

use self::flow::Flow;
use self::trial::{BIT, Trial};
use self::unneeded::Unneeded;

/// A swing is looked at after so many times its size was freed.
const TURNS: usize = 4;

/// What was not needed is less than this part of a swing by chance: no two are quite the same. So if less
/// than that was left when free memory came down furthest, nothing is tried.
const CHANCE: usize = 4;

/// Bytes that a swing is taken to have at least.
const LEAST_SWING: usize = 8 * 1024 * 1024;

/// What went back lately, and came again. All figures are bytes. Sums of what passed may
/// exceed addresses of 32 bits; they stop at the most that there is.
#[derive(Debug)]
pub(super) struct Swing {
    /// Given back and not taken again.
    given: usize,
    /// The most that this and what was kept came to.
    peak: usize,
    /// Worth keeping: never much more than was in use since a bit was last forgotten.
    width: usize,
    /// The most that was in use since then, and between the last two times that a bit was.
    high: usize,
    higher: usize,
    /// What was seen since the last look.
    since: Since,
    /// What is used of free memory inside slabs is not always seen: so a bit is forgotten to try.
    trial: Trial,
    unneeded: Unneeded,
    flow: Flow,
    /// The width when the last turn of the flow ended: it grows by what flows in this one.
    enough: usize,
}

/// What was seen of a swing since the last look at it.
#[derive(Debug)]
struct Since {
    freed: usize,
    /// Of what had gone back.
    taken_again: usize,
    given_back: usize,
    /// The most that was kept, and the least that can be told to be left of it: what
    /// lies between was put to use.
    most: usize,
    least: usize,
    /// The least of all that was free, wherever that was.
    low: usize,
}

impl Since {
    const NOTHING: Self = Self { freed: 0, taken_again: 0, given_back: 0, most: 0, least: usize::MAX, low: usize::MAX };

    /// What of that which was kept was put to use.
    fn used(&self) -> usize {
        self.most.saturating_sub(self.least)
    }

    /// Whether most of what is free was seen to be used, wherever it was.
    fn is_mostly_used(&self) -> bool {
        self.low < self.most / CHANCE
    }
}

impl Swing {
    pub(super) const fn new() -> Self {
        Self {
            given: 0,
            peak: 0,
            width: 0,
            high: 0,
            higher: 0,
            since: Since::NOTHING,
            trial: Trial::new(),
            unneeded: Unneeded::new(),
            flow: Flow::new(),
            enough: 0,
        }
    }

    /// One whose flow may cross many turns: for where all that is taken is what went back.
    pub(super) const fn lasting() -> Self {
        Self { flow: Flow::lasting(), ..Self::new() }
    }

    /// Free bytes that are worth keeping.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// `bytes` went back, `kept` free ones did not.
    pub(super) fn gave(&mut self, bytes: usize, kept: usize) {
        self.since.given_back = self.since.given_back.saturating_add(bytes);
        self.flow.gave(bytes);
        self.gave_aside(bytes, kept);
    }

    /// As [`gave`](Self::gave), where it is another's business whether that was a mistake.
    pub(super) fn gave_aside(&mut self, bytes: usize, kept: usize) {
        self.given = self.given.saturating_add(bytes);
        self.peak = self.peak.max(self.given.saturating_add(kept));
    }

    /// As [`took`](Self::took), of what went back so.
    pub(super) fn took_aside(&mut self, bytes: usize, kept: usize) {
        self.given = self.given.saturating_sub(bytes);
        if self.given == 0 {
            self.peak = kept;
        }
    }

    /// No more than `bytes` can be taken again: the rest of what went back is not there any more.
    pub(super) fn lacks(&mut self, bytes: usize) {
        let lost = self.given.saturating_sub(bytes);
        self.given -= lost;
        self.flow.lost(lost);
        self.lost(lost);
    }

    /// `bytes` that were free are not, though nobody took them.
    pub(super) fn lost(&mut self, bytes: usize) {
        self.peak = self.peak.saturating_sub(bytes);
    }

    /// `kept` free bytes hold memory, and no fewer than `left` of them are not in use. All that
    /// are free come to `all` bytes.
    pub(super) fn keeps(&mut self, kept: usize, left: usize, all: usize) {
        self.since.most = self.since.most.max(kept);
        self.since.least = self.since.least.min(left);
        self.since.low = self.since.low.min(all);
    }

    /// `bytes` that held no memory were taken and make `used` in use, while `kept`
    /// free ones do hold some.
    pub(super) fn took(&mut self, bytes: usize, kept: usize, used: usize) {
        if self.given > 0 {
            let again = bytes.min(self.given);
            self.flow.took(again);
            self.given -= again;
            let swing = self.peak.saturating_sub(self.given.saturating_add(kept));
            self.high = self.high.max(used);
            // No two swings are quite the same.
            self.widen(swing + swing / 4);
            self.since.taken_again = self.since.taken_again.saturating_add(again);
            if self.given == 0 {
                self.peak = kept;
            }
        }
    }

    /// `bytes` were freed, of `used` in use.
    pub(super) fn freed(&mut self, bytes: usize, used: usize) {
        self.high = self.high.max(used);
        if let Some(again) = self.flow.freed(bytes, used) {
            self.widen(self.enough + again);
            self.enough = self.width;
        }
        self.since.freed = self.since.freed.saturating_add(bytes);
        let size = self.width.max(self.peak).max(LEAST_SWING);
        if self.since.freed / TURNS > size {
            self.look(size);
        }
    }

    /// `bytes` are worth keeping, or what was in use at most: and an eighth of that, since
    /// not all free memory suits what is taken.
    fn widen(&mut self, bytes: usize) {
        let high = self.high.max(self.higher);
        self.width = self.width.max(bytes.min(high.saturating_add(high / 8)));
    }

    /// No more than `bytes` are worth keeping.
    pub(super) fn narrow(&mut self, bytes: usize) {
        self.width = self.width.min(bytes);
        self.enough = self.enough.min(bytes);
        (self.given, self.peak) = (0, 0);
        (self.high, self.higher) = (0, 0);
        self.flow.begin_anew();
        self.unneeded = Unneeded::new();
    }

    /// Four times the swing's `size` was freed: was something missed that had been forgotten, or is
    /// there something to forget?
    fn look(&mut self, size: usize) {
        if self.since.taken_again > self.width / BIT {
            self.trial.miss();
            self.unneeded.miss();
        } else if self.since.given_back <= size / BIT {
            // (What went back just now may be on its way to be taken again.)
            self.forget();
        }
        self.since = Since::NOTHING;
    }

    /// Nothing was missed: forgets a bit of what was not needed, or to try.
    fn forget(&mut self) {
        let left_over = self.left_over();
        let surely = self.width.saturating_sub(self.unneeded.look(self.width - left_over));
        // (While looks disagree, something is left over, and nothing is tried.)
        let may_try = left_over == 0 && !self.since.is_mostly_used();
        if self.trial.note_look(may_try, surely > 0) {
            self.shrink(usize::MAX);
        } else if surely > 0 {
            self.shrink(surely);
            self.unneeded.forget();
        }
        // What went back is not on its way to be taken again.
        (self.given, self.peak) = (0, 0);
        (self.high, self.higher) = (0, self.high);
        self.flow.forget();
    }

    /// What of the width was seen not to be put to use, and is more than chance.
    fn left_over(&self) -> usize {
        let needed = self.since.used();
        match self.width.saturating_sub(needed + needed / 4) {
            little if little < self.width / CHANCE => 0,
            much => much,
        }
    }

    /// Forgets a bit, `most` bytes of it.
    fn shrink(&mut self, most: usize) {
        self.width -= self.trial.bit(self.width).min(most);
        self.enough = self.enough.min(self.width);
    }
}
