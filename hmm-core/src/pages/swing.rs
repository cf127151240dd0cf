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

/// A swing is forgotten bit by bit, after 2 to this times its size was freed each
/// time; each time that this was a mistake, it takes twice as long the next time.
const PATIENCE: u32 = 2;
const MOST_PATIENCE: u32 = 3;

/// What is forgotten at first: one part in so many. If nothing of it is missed,
/// twice as much the next time, up to a half.
const BIT: usize = 32;

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
    /// Worth keeping: never more than was in use since a bit was last forgotten.
    width: usize,
    /// The most that was in use since then.
    high: usize,
    /// Freed since a bit was last forgotten, or kept.
    passed: usize,
    /// Taken again since then.
    missed: usize,
    /// Given back since then.
    back: usize,
    /// See [`PATIENCE`].
    patience: u32,
    /// How many bits were forgotten one after the other.
    forgotten: u32,
    /// Freed since the flow was last looked at.
    turn: usize,
    /// Given back since then, and taken again.
    flow: [usize; 2],
    /// Given back in the turn before, and not taken again by its end.
    before: usize,
    /// What was worth keeping then.
    enough: usize,
}

impl Swing {
    pub(super) const fn new() -> Self {
        Self {
            given: 0,
            peak: 0,
            width: 0,
            high: 0,
            passed: 0,
            missed: 0,
            back: 0,
            patience: PATIENCE,
            forgotten: 0,
            turn: 0,
            flow: [0, 0],
            before: 0,
            enough: 0,
        }
    }

    /// Free bytes that are worth keeping.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// `bytes` went back, `kept` free ones did not.
    pub(super) fn gave(&mut self, bytes: usize, kept: usize) {
        self.back = self.back.saturating_add(bytes);
        self.given = self.given.saturating_add(bytes);
        self.flow[0] = self.flow[0].saturating_add(bytes);
        self.peak = self.peak.max(self.given + kept);
    }

    /// `bytes` that held no memory were taken and make `used` in use, while `kept`
    /// free ones do hold some.
    pub(super) fn took(&mut self, bytes: usize, kept: usize, used: usize) {
        if self.given > 0 {
            let again = bytes.min(self.given);
            self.flow[1] = self.flow[1].saturating_add(again);
            self.given -= again;
            let swing = self.peak.saturating_sub(self.given + kept);
            // No two swings are quite the same.
            self.high = self.high.max(used);
            self.width = self.width.max((swing + swing / 8).min(self.high));
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
            let [given, taken] = core::mem::take(&mut self.flow);
            let again = given.saturating_add(self.before).min(taken);
            self.before = given.saturating_sub(taken.saturating_sub(self.before));
            self.width = self.width.max((self.enough + again).min(self.high));
            self.enough = self.width;
            self.turn = 0;
        }
        self.passed = self.passed.saturating_add(bytes);
        let size = self.width.max(self.peak).max(LEAST);
        if self.passed >> self.patience > size {
            if self.missed > self.width / BIT {
                self.patience = (self.patience + 1).min(MOST_PATIENCE);
                self.forgotten = 0;
            } else if self.back <= size / BIT {
                self.forget();
            }
            // (What went back just now may be on its way to be taken again.)
            (self.passed, self.missed, self.back) = (0, 0, 0);
        }
    }

    /// No more than `bytes` are worth keeping.
    pub(super) fn narrow(&mut self, bytes: usize) {
        self.width = self.width.min(bytes);
        self.enough = self.enough.min(bytes);
        (self.given, self.peak, self.high, self.before) = (0, 0, 0, 0);
        self.flow = [0, 0];
    }

    /// Nothing was missed: forgets a bit.
    fn forget(&mut self) {
        if self.forgotten > 0 {
            self.patience = PATIENCE;
        }
        self.width -= self.width / (BIT >> self.forgotten);
        self.forgotten = (self.forgotten + 1).min(BIT.ilog2() - 1);
        self.enough = self.enough.min(self.width);
        (self.given, self.peak, self.high) = (0, 0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    /// What is freed at once goes back, and is taken again.
    fn swing_once(swing: &mut Swing, bytes: usize, used: usize) {
        swing.freed(bytes, used);
        swing.gave(bytes, 0);
        swing.took(bytes, 0, used);
    }

    #[test]
    fn a_swing_is_kept_as_wide_as_it_was_and_no_wider_than_what_was_in_use() {
        let mut swing = Swing::new();
        swing_once(&mut swing, 64 * MIB, 100 * MIB);
        assert_eq!(swing.width(), 72 * MIB, "an eighth more");
        swing_once(&mut swing, 98 * MIB, 100 * MIB);
        assert_eq!(swing.width(), 100 * MIB);
    }

    #[test]
    fn a_swing_that_does_not_come_again_is_forgotten() {
        let mut swing = Swing::new();
        swing_once(&mut swing, 64 * MIB, 100 * MIB);
        let mut passed = 0;
        while swing.width() > 8 * MIB {
            swing.freed(MIB, 20 * MIB);
            passed += MIB;
        }
        assert!(passed <= 40 * 72 * MIB, "forty times its size at the most, not {}", passed / MIB);
        assert!(passed >= 4 * 72 * MIB, "not at once: {}", passed / MIB);
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
