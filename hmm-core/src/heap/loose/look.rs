//! When an owner's slabs are worth a look, and what a look tells.
//!
//! ```text
//!   recounted   what is free is known, and stays         stuck as before, freed anew
//!   settle      what can go back has gone                all that is free is stuck
//!   settle_some part of it has, the rest was counted     as before, freed anew
//! ```

use core::sync::atomic::Ordering::Relaxed;

use super::{KIB, Loose, SHARE};
use crate::heap::found::Found;

/// An owner looks for what others freed in its slabs when that may be so much, or twice or four times that where
/// looks found little, or a 16th of what they hold. (It may be several times as much: others say so by the word.)
const AWAITED: usize = 256 * KIB;

/// Of what was freed, so much is taken for whole pages of the system's that became
/// free, in quarters: between one of four bytes, where it lies stuck among live
/// blocks (but see `estimated_free`), and four for each, where those are few.
const LEAST_YIELD: usize = 1;
const MOST_YIELD: usize = 16;

impl Loose {
    /// Whether so much was added since the slabs were last looked through that it
    /// is worth doing so again, if only to count, or so many parts became free that it is worth it for what
    /// goes back. (Of medium slabs, a few blocks are much, and each look takes a hundred instructions a slab.)
    pub(crate) fn is_recount_due(&self) -> bool {
        let share = self.held.get() / SHARE;
        let is_much = self.uncounted.get() >= share || self.whole.get() >= self.counted.get() + share / 2;
        is_much && self.unpaid.get() == 0
    }

    /// Whether `bytes` that others may have freed in the owner's slabs are worth looking for, where looks found less
    /// than that by `doubt` halves.
    pub(crate) fn is_worth_a_look(&self, bytes: usize, doubt: u8) -> bool {
        bytes >= (AWAITED << doubt).max(self.held.get() / (SHARE / 4))
    }

    /// The slabs were looked through, and nothing given back: what is free now and
    /// was not the last time is what was freed.
    pub(crate) fn recounted(&self, found: &Found) {
        let stuck = self.stuck.get().min(found.free);
        self.stuck.set(stuck);
        self.uncounted.set(0);
        self.unpaid.set(found.medium);
        self.counted.set(found.whole);
        self.whole.set(found.whole);
        self.freed.set(found.free - stuck);
        self.held.set(found.held);
        self.live.set(found.held - found.thin);
    }

    /// The slabs were looked through, and what could be given back was. Returns the licence, which ends, and what of
    /// the slabs' pages holds no memory now and held none before.
    pub(crate) fn settle(&self, found: &Found) -> (usize, [usize; 2]) {
        let freed = self.freed.replace(0).max(1);
        self.spare.set(0);
        self.remembered.store(0, Relaxed);
        self.yielded.set((8 * found.gone / freed).clamp(LEAST_YIELD, MOST_YIELD));
        self.stuck.set(found.free);
        self.uncounted.set(0);
        self.unpaid.set(found.medium);
        self.counted.set(0);
        self.whole.set(0);
        self.held.set(found.held);
        self.live.set(found.held - found.thin);
        let hollow = found.hollow();
        (self.licence.take(), [hollow, self.hollow.replace(hollow)])
    }

    /// Some of what could be given back was, and then the slabs were looked through, by [`recounted`](Self::recounted).
    /// Returns the same: of the licence ends what nothing is free for. (Nothing, if more was found free than is licensed:
    /// the next free looks again.)
    pub(crate) fn settle_some(&self, found: &Found) -> (usize, [usize; 2]) {
        let (licence, hollow) = (self.licence.get(), found.hollow());
        let needed = licence.min(self.estimated_free());
        self.licence.set(needed);
        (licence - needed, [hollow, self.hollow.replace(hollow)])
    }
}
