//! What passes through while as much is freed as is in use: a *turn*.
//!
//! ```text
//!   freed   |◄──── turn ────►|◄──── turn ────►|◄──── turn ────►|
//!   given        ▒▒▒▒▒▒              ▒▒▒▒▒▒          ▒▒▒▒▒▒
//!   taken           ▓▓▓▓                  ▓▓▓▓          ▓▓▓▓▓▓
//!                        └ before ┘  may be taken in the next turn, too
//! ```
//!
//! Where frees and allocations of many sizes come at once, what is free has no peak
//! to measure from. But what went back and was taken again within a turn, or in the
//! one after it, would have been worth keeping.

use super::LEAST_SWING;

/// See the [module](self). All figures are bytes.
#[derive(Debug)]
pub(super) struct Flow {
    /// Freed since the turn began.
    turn: usize,
    /// Given back since then.
    given: usize,
    /// Taken since then, of what had been given back, then or before.
    taken: usize,
    /// Given back in the turn before, or in all before if `lasting`, and not taken again by
    /// its end.
    before: usize,
    lasting: bool,
}

impl Flow {
    pub(super) const fn new() -> Self {
        Self { turn: 0, given: 0, taken: 0, before: 0, lasting: false }
    }

    /// One that may cross many turns.
    pub(super) const fn lasting() -> Self {
        Self { lasting: true, ..Self::new() }
    }

    /// `bytes` went back.
    pub(super) fn gave(&mut self, bytes: usize) {
        self.given = self.given.saturating_add(bytes);
    }

    /// `bytes` of what had gone back were taken.
    pub(super) fn took(&mut self, bytes: usize) {
        self.taken = self.taken.saturating_add(bytes);
    }

    /// `bytes` of what went back before cannot be taken any more.
    pub(super) fn lost(&mut self, bytes: usize) {
        self.before = self.before.saturating_sub(bytes);
    }

    /// `bytes` were freed, of `used` in use. If that ends the turn: what was taken again.
    pub(super) fn freed(&mut self, bytes: usize, used: usize) -> Option<usize> {
        self.turn = self.turn.saturating_add(bytes);
        if self.turn <= used.max(LEAST_SWING) {
            return None;
        }
        let all = self.given.saturating_add(self.before);
        let again = all.min(self.taken);
        let left = all - again;
        self.before = if self.lasting { left } else { self.given.min(left) };
        (self.turn, self.given, self.taken) = (0, 0, 0);
        Some(again)
    }

    /// What passed so far does not count, but for how much of the turn is over.
    pub(super) fn begin_anew(&mut self) {
        (self.given, self.taken, self.before) = (0, 0, 0);
    }

    /// What went back in earlier turns, if that counts for long, is not taken again.
    pub(super) fn forget(&mut self) {
        if self.lasting {
            self.before = 0;
        }
    }
}
