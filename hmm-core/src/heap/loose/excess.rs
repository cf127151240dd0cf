//! How much lies free, as far as can be told without a look, and what of it needs a licence.
//!
//! ```text
//!   may be free    |        without a licence        |     licence     | excess |
//!                    slack, or a share of what slabs
//!                    hold if that is more
//! ```

use core::sync::atomic::Ordering::Relaxed;

use super::{Loose, SHARE};

/// At least one part in so many of what is licensed goes back at once: the slabs are looked through each time.
const PORTION: usize = 4;

impl Loose {
    /// How many bytes more may have become free, since the slabs were last looked
    /// through, than there is a licence for: beyond `slack`, and a share of what
    /// they held then.
    pub(crate) fn excess(&self, slack: usize) -> usize {
        self.estimated_free().saturating_sub(self.licence.get() + self.unlicensed(slack))
    }

    /// Whether there may be such an excess. Mostly there is far less, and no need to divide.
    #[inline]
    pub(crate) fn may_exceed(&self, slack: usize) -> bool {
        let most = (self.freed.get() + self.stuck.get()).max(self.whole.get()) + self.remembered();
        most > self.licence.get() + self.unlicensed(slack)
    }

    /// As [`excess`](Self::excess), beyond half of what needs no licence: less than
    /// that is not worth looking again soon.
    pub(crate) fn nearly_excess(&self, slack: usize) -> usize {
        self.estimated_free().saturating_sub(self.licence.get() + self.unlicensed(slack) / 2)
    }

    /// How much is to go back where a licence was refused and `least` bytes are too much: a good part of what is free.
    /// What comes and goes is learned from what goes back and is missed, at the price of page faults, and
    /// mostly little was too much. `None` for all: that is half of what can go back or more, or much of what is free lies
    /// among live blocks, as far as is known, and each look finds little.
    pub(crate) fn portion(&self, least: usize) -> Option<usize> {
        let (portion, whole) = (least.max(self.licence.get() / PORTION), self.whole.get());
        (portion <= whole / 2 && whole >= self.estimated_free() / 4 * 3).then_some(portion)
    }

    /// Whether parts of slabs without a live block are a good part of what the owner may have, so that it
    /// matters how much is free exactly.
    pub(crate) fn is_close(&self, slack: usize) -> bool {
        self.whole.get() > (self.licence.get() + self.unlicensed(slack)) / 4
    }

    /// Whether the owner may have `more` bytes free, with what needs no licence (`slack` bytes, or a share). If
    /// so, they count as remembered from now on.
    pub(crate) fn remember(&self, more: usize, slack: usize) -> bool {
        let may = self.estimated_free() + more <= self.licence.get() + self.unlicensed(slack);
        if may {
            self.remembered.store(self.remembered() + more, Relaxed);
        }
        may
    }

    /// What is remembered in that way, at most.
    pub(crate) fn remembered(&self) -> usize {
        self.remembered.load(Relaxed)
    }

    /// The licence that is asked for at least, so as not to come again soon: a part of what the slabs
    /// hold.
    pub(crate) fn step(&self) -> usize {
        self.held.get() / (SHARE / 2)
    }

    /// What may be free without a licence.
    fn unlicensed(&self, slack: usize) -> usize {
        slack.max(self.held.get() / SHARE)
    }

    /// Bytes of the system's pages that may have become free since the last look. How many
    /// blocks keep such a page depends on the order in which they are freed: what
    /// the last look found tells best. That what lies stuck frees none is believed
    /// for half a share; beyond that, each free sets free what is free beside it on
    /// the average, but no more than twice what it frees. The last few of a page's blocks set
    /// free far more than that: it is never less than what parts without a block come to.
    pub(super) fn estimated_free(&self) -> usize {
        let (freed, held, live) = (self.freed.get(), self.held.get(), self.live.get());
        let yielded = match self.yielded.get() {
            0 => 4,
            yielded => yielded,
        };
        let by_last = (freed as u64 * yielded as u64 / 4) as usize;
        let beyond = freed.saturating_sub(held / SHARE / 2);
        let beside = held.saturating_sub(live);
        // The product of two such figures does not fit into 64 bits where a thread holds 32 GiB.
        let by_average = if beside >= live {
            2 * beyond
        } else {
            beyond + (beyond as u128 * beside as u128 / live as u128) as usize
        };
        by_last.max(by_average).min(freed + self.stuck.get()).max(self.whole.get()) + self.remembered()
    }
}
