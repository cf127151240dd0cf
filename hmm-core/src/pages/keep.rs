//! How much free memory is kept: the bound that the heap promises.
//!
//! ```text
//!   resident │        ___ what the program holds
//!            │  ▒▒▒▒▒ free and kept, at most: max(6 MiB, 3/32 of it, what swings)
//!            └─────────────
//! ```
//!
//! A rule by amount and not by time: what is free beyond the bound goes back at
//! once, and a program that sleeps keeps no more than one that works. What is
//! given back and soon taken again would cost its page faults each time, so
//! that much is kept from then on (`swing`). The floor leaves 2 MiB, and the
//! share 1/32, of the promised 8 MiB and 1/8 for what lies free inside slabs.

use super::swing::Swing;

/// Bytes that may always be kept.
const FLOOR: usize = 6 * 1024 * 1024;

/// What of the pages in use may be kept: so many times 1/32.
const SHARE: usize = 3;

/// The bound, in pages of `1 << SHIFT` bytes.
#[derive(Debug)]
pub(crate) struct Keep<const SHIFT: u32> {
    /// A bound of the user's, instead of the rule.
    fixed: Option<usize>,
    /// Pages that threads may keep as large blocks.
    licensed: usize,
    pub(super) swing: Swing,
}

impl<const SHIFT: u32> Keep<SHIFT> {
    const FLOOR: usize = if FLOOR >> SHIFT > 96 { 96 } else { FLOOR >> SHIFT };

    pub(super) const fn new() -> Self {
        Self { fixed: None, licensed: 0, swing: Swing::new() }
    }

    /// Replaces the rule by a bound of `bytes`, or restores it.
    pub(super) fn set(&mut self, bytes: Option<usize>) {
        self.fixed = bytes.map(|bytes| bytes >> SHIFT);
    }

    /// Pages that may be free and hold memory, while `used` are in use.
    pub(super) fn allowed(&self, used: usize) -> usize {
        let rule = || Self::FLOOR.max(used / 32 * SHARE).max(self.swing.width() as usize);
        self.fixed.unwrap_or_else(rule)
    }

    /// As [`allowed`](Self::allowed), less what threads keep.
    pub(super) fn room(&self, used: usize) -> usize {
        self.allowed(used).saturating_sub(self.licensed)
    }

    /// Licenses a thread to keep `pages` more pages, if there is room.
    pub(super) fn license(&mut self, pages: usize) -> bool {
        let granted = self.licensed + pages <= self.fixed.unwrap_or(Self::FLOOR);
        if granted {
            self.licensed += pages;
        }
        granted
    }

    /// Takes back a licence for `pages` pages.
    pub(crate) fn return_license(&mut self, pages: usize) {
        self.licensed -= pages;
    }
}
