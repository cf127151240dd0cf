//! What lies free inside an owner's slabs: counted where it costs the fast paths
//! nothing, for the heap's bound.
//!
//! ```text
//!   freed, not remembered ──►  ┌───────┐  ──► taken again, or gone with its slab
//!   moved over from others ──► │ freed │
//!                              └───┬───┘ more than slack and licence?
//!                                  ▼
//!       a licence for more, or the slabs are looked through and freed is 0 again
//! ```
//!
//! The figures are bytes, and estimates: they tell *when* to look. What is found
//! then is exact.

use core::cell::Cell;

use super::found::Found;
use crate::pages::keep::Keep;
use crate::units::{Class, STRIDE};

const KIB: usize = 1024;

/// What an owner may have without a licence is at least what its slabs hold, as
/// far as is known, divided by this.
const SHARE: usize = 64;

/// Slots up to this size are counted when all of their bitmap word are free, others
/// one by one: no page of the system's is free before all its words are.
const BY_WORD: usize = 64;

/// Whether free slots of `class` are counted by the word.
#[inline(always)]
pub(crate) fn is_by_word(class: Class) -> bool {
    class.offset() < const { Class::number_to(BY_WORD) * STRIDE }
}

/// Of what was freed, so much is taken for whole pages of the system's that became
/// free, in quarters: between one of four bytes, where it lies strewn among live
/// blocks (but see `set_free`), and four for each, where those are few.
const LEAST_YIELD: usize = 1;
const MOST_YIELD: usize = 16;

/// Taken so many bytes that held no memory, an owner gives back those it does not
/// use.
const GROWN: usize = 2048 * KIB;

/// An owner looks for what others freed in its slabs when that may be so much, or a
/// 16th of what they hold.
const AWAITED: usize = 256 * KIB;

/// Owners tell of so many refilled bytes at once, and of so many passed.
const REFILLED: usize = 64 * KIB;
const PASSED: usize = 1024 * KIB;

/// One owner's books. All zero: nothing was freed.
#[derive(Debug)]
pub(crate) struct Loose {
    /// Became free since the slabs were last looked through, and was not taken
    /// again.
    freed: Cell<usize>,
    /// May be free, as far as the run layer agreed.
    licence: Cell<usize>,
    /// Whether that is more than the heap allows by now.
    recalled: Cell<bool>,
    /// What of the slabs' pages holds memory, and what of that is in use: counted when they were last
    /// looked through, and estimated since.
    held: Cell<usize>,
    live: Cell<usize>,
    /// What may be remembered as freed lately, beyond the little that is at first: counts as free.
    remembered: Cell<usize>,
    /// What was free then, and could not be given back.
    strewn: Cell<usize>,
    /// What was added since.
    uncounted: Cell<usize>,
    /// How many times more it has to be added to before that is paid for: as often as there were medium slabs.
    unpaid: Cell<usize>,
    /// In parts of slabs without a live block, which could be given back: when the slabs were
    /// last looked through, and now.
    counted: Cell<usize>,
    whole: Cell<usize>,
    /// What the last look gave back for each four bytes freed before it, and as
    /// much again; 0 for four before the first.
    pages: Cell<usize>,
    /// What of the slabs' pages held no memory after it, and was not taken again.
    hollow: Cell<usize>,
    /// In slabs that held no memory and were taken lately.
    grown: Cell<usize>,
    /// In parts that were taken again after they had been given back.
    refilled: Cell<usize>,
    /// Made ready to be taken.
    passed: Cell<usize>,
    /// In slabs that are kept though every slot is free.
    spare: Cell<usize>,
}

/// Adds `more` to `sum`. Returns the sum, which begins anew, once it has come to
/// `least`; 0 before.
fn tell(sum: &Cell<usize>, more: usize, least: usize) -> usize {
    let all = sum.get() + more;
    let told = if all < least { 0 } else { all };
    sum.set(all - told);
    told
}

impl Loose {
    pub(crate) const fn new() -> Self {
        Self {
            freed: Cell::new(0),
            licence: Cell::new(0),
            recalled: Cell::new(false),
            held: Cell::new(0),
            live: Cell::new(0),
            remembered: Cell::new(0),
            strewn: Cell::new(0),
            uncounted: Cell::new(0),
            unpaid: Cell::new(0),
            counted: Cell::new(0),
            whole: Cell::new(0),
            pages: Cell::new(0),
            hollow: Cell::new(0),
            grown: Cell::new(0),
            refilled: Cell::new(0),
            passed: Cell::new(0),
            spare: Cell::new(0),
        }
    }

    pub(super) fn spare(&self) -> usize {
        self.spare.get()
    }

    pub(crate) fn set_spare(&self, bytes: usize) {
        self.spare.set(bytes);
    }

    /// `bytes` bytes of slots became free, and nobody remembers them.
    pub(crate) fn add(&self, bytes: usize) {
        self.uncounted.set(self.uncounted.get().saturating_add(bytes));
        self.freed.set(self.freed.get().saturating_add(bytes));
        self.unpaid.set(self.unpaid.get().saturating_sub(1));
    }

    /// Blocks that come to `bytes` are not remembered, or not any more: they have passed
    /// through the heap.
    pub(crate) fn drop_remembered(&self, bytes: usize) {
        self.passed.set(self.passed.get().saturating_add(bytes));
        self.add(bytes);
    }

    /// Parts of slabs that come to `bytes` hold no live block any more.
    pub(crate) fn add_whole(&self, bytes: usize) {
        self.whole.set(self.whole.get().saturating_add(bytes));
    }

    /// What such parts come to.
    pub(crate) fn whole(&self) -> usize {
        self.whole.get()
    }

    /// Whether that is a good part of what the owner may have, so that it matters how much
    /// it is exactly.
    pub(crate) fn is_close(&self, slack: usize) -> bool {
        self.whole.get() > (self.licence.get() + self.unlicensed(slack)) / 4
    }

    /// Such parts are in use again, or gone.
    pub(crate) fn take_whole(&self, bytes: usize) {
        self.whole.set(self.whole.get().saturating_sub(bytes));
    }

    /// So many of them were taken again.
    pub(crate) fn take(&self, bytes: usize) {
        self.freed.set(self.freed.get().saturating_sub(bytes));
    }

    /// A slab of `bytes` bytes came into use: whatever becomes free in it is added
    /// or was just now.
    pub(crate) fn enter(&self, bytes: usize) {
        self.held.set(self.held.get() + bytes);
        self.live.set(self.live.get() + bytes);
    }

    /// A slab of `bytes` bytes went out of use, and all of it that was counted is
    /// taken, but for its share of what lay strewn before. `uncounted` bytes of it never were.
    pub(crate) fn leave(&self, bytes: usize, uncounted: usize) {
        let (held, live) = (self.held.get(), self.live.get());
        let share =
            |bytes: usize| if held > live { (bytes as u64 * live as u64 / held as u64) as usize } else { bytes };
        let all_strewn = self.strewn.get();
        let strewn = (all_strewn as u64 * bytes as u64 / held.max(1) as u64) as usize;
        self.strewn.set(all_strewn.saturating_sub(strewn));
        self.take(bytes.saturating_sub(uncounted + strewn));
        self.held.set(held.saturating_sub(bytes));
        self.live.set(live.saturating_sub(share(bytes)));
    }

    /// How many bytes more may have become free, since the slabs were last looked
    /// through, than there is a licence for: beyond `slack`, and a share of what
    /// they held then.
    pub(crate) fn excess(&self, slack: usize) -> usize {
        self.set_free().saturating_sub(self.licence.get() + self.unlicensed(slack))
    }

    /// Whether there may be such an excess. Mostly there is far less, and no need to divide.
    #[inline]
    pub(crate) fn may_exceed(&self, slack: usize) -> bool {
        let most = (self.freed.get() + self.strewn.get()).max(self.whole.get()) + self.remembered.get();
        most > self.licence.get() + self.unlicensed(slack)
    }

    /// As [`excess`](Self::excess), beyond half of what needs no licence: less than
    /// that is not worth looking again soon.
    pub(crate) fn nearly_excess(&self, slack: usize) -> usize {
        self.set_free().saturating_sub(self.licence.get() + self.unlicensed(slack) / 2)
    }

    /// What is asked for at least, so as not to come again soon: a part of what the slabs
    /// hold.
    pub(crate) fn step(&self) -> usize {
        self.held.get() / (SHARE / 2)
    }

    fn unlicensed(&self, slack: usize) -> usize {
        slack.max(self.held.get() / SHARE)
    }

    /// Bytes of the system's pages that may have become free since then. How many
    /// blocks keep such a page depends on the order in which they are freed: what
    /// the last look found tells best. That what lies strewn frees none is believed
    /// for half a share; beyond that, each free sets free what is free beside it on
    /// the average, but no more than twice what it frees. The last few of a page's blocks set
    /// free far more than that: it is never less than what parts without a block come to.
    fn set_free(&self) -> usize {
        let (freed, held, live) = (self.freed.get(), self.held.get(), self.live.get());
        let pages = match self.pages.get() {
            0 => 4,
            pages => pages,
        };
        let by_last = (freed as u64 * pages as u64 / 4) as usize;
        let beyond = freed.saturating_sub(held / SHARE / 2);
        let beside = held.saturating_sub(live);
        // The product of two such figures does not fit into 64 bits where a thread holds 32 GiB.
        let by_average = if beside >= live {
            2 * beyond
        } else {
            beyond + (beyond as u128 * beside as u128 / live as u128) as usize
        };
        by_last.max(by_average).min(freed + self.strewn.get()).max(self.whole.get()) + self.remembered.get()
    }

    /// Whether the owner may have `more` bytes free, with what needs no licence (`slack` bytes, or a share). If
    /// so, they count as remembered from now on.
    pub(crate) fn remember(&self, more: usize, slack: usize) -> bool {
        let may = self.set_free() + more <= self.licence.get() + self.unlicensed(slack);
        if may {
            self.remembered.set(self.remembered.get() + more);
        }
        may
    }

    /// What is remembered in that way, at most.
    pub(crate) fn remembered(&self) -> usize {
        self.remembered.get()
    }

    /// What may be free, as far as the run layer agreed.
    #[cfg(test)]
    pub(crate) fn licence(&self) -> usize {
        self.licence.get()
    }

    /// What the slabs lack of memory, as far as was counted.
    #[cfg(test)]
    pub(crate) fn lacks(&self) -> usize {
        self.hollow.get()
    }

    /// Whether there is a licence.
    pub(crate) fn has_licence(&self) -> bool {
        self.licence.get() > 0
    }

    /// Whether there is a licence, and so much was added since the slabs were last
    /// looked through that it may be needed no more.
    pub(crate) fn is_licence_old(&self) -> bool {
        self.licence.get() > 0 && self.uncounted.get() > self.held.get().max(self.licence.get())
    }

    /// Whether so much was added since the slabs were last looked through that it
    /// is worth doing so again, if only to count, or so many parts became free that it is worth it for what
    /// goes back. (Of medium slabs, a few blocks are much, and each look takes a hundred instructions a slab.)
    pub(crate) fn is_recount_due(&self) -> bool {
        let share = self.held.get() / SHARE;
        let is_much = self.uncounted.get() >= share || self.whole.get() >= self.counted.get() + share / 2;
        is_much && self.unpaid.get() == 0
    }

    /// Whether `bytes` that others may have freed in the owner's slabs are worth the same.
    pub(crate) fn is_worth_a_look(&self, bytes: usize) -> bool {
        bytes >= AWAITED.max(self.held.get() / (SHARE / 4))
    }

    /// The slabs were looked through, and nothing given back: what is free now and
    /// was not the last time is what was freed.
    pub(crate) fn recounted(&self, found: &Found) {
        let strewn = self.strewn.get().min(found.free);
        self.strewn.set(strewn);
        self.uncounted.set(0);
        self.unpaid.set(found.medium);
        self.counted.set(found.whole);
        self.whole.set(found.whole);
        self.freed.set(found.free - strewn);
        self.held.set(found.held);
        self.live.set(found.held - found.thin);
    }

    /// A licence for `bytes` more was given.
    pub(crate) fn license(&self, bytes: usize) {
        self.licence.set(self.licence.get() + bytes);
    }

    /// The part of the licence that is not needed any more, if it is not little.
    pub(crate) fn unneeded(&self) -> usize {
        let (licence, free) = (self.licence.get(), self.set_free());
        let enough = free + free / 4;
        if enough < licence / 8 * 7 { licence - enough } else { 0 }
    }

    /// Whether that is most of it.
    pub(crate) fn is_mostly_unneeded(&self) -> bool {
        self.unneeded() > self.licence.get() / 2
    }

    /// That part of the licence ends. (Under the run layer's lock, as all that changes both books: a fork by another
    /// thread, or a handler that must not wait, would leave them apart.)
    pub(crate) fn return_unneeded<const SHIFT: u32>(&self, keep: &mut Keep<SHIFT>) {
        let unneeded = self.unneeded();
        self.licence.set(self.licence.get() - unneeded);
        keep.return_license(unneeded);
    }

    /// The heap allows less than all licences come to: this one ends soon, if
    /// there is one, and what lies free goes back.
    pub(crate) fn recall(&self) {
        self.recalled.set(self.licence.get() > 0);
    }

    /// Whether that is to be done now.
    pub(crate) fn is_recalled(&self) -> bool {
        self.recalled.take()
    }

    /// The owner took a slab of `bytes` bytes that held no memory. If it did so
    /// often while much is free in its slabs, returns how much: that is of other
    /// classes, and the program may have turned to new ones.
    pub(crate) fn grew(&self, bytes: usize) -> Option<usize> {
        let grown = tell(&self.grown, bytes, GROWN.max(self.held.get() / SHARE));
        Some(self.set_free()).filter(|&free| grown > 0 && free >= grown)
    }

    /// `bytes` of parts that had been given back were taken again. Returns how
    /// many that makes, if it is worth telling.
    pub(crate) fn refilled(&self, bytes: usize) -> usize {
        tell(&self.refilled, bytes, REFILLED)
    }

    /// `bytes` bytes of what held no memory are taken again, or gone with their slab. Returns how many of them were
    /// counted.
    pub(crate) fn fill(&self, bytes: usize) -> usize {
        let filled = bytes.min(self.hollow.get());
        self.hollow.set(self.hollow.get() - filled);
        filled
    }

    /// `bytes` were made ready to be taken. Returns how many that makes, if it is
    /// worth telling.
    pub(crate) fn passed(&self, bytes: usize) -> usize {
        tell(&self.passed, bytes, PASSED)
    }

    /// The slabs were looked through. Returns the licence, which ends, and what of
    /// the slabs' pages holds no memory now and held none before.
    pub(crate) fn settle(&self, found: &Found) -> (usize, [usize; 2]) {
        let freed = self.freed.replace(0).max(1);
        self.spare.set(0);
        self.remembered.set(0);
        self.pages.set((8 * found.gone / freed).clamp(LEAST_YIELD, MOST_YIELD));
        self.strewn.set(found.free);
        self.uncounted.set(0);
        self.unpaid.set(found.medium);
        self.counted.set(0);
        self.whole.set(0);
        self.held.set(found.held);
        self.live.set(found.held - found.thin);
        let hollow = found.hollow();
        (self.licence.take(), [hollow, self.hollow.replace(hollow)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_remembered_counts_as_free() {
        let loose = Loose::new();
        assert!(loose.remember(3 * KIB, 4 * KIB) && !loose.remember(2 * KIB, 4 * KIB));
        loose.add(KIB);
        assert_eq!(loose.excess(4 * KIB), 0);
        assert!(!loose.may_exceed(4 * KIB));
        loose.add(KIB);
        assert_eq!(loose.excess(4 * KIB), KIB);
        assert!(loose.may_exceed(4 * KIB));
        loose.license(8 * KIB);
        assert!(loose.remember(2 * KIB, 4 * KIB));
        assert_eq!(loose.settle(&Found::default()).0, 8 * KIB);
        assert_eq!((loose.remembered(), loose.excess(0)), (0, 0));
    }

    #[test]
    fn slabs_are_counted_again_when_that_is_paid_for() {
        let loose = Loose::new();
        loose.recounted(&Found { medium: 3, held: 192 * KIB, ..Found::default() });
        let dues: [bool; 4] = core::array::from_fn(|_| {
            loose.add(48 * KIB);
            loose.is_recount_due()
        });
        assert_eq!(dues, [false, false, true, true]);
    }

    #[test]
    fn a_thread_may_hold_more_than_products_of_64_bits_tell() {
        let loose = Loose::new();
        loose.held.set(1 << 40);
        loose.live.set(3 << 38);
        loose.freed.set(1 << 36);
        let free = loose.set_free();
        assert!((1 << 36..=1 << 37).contains(&free), "{free} bytes");
    }
}
