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

/// A swing is forgotten bit by bit, after so many times its size was freed each
/// time.
const PATIENCE: usize = 4;

/// What is forgotten each time: one part in so many.
const BIT: usize = 16;

/// Bytes that a swing is taken to have at least.
const LEAST: usize = 8 * 1024 * 1024;

/// What went back lately, and came again. All figures are bytes.
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
    /// Worth keeping.
    width: usize,
    /// Freed since memory that had gone back was last taken.
    passed: usize,
    /// Freed since the flow was last looked at.
    turn: usize,
    /// Given back and taken again since then.
    flow: usize,
    /// What was worth keeping then.
    enough: usize,
}

impl Swing {
    pub(super) const fn new() -> Self {
        Self { given: 0, peak: 0, width: 0, passed: 0, turn: 0, flow: 0, enough: 0 }
    }

    /// Free bytes that are worth keeping.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// `bytes` went back, `kept` free ones did not.
    pub(super) fn gave(&mut self, bytes: usize, kept: usize) {
        self.given += bytes;
        self.peak = self.peak.max(self.given + kept);
    }

    /// `bytes` that held no memory were taken, while `kept` free ones do.
    pub(super) fn took(&mut self, bytes: usize, kept: usize) {
        if self.given > 0 {
            self.flow += bytes.min(self.given);
            self.given = self.given.saturating_sub(bytes);
            let swing = self.peak.saturating_sub(self.given + kept);
            // No two swings are quite the same.
            self.width = self.width.max(swing + swing / 8);
            self.passed = 0;
        }
    }

    /// `bytes` were freed, of `used` in use.
    pub(super) fn freed(&mut self, bytes: usize, used: usize) {
        self.turn += bytes;
        if self.turn > used.max(LEAST) {
            self.width = self.width.max(self.enough + self.flow);
            self.enough = self.width;
            (self.turn, self.flow) = (0, 0);
        }
        self.passed += bytes;
        if self.passed > PATIENCE * self.width.max(self.peak).max(LEAST) {
            self.width -= self.width / BIT;
            self.enough = self.enough.min(self.width);
            (self.given, self.peak) = (0, 0);
            self.passed = 0;
        }
    }
}
