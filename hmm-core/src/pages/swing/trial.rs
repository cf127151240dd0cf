//! When a bit of a swing is forgotten to try whether it is missed, and how much at a time.
//!
//! ```text
//!   kept   ████████████▇▇▇▆▆▅▃          the bits double, as long as nothing is missed
//!          ░░░░░░░░░░░░                 looks before the first: twice as many after each mistake
//! ```

/// Looks before a bit is forgotten to try, at most.
pub(super) const MOST_PATIENCE: u32 = 32;

/// After so many bits, one after the other, it was no mistake.
const CERTAIN: u32 = 2;

/// What is forgotten at first: one part in so many. If nothing of it is missed,
/// twice as much the next time, up to a half.
pub(super) const BIT: usize = 32;

/// What was tried, and how it went.
#[derive(Debug)]
pub(super) struct Trial {
    /// Looks until a bit is forgotten to try.
    pub(super) patience: u32,
    /// How many there were since one was forgotten, to try or not.
    looks: u32,
    /// Whether that was done at the last one.
    tried: bool,
    /// How many bits were forgotten one after the other.
    forgotten: u32,
}

impl Trial {
    pub(super) const fn new() -> Self {
        Self { patience: 1, looks: 0, tried: false, forgotten: 0 }
    }

    /// A look, at which something is forgotten anyway if `surely`. Whether a bit is to be
    /// forgotten to try, which it never is unless it `may`.
    pub(super) fn note_look(&mut self, may: bool, surely: bool) -> bool {
        if self.tried && self.forgotten > CERTAIN {
            self.patience = 1;
        }
        self.looks += 1;
        let tries = may && (self.tried || self.looks >= self.patience);
        if !surely && !tries || tries != self.tried {
            self.forgotten = 0;
        }
        self.tried = tries;
        tries
    }

    /// The bit of `width` bytes that is forgotten now.
    pub(super) fn bit(&mut self, width: usize) -> usize {
        let bit = width >> (BIT.ilog2() - self.forgotten);
        self.forgotten = (self.forgotten + 1).min(BIT.ilog2() - 1);
        self.looks = 0;
        bit
    }

    /// What was forgotten is missed.
    pub(super) fn miss(&mut self) {
        self.patience = (2 * self.patience).min(MOST_PATIENCE);
        (self.looks, self.forgotten, self.tried) = (0, 0, false);
    }
}
