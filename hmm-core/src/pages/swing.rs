//! How much free memory goes back and comes again.
//!
//! ```text
//!   pages in use      /\      /\      /\         a program that takes and frees
//!                    /  \    /  \    /  \        the same amount over and over
//!   ________________/    \__/    \__/    \___    pays for it once
//! ```
//!
//! What is given back and soon taken again is kept from then on, as long as
//! the program goes on like this. Measured in pages that pass through, not in
//! time: a program that sleeps keeps what it was using, never more.

/// A swing is forgotten by halves after so many times its size was freed.
const PATIENCE: u64 = 16;

/// Pages that a swing is taken to have at least.
const LEAST: u32 = 128;

/// What went back lately, and came again.
#[derive(Debug)]
pub(super) struct Swing {
    /// Pages given back and not taken again.
    given: u32,
    /// Pages that were free and kept then.
    left: u32,
    /// Pages of those given back that were taken again.
    again: u32,
    /// Pages worth keeping.
    width: u32,
    /// Pages freed since the width was last looked at.
    passed: u64,
}

impl Swing {
    pub(super) const fn new() -> Self {
        Self { given: 0, left: 0, again: 0, width: 0, passed: 0 }
    }

    /// Free pages that are worth keeping.
    pub(super) fn width(&self) -> u32 {
        self.width
    }

    /// `pages` pages went back, `left` free ones were kept.
    pub(super) fn gave(&mut self, pages: u32, left: u32) {
        if pages == 0 {
            return;
        }
        self.given = self.given.saturating_add(pages);
        self.left = left;
        self.again = 0;
    }

    /// `pages` pages that held no memory were taken.
    pub(super) fn took(&mut self, pages: u32) {
        let again = pages.min(self.given);
        if again > 0 {
            self.given -= again;
            self.again = self.again.saturating_add(again);
            self.width = self.width.max(self.again.saturating_add(self.left));
            self.passed = 0;
        }
    }

    /// `pages` pages were freed.
    pub(super) fn freed(&mut self, pages: u32) {
        self.passed += u64::from(pages);
        if self.passed > PATIENCE * u64::from(self.width.max(LEAST)) {
            self.width /= 2;
            self.given = 0;
            self.passed = 0;
        }
    }
}
