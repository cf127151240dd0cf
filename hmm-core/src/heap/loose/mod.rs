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
//! then is exact. Between two looks:
//!
//! ```text
//!   pages of the slabs   |          live          | stuck  | freed |  hollow   |
//!                        └───────────── held ──────────────────────┘ no memory
//!                               free at the last look ┘      └ and since then
//! ```
//!
//! From these the books tell how much may lie free ([`excess`]), what of it is licensed
//! ([`licence`]), and when a look is due ([`look`]).

mod excess;
mod licence;
mod look;
#[cfg(test)]
mod tests;

use core::cell::Cell;
use core::sync::atomic::AtomicUsize;

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

/// Taken so many bytes that held no memory, an owner gives back those it does not
/// use.
const GROWN: usize = 2048 * KIB;

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
    /// What may be remembered as freed lately, beyond the little that is at first: counts as free. (An atomic: the
    /// validator may read it while the owner is at work.)
    remembered: AtomicUsize,
    /// Was free when the slabs were last looked through, and could not be given back.
    stuck: Cell<usize>,
    /// Became free since then, whether it was taken again or not.
    uncounted: Cell<usize>,
    /// How many times more something has to become free before that look is paid for: as often as there were medium slabs.
    unpaid: Cell<usize>,
    /// In parts of slabs without a live block, which could be given back: when the slabs were
    /// last looked through, and now.
    counted: Cell<usize>,
    whole: Cell<usize>,
    /// What the last look gave back for each four bytes freed before it, and as
    /// much again; 0 for four before the first.
    yielded: Cell<usize>,
    /// What of the slabs' pages held no memory after that look, and was not taken again.
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
            remembered: AtomicUsize::new(0),
            stuck: Cell::new(0),
            uncounted: Cell::new(0),
            unpaid: Cell::new(0),
            counted: Cell::new(0),
            whole: Cell::new(0),
            yielded: Cell::new(0),
            hollow: Cell::new(0),
            grown: Cell::new(0),
            refilled: Cell::new(0),
            passed: Cell::new(0),
            spare: Cell::new(0),
        }
    }

    /// What is in slabs that are kept though every slot is free.
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

    /// `bytes` bytes are free in a slab that comes in. They were counted just now: no reason to count again.
    pub(crate) fn add_counted(&self, bytes: usize) {
        self.freed.set(self.freed.get().saturating_add(bytes));
    }

    /// `bytes` bytes of slots that had become free were taken again.
    pub(crate) fn take(&self, bytes: usize) {
        self.freed.set(self.freed.get().saturating_sub(bytes));
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

    /// Such parts are in use again, or gone.
    pub(crate) fn take_whole(&self, bytes: usize) {
        self.whole.set(self.whole.get().saturating_sub(bytes));
    }

    /// A slab of `bytes` bytes came into use: whatever becomes free in it is added
    /// or was just now.
    pub(crate) fn enter(&self, bytes: usize) {
        self.held.set(self.held.get() + bytes);
        self.live.set(self.live.get() + bytes);
    }

    /// A slab of `bytes` bytes went out of use, and all of it that was counted is
    /// taken, but for its share of what lay stuck before. `uncounted` bytes of it never were.
    pub(crate) fn leave(&self, bytes: usize, uncounted: usize) {
        let (held, live) = (self.held.get(), self.live.get());
        let share =
            |bytes: usize| if held > live { (bytes as u64 * live as u64 / held as u64) as usize } else { bytes };
        let all_stuck = self.stuck.get();
        let stuck = (all_stuck as u64 * bytes as u64 / held.max(1) as u64) as usize;
        self.stuck.set(all_stuck.saturating_sub(stuck));
        self.take(bytes.saturating_sub(uncounted + stuck));
        self.held.set(held.saturating_sub(bytes));
        self.live.set(live.saturating_sub(share(bytes)));
    }

    /// What the slabs lack of memory, as far as was counted.
    #[cfg(test)]
    pub(crate) fn lacks(&self) -> usize {
        self.hollow.get()
    }

    /// The owner took a slab of `bytes` bytes that held no memory. If it did so
    /// often while much is free in its slabs, returns how much: that is of other
    /// classes, and the program may have turned to new ones.
    pub(crate) fn grew(&self, bytes: usize) -> Option<usize> {
        let grown = tell(&self.grown, bytes, GROWN.max(self.held.get() / SHARE));
        Some(self.estimated_free()).filter(|&free| grown > 0 && free >= grown)
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
}
