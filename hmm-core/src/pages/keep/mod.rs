//! How much free memory is kept: the bound that the heap promises.
//!
//! ```text
//!   resident │        ___ what the program holds
//!            │  ▒▒▒▒▒ free and kept, at most: max(8 MiB, 1/8 of it, what swings)
//!            └─────────────
//!   ▒▒▒▒▒ = dirty pages of free runs + licences: for large blocks that threads
//!           keep, and for what lies free inside their slabs
//! ```
//!
//! A rule by amount and not by time: what is free beyond the bound goes back at
//! once, and a program that sleeps keeps no more than one that works. What is
//! given back and soon taken again would cost its page faults each time, so
//! that much is kept from then on (`swing`).
//!
//! Free runs are known page by page here. Threads come for a licence before
//! they keep more; whoever gets none gives back what it has. What they may have
//! without one, 1/32 of what they hold, is a part of the eighth and of the 8 MiB. (They go by half of
//! that, 1/64: their books are estimates, and the other half is left for their errors.)
//!
//! What is free inside slabs serves only blocks of the same sizes, and a program that
//! turns to others grows beside it: 60 MB lay so under one of 64. So it is a swing by
//! itself: beyond the eighth and the 8 MiB, no more is kept than went back from inside
//! slabs and was taken again there, or a part of what swings elsewhere.

#[cfg(test)]
mod tests;

use super::swing::Swing;

/// Bytes that may always be kept, in heaps of more than a few pages. (What threads may have without a licence
/// makes it 8 MiB.)
const FLOOR: usize = 6 * 1024 * 1024;

/// In heaps with small pages: so many of those.
const PAGES: usize = 96;

/// What of the memory in use may be kept: so many times 1/32. (What threads may have without a licence makes
/// it an eighth.)
const SHARE: usize = 3;

/// Of all that swings, so many bytes and one part in so many may be inside slabs, also where
/// less was seen to be taken again there: many small purges cost more than few large ones.
const LITTLE: usize = 16 * 1024 * 1024;
const INSIDE: usize = 4;

/// The parts of a limit that threads may keep, inside slabs and as large blocks.
const INSIDE_OF_LIMIT: usize = 8;
const LARGE_OF_LIMIT: usize = 64;

/// The bound. All figures are bytes, of a heap with pages of `1 << SHIFT`.
#[derive(Debug)]
pub(crate) struct Keep<const SHIFT: u32> {
    /// A bound of the user's, instead of the rule.
    fixed: Option<usize>,
    /// Whether there are many threads.
    crowd: bool,
    /// What threads may keep.
    licensed: usize,
    /// Of that, as large blocks.
    kept: usize,
    /// Went back so far, by whatever way; wraps.
    gone: usize,
    /// Of all that is free; and of what is inside slabs, by itself. The latter's takings tell
    /// nothing of the former.
    swing: Swing,
    inside: Swing,
}

impl<const SHIFT: u32> Keep<SHIFT> {
    const FLOOR: usize = if FLOOR >> SHIFT > PAGES { PAGES << SHIFT } else { FLOOR };
    /// A heap that holds no more than this, in use or free, may keep all of it.
    const WHOLE: usize = Self::FLOOR / 3 * 4;

    pub(super) const fn new() -> Self {
        Self { fixed: None, crowd: false, licensed: 0, kept: 0, gone: 0, swing: Swing::new(), inside: Swing::lasting() }
    }

    /// Replaces the rule by a bound of `bytes`, or restores it.
    pub(super) fn set(&mut self, bytes: Option<usize>) {
        self.fixed = bytes;
    }

    /// What may be free and hold memory, while `used` bytes are in use.
    pub(super) fn allowed(&self, used: usize) -> usize {
        self.fixed.unwrap_or_else(|| self.share(used).max(self.worth()))
    }

    /// What comes and goes, wherever it is.
    fn worth(&self) -> usize {
        self.swing.width().max(self.inside.width())
    }

    /// What of that may be inside slabs.
    fn allowed_inside(&self, used: usize) -> usize {
        self.fixed.unwrap_or_else(|| self.share(used).max(self.worth_inside()))
    }

    /// What comes and goes of that, or may.
    fn worth_inside(&self) -> usize {
        let all = self.swing.width();
        self.inside.width().max(all.min(LITTLE.max(all / INSIDE)))
    }

    /// What may be kept of `used` bytes in use, whatever comes and goes.
    fn share(&self, used: usize) -> usize {
        Self::FLOOR.max(self.live(used) / 32 * SHARE)
    }

    /// Licences for what is free inside slabs.
    fn licensed_inside(&self) -> usize {
        self.licensed - self.kept
    }

    /// What of `used` bytes in use is in use by the program. Of many threads some sleep:
    /// what those keep must not make room for more to keep.
    fn live(&self, used: usize) -> usize {
        if self.crowd { used.saturating_sub(self.licensed) } else { used }
    }

    /// What of `used` bytes in use blocks take up: what swings is no wider than that. (What is kept inside slabs must not
    /// make room for more to keep. Large blocks that are kept are a few MiB at most, and may all be taken just now.)
    fn by_blocks(&self, used: usize) -> usize {
        used.saturating_sub(self.licensed_inside())
    }

    /// What threads may keep.
    #[cfg(test)]
    pub(crate) fn licensed(&self) -> usize {
        self.licensed
    }

    /// There are many threads from now on.
    pub(crate) fn begin_crowd(&mut self) {
        self.crowd = true;
    }

    /// There are few threads from now on, while `used` bytes are in use. Says whether there
    /// were many: what those took again tells nothing of these.
    pub(super) fn end_crowd(&mut self, used: usize) -> bool {
        if self.crowd {
            self.swing.narrow(self.live(used));
            self.inside.narrow(self.live(used));
        }
        core::mem::take(&mut self.crowd)
    }

    /// Whether `bytes` free bytes inside slabs are worth keeping, as far as is known of
    /// what comes and goes.
    pub(crate) fn is_worth(&self, bytes: usize) -> bool {
        bytes <= self.worth_inside()
    }

    /// Whether a heap that holds `all` bytes, in use and free, is so small that what
    /// is free is within the bound whatever it is: licences may say more than that.
    pub(super) fn covers(&self, all: usize) -> bool {
        all <= self.fixed.unwrap_or_else(|| Self::WHOLE.max(self.worth()))
    }

    /// As [`covers`](Self::covers), whatever comes and goes.
    pub(super) fn covers_by_rule(&self, all: usize) -> bool {
        all <= self.fixed.unwrap_or(Self::WHOLE)
    }

    /// As [`allowed`](Self::allowed) for free runs, in pages.
    pub(super) fn room(&self, used: usize) -> usize {
        self.allowed(used).saturating_sub(self.licensed) >> SHIFT
    }

    /// As [`license`](Self::license), for large blocks, which serve any size. They are
    /// not looked through, so that is never much.
    pub(super) fn license_kept(&mut self, used: usize, bytes: usize, limit: usize) -> bool {
        let granted = self.kept + bytes <= Self::FLOOR
            && self.keeps_little_large(limit, bytes)
            && self.licensed + bytes <= self.for_threads(self.allowed(used));
        if granted {
            // They pass through the heap when they are kept, and are told of then.
            self.kept += bytes;
            self.licensed += bytes;
        }
        granted
    }

    /// Whether what threads may keep as large blocks, and `more`, is little of the heap's `limit`: nobody else can have
    /// what a thread that sleeps keeps.
    pub(super) fn keeps_little_large(&self, limit: usize, more: usize) -> bool {
        self.kept + more <= limit / LARGE_OF_LIMIT
    }

    /// As [`keeps_little_large`](Self::keeps_little_large), of what is inside slabs.
    pub(super) fn keeps_little_inside(&self, limit: usize, more: usize) -> bool {
        self.licensed_inside() + more <= limit / INSIDE_OF_LIMIT
    }

    /// Takes back a licence for `bytes` of large blocks.
    pub(super) fn return_kept(&mut self, bytes: usize) {
        self.kept -= bytes;
        self.return_license(bytes);
    }

    /// Licenses a thread to keep `bytes` more, if there is room while `used`
    /// bytes are in use, or the heap is so small that all of it may be kept.
    pub(super) fn license(&mut self, used: usize, bytes: usize, is_within_rule: bool, limit: usize) -> bool {
        let is_room = || {
            self.licensed_inside() + bytes <= self.for_threads(self.allowed_inside(used))
                && self.licensed + bytes <= self.for_threads(self.allowed(used))
        };
        let granted = self.keeps_little_inside(limit, bytes) && (is_within_rule || is_room());
        if granted {
            self.grant(used, bytes);
        }
        granted
    }

    /// What of `allowed` bytes threads may keep. Of many threads' heap half is for free
    /// runs, which are there for all.
    fn for_threads(&self, allowed: usize) -> usize {
        allowed >> u32::from(self.crowd)
    }

    /// How much more is licensed inside slabs than may be, while `used` bytes are in use.
    pub(super) fn licensed_beyond(&self, used: usize) -> usize {
        self.licensed_inside().saturating_sub(self.for_threads(self.allowed_inside(used)))
    }

    fn grant(&mut self, used: usize, bytes: usize) {
        self.licensed += bytes;
        self.freed(bytes, used);
    }

    /// Whether all licences, and those for what is inside slabs, are within what is allowed.
    pub(super) fn is_covered(&self, used: usize) -> bool {
        self.licensed_inside() <= self.allowed_inside(used) && self.licensed <= self.allowed(used)
    }

    /// Takes back a licence for `bytes`.
    pub(crate) fn return_license(&mut self, bytes: usize) {
        self.licensed -= bytes;
    }

    /// `bytes` went back, and free runs keep `dirty` pages.
    pub(super) fn gave(&mut self, bytes: usize, dirty: usize) {
        self.gone = self.gone.wrapping_add(bytes);
        self.swing.gave(bytes, self.licensed + (dirty << SHIFT));
    }

    /// A licence for `licence` bytes inside slabs ends, of which `bytes` went back: slabs lack
    /// `hollow` bytes now, and free runs keep `dirty` pages.
    pub(super) fn gave_inside(&mut self, licence: usize, bytes: usize, hollow: usize, dirty: usize) {
        self.gone = self.gone.wrapping_add(bytes);
        self.return_license(licence);
        // The rest was not put to use, but never there, or cannot go back.
        self.swing.lost(licence.saturating_sub(bytes));
        self.swing.gave_aside(bytes, self.licensed + (dirty << SHIFT));
        self.inside.gave(bytes, 0);
        self.inside.lacks(hollow);
    }

    /// What went back so far; wraps.
    pub(super) fn gone(&self) -> usize {
        self.gone
    }

    /// Free runs keep `dirty` pages.
    pub(super) fn keeps(&mut self, dirty: usize) {
        let all = self.licensed + (dirty << SHIFT);
        self.swing.keeps(all, dirty << SHIFT, all);
        // When little is left of all, little is left inside slabs.
        self.inside.keeps(self.licensed_inside(), all, all);
    }

    /// `bytes` that held no memory were taken, which makes `used` in use, and free
    /// runs keep `dirty` pages.
    pub(super) fn took(&mut self, bytes: usize, used: usize, dirty: usize) {
        self.swing.took(bytes, self.licensed + (dirty << SHIFT), self.by_blocks(used));
    }

    /// As [`took`](Self::took), of bytes inside slabs that had gone back from there.
    pub(super) fn took_inside(&mut self, bytes: usize, used: usize, dirty: usize) {
        self.swing.took_aside(bytes, self.licensed + (dirty << SHIFT));
        self.inside.took(bytes, 0, self.by_blocks(used));
    }

    /// `bytes` were freed, while `used` bytes are in use.
    pub(super) fn freed(&mut self, bytes: usize, used: usize) {
        let by_blocks = self.by_blocks(used);
        self.swing.freed(bytes, by_blocks);
        self.inside.freed(bytes, by_blocks);
    }
}
