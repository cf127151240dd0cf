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

use super::trial::{BIT, Trial};
use super::unneeded::Unneeded;

/// A swing is looked at after so many times its size was freed. What of it was seen not to
/// be needed is forgotten bit by bit.
const TURNS: usize = 4;

/// What was not needed is less than this part of a swing by chance: no two are quite the same. So if less
/// than that was left when free memory came down furthest, nothing is tried.
const CHANCE: usize = 4;

/// Bytes that a swing is taken to have at least.
const LEAST: usize = 8 * 1024 * 1024;

/// What went back lately, and came again. All figures are bytes. Sums of what passed may
/// exceed addresses of 32 bits; they stop at the most that there is.
///
/// What would be free and resident if nothing had gone back rises to a peak and
/// falls again as memory is taken: that is the swing. Where it does not, because
/// frees and allocations of many sizes come at once, what counts is the flow: how
/// much goes back and is taken again while as much is freed as is in use.
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
    /// Freed since a bit was last forgotten, or kept.
    passed: usize,
    /// Taken again since then.
    missed: usize,
    /// Given back since then.
    back: usize,
    /// The most that was kept since then, and the least that can be told to be left of it: what
    /// lies between was put to use. And the least of all that was free, wherever that was.
    most: usize,
    least: usize,
    low: usize,
    /// What is used of free memory inside slabs is not always seen: so a bit is forgotten to try.
    trial: Trial,
    unneeded: Unneeded,
    /// Freed since the flow was last looked at.
    turn: usize,
    flow: Flow,
    /// Given back in the turn before, or in all before if `lasting`, and not taken again by
    /// its end.
    before: usize,
    lasting: bool,
    /// What was worth keeping then.
    enough: usize,
}

/// What passed since the flow was last looked at.
#[derive(Debug)]
struct Flow {
    given: usize,
    /// Of what had been given back, then or before.
    taken: usize,
}

impl Flow {
    const NONE: Self = Self { given: 0, taken: 0 };
}

impl Swing {
    pub(super) const fn new() -> Self {
        Self {
            given: 0,
            peak: 0,
            width: 0,
            high: 0,
            higher: 0,
            passed: 0,
            missed: 0,
            back: 0,
            most: 0,
            least: usize::MAX,
            low: usize::MAX,
            trial: Trial::new(),
            unneeded: Unneeded::new(),
            turn: 0,
            flow: Flow::NONE,
            before: 0,
            lasting: false,
            enough: 0,
        }
    }

    /// One whose flow may cross many turns: for where all that is taken is what went back.
    pub(super) const fn lasting() -> Self {
        Self { lasting: true, ..Self::new() }
    }

    /// Free bytes that are worth keeping.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// `bytes` went back, `kept` free ones did not.
    pub(super) fn gave(&mut self, bytes: usize, kept: usize) {
        self.back = self.back.saturating_add(bytes);
        self.given = self.given.saturating_add(bytes);
        self.flow.given = self.flow.given.saturating_add(bytes);
        self.peak = self.peak.max(self.given.saturating_add(kept));
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
        self.before = self.before.saturating_sub(lost);
        self.lost(lost);
    }

    /// `bytes` that were free are not, though nobody took them.
    pub(super) fn lost(&mut self, bytes: usize) {
        self.peak = self.peak.saturating_sub(bytes);
    }

    /// `kept` free bytes hold memory, and no fewer than `left` of them are not in use. All that
    /// are free come to `all` bytes.
    pub(super) fn keeps(&mut self, kept: usize, left: usize, all: usize) {
        self.most = self.most.max(kept);
        self.least = self.least.min(left);
        self.low = self.low.min(all);
    }

    /// `bytes` that held no memory were taken and make `used` in use, while `kept`
    /// free ones do hold some.
    pub(super) fn took(&mut self, bytes: usize, kept: usize, used: usize) {
        if self.given > 0 {
            let again = bytes.min(self.given);
            self.flow.taken = self.flow.taken.saturating_add(again);
            self.given -= again;
            let swing = self.peak.saturating_sub(self.given.saturating_add(kept));
            // No two swings are quite the same.
            self.high = self.high.max(used);
            self.widen(swing + swing / 4);
            self.missed = self.missed.saturating_add(again);
            if self.given == 0 {
                self.peak = kept;
            }
        }
    }

    /// `bytes` were freed, of `used` in use.
    pub(super) fn freed(&mut self, bytes: usize, used: usize) {
        self.turn = self.turn.saturating_add(bytes);
        self.high = self.high.max(used);
        if self.turn > used.max(LEAST) {
            let Flow { given, taken } = core::mem::replace(&mut self.flow, Flow::NONE);
            let all = given.saturating_add(self.before);
            let again = all.min(taken);
            self.before = if self.lasting { all - again } else { given.min(all - again) };
            self.widen(self.enough + again);
            self.enough = self.width;
            self.turn = 0;
        }
        self.passed = self.passed.saturating_add(bytes);
        let size = self.width.max(self.peak).max(LEAST);
        if self.passed / TURNS > size {
            if self.missed > self.width / BIT {
                self.trial.miss();
                self.unneeded.miss();
            } else if self.back <= size / BIT {
                self.forget();
            }
            // (What went back just now may be on its way to be taken again.)
            (self.passed, self.missed, self.back) = (0, 0, 0);
            (self.most, self.least, self.low) = (0, usize::MAX, usize::MAX);
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
        (self.given, self.peak, self.before) = (0, 0, 0);
        (self.high, self.higher) = (0, 0);
        self.flow = Flow::NONE;
        self.unneeded = Unneeded::new();
    }

    /// Nothing was missed: forgets a bit of what was not needed, or to try.
    fn forget(&mut self) {
        let left_over = self.left_over();
        let surely = self.width.saturating_sub(self.unneeded.look(self.width - left_over));
        // (While looks disagree, something is left over, and nothing is tried.)
        let may_try = left_over == 0 && !self.is_used();
        if self.trial.is_due(may_try, surely > 0) {
            self.shrink(usize::MAX);
        } else if surely > 0 {
            self.shrink(surely);
            self.unneeded.forget();
        }
        // What went back is not on its way to be taken again.
        (self.given, self.peak) = (0, 0);
        (self.high, self.higher) = (0, self.high);
        if self.lasting {
            self.before = 0;
        }
    }

    /// What of the width was seen not to be put to use, and is more than chance.
    fn left_over(&self) -> usize {
        let needed = self.most.saturating_sub(self.least);
        match self.width.saturating_sub(needed + needed / 4) {
            little if little < self.width / CHANCE => 0,
            much => much,
        }
    }

    /// Whether most of what is free was seen to be used, wherever it was.
    fn is_used(&self) -> bool {
        self.low < self.most / CHANCE
    }

    /// Forgets a bit, `most` bytes of it.
    fn shrink(&mut self, most: usize) {
        self.width -= self.trial.bit(self.width).min(most);
        self.enough = self.enough.min(self.width);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::trial::MOST_PATIENCE;

    const MIB: usize = 1024 * 1024;

    /// What is freed at once goes back, and is taken again.
    fn swing_once(swing: &mut Swing, bytes: usize, used: usize) {
        swing.freed(bytes, used);
        swing.gave(bytes, 0);
        swing.took(bytes, 0, used);
    }

    #[test]
    fn a_swing_is_kept_as_wide_as_it_was_and_not_much_wider_than_what_was_in_use() {
        let mut swing = Swing::new();
        swing_once(&mut swing, 64 * MIB, 100 * MIB);
        assert_eq!(swing.width(), 80 * MIB, "a quarter more");
        swing_once(&mut swing, 98 * MIB, 100 * MIB);
        assert_eq!(swing.width(), 112 * MIB + MIB / 2, "an eighth more");
    }

    #[test]
    fn what_cannot_be_taken_again_is_no_part_of_a_swing() {
        let mut swing = Swing::new();
        swing.freed(MIB, 100 * MIB);
        swing.gave(64 * MIB, 0);
        swing.lacks(4 * MIB);
        swing.took(8 * MIB, 0, 100 * MIB);
        assert_eq!(swing.width(), 5 * MIB);
    }

    /// One of 64 MiB, of which 80 are kept.
    fn wide() -> Swing {
        let mut swing = Swing::new();
        swing_once(&mut swing, 64 * MIB, 100 * MIB);
        swing
    }

    /// As [`wide`], after more mistakes than it takes to look as far back as ever.
    fn mistaken() -> Swing {
        let mut swing = wide();
        for _ in 0..4 {
            swing.unneeded.forget();
            swing.unneeded.miss();
        }
        swing
    }

    /// How many times its width is freed before a swing that does not come again is forgotten.
    fn times_until_forgotten(mut swing: Swing) -> usize {
        let width = swing.width();
        let mut passed = 0;
        while swing.width() > LEAST {
            swing.freed(MIB, 20 * MIB);
            passed += MIB;
        }
        passed / width
    }

    #[test]
    fn a_swing_that_does_not_come_again_is_forgotten() {
        let times = times_until_forgotten(wide());
        assert!((4..25).contains(&times), "not at once, but soon: {times}");
    }

    #[test]
    fn one_that_was_missed_before_is_forgotten_in_twice_the_time() {
        let times = times_until_forgotten(mistaken());
        assert!((32..52).contains(&times), "eight looks come first: {times}");
    }

    #[test]
    fn one_that_is_narrowed_begins_anew() {
        let mut swing = mistaken();
        swing.narrow(40 * MIB);
        let times = times_until_forgotten(swing);
        assert!(times < 25, "what was missed before is another's: {times}");
    }

    /// Of what is kept, `runs` bytes of free runs at the least were never used.
    fn look_once(swing: &mut Swing, runs: usize) {
        let size = swing.width().max(LEAST);
        swing.keeps(swing.width(), runs, swing.width());
        swing.freed(TURNS * size + MIB, 100 * MIB);
    }

    /// One of which nothing is forgotten to try for a while.
    fn patient() -> Swing {
        let mut swing = wide();
        // What went back just now, and what is tried first.
        look_once(&mut swing, 0);
        look_once(&mut swing, 0);
        swing.trial.patience = MOST_PATIENCE;
        swing
    }

    #[test]
    fn what_was_put_to_use_is_not_forgotten_but_what_never_was_is() {
        let mut swing = patient();
        let before = swing.width();
        (2..MOST_PATIENCE).for_each(|_| look_once(&mut swing, 0));
        assert_eq!(swing.width(), before, "all was used");
        (0..8).for_each(|_| {
            let unused = swing.width() / 2;
            look_once(&mut swing, unused);
        });
        assert!(swing.width() < before / 2, "{} of {before} bytes", swing.width());
    }

    #[test]
    fn what_was_forgotten_and_missed_is_kept_longer_the_next_time() {
        let mut swing = patient();
        // Of every five looks the first and the last need all, the others half. (A little is forgotten
        // to try, too.)
        let forgets = |swing: &mut Swing| {
            let before = swing.width();
            (0..4).for_each(|look| look_once(swing, if look == 0 { 0 } else { swing.width() / 2 }));
            let forgot = swing.width() < before / 32 * 30;
            if forgot {
                swing_once(swing, 64 * MIB, 100 * MIB);
            }
            look_once(swing, 0);
            forgot
        };
        let forgot: [bool; 24] = core::array::from_fn(|_| forgets(&mut swing));
        assert!(forgot[0], "the last look decides at first");
        assert_eq!(forgot[12..], [false; 12], "not after a few mistakes");
        (0..MOST_PATIENCE).for_each(|_| {
            let unused = swing.width() / 2;
            look_once(&mut swing, unused);
        });
        assert!(swing.width() < 16 * MIB, "{} bytes of what is needed no more", swing.width());
    }

    #[test]
    fn nothing_is_tried_while_most_of_what_is_free_is_seen_to_be_used() {
        let mut swing = wide();
        let before = swing.width();
        let look = |swing: &mut Swing, low: usize| {
            swing.keeps(0, 0, low);
            look_once(swing, 0);
        };
        (0..2 * MOST_PATIENCE).for_each(|_| look(&mut swing, before / 5));
        assert_eq!(swing.width(), before, "a fifth was left");
        (0..2 * MOST_PATIENCE).for_each(|_| look(&mut swing, before / 3));
        assert!(swing.width() < before / 2, "a third was left each time: {} of {before} bytes", swing.width());
    }

    #[test]
    fn what_was_not_needed_once_is_not_forgotten_if_it_is_little() {
        let mut swing = patient();
        let before = swing.width();
        (2..MOST_PATIENCE).for_each(|_| look_once(&mut swing, before / 3));
        assert_eq!(swing.width(), before, "two thirds were used, and a quarter of that is kept beside");
    }

    #[test]
    fn the_more_often_it_was_a_mistake_the_longer_it_takes_to_forget() {
        let mut swing = Swing::new();
        let looks = || {
            swing_once(&mut swing, 64 * MIB, 100 * MIB);
            look_once(&mut swing, 0);
            let before = swing.width();
            let look = |_| {
                look_once(&mut swing, 0);
                swing.width() >= before
            };
            (0..2 * MOST_PATIENCE).map(look).take_while(|&same| same).count() as u32
        };
        let late = core::iter::repeat_with(looks).skip(20).take(20).all(|looks| looks + 1 >= MOST_PATIENCE);
        assert!(late, "each time but the first few");
    }

    /// Memory goes back in one turn and is taken in the next: neither has both.
    #[test]
    fn a_flow_may_cross_turns() {
        let mut swing = Swing::new();
        let used = 10 * MIB;
        swing.took(4 * MIB, 0, used);
        for _ in 0..4 {
            swing.gave(4 * MIB, 0);
            swing.freed(used + 1, used);
            // (As seen from the peak, this is none: as much is kept by then.)
            swing.took(4 * MIB, 4 * MIB, used);
            swing.freed(used + 1, used);
        }
        assert!(swing.width() >= 4 * MIB, "{} bytes", swing.width());
    }
}
