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

use super::collect::Found;

const KIB: usize = 1024;

/// What an owner may have without a licence is at least what its slabs held
/// when they were last looked through, divided by this.
const SHARE: usize = 32;

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
    /// What the slabs held when they were last looked through; what of that was
    /// in use; and what of their pages held no memory.
    held: Cell<usize>,
    live: Cell<usize>,
    hollow: Cell<usize>,
    /// In slabs that held no memory and were taken lately.
    grown: Cell<usize>,
    /// In parts that were taken again after they had been given back.
    refilled: Cell<usize>,
    /// Made ready to be taken.
    passed: Cell<usize>,
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
            hollow: Cell::new(0),
            grown: Cell::new(0),
            refilled: Cell::new(0),
            passed: Cell::new(0),
        }
    }

    /// `bytes` bytes of slots became free, and nobody remembers them.
    pub(crate) fn add(&self, bytes: usize) {
        self.freed.set(self.freed.get().saturating_add(bytes));
    }

    /// So many of them were taken again.
    pub(crate) fn take(&self, bytes: usize) {
        self.freed.set(self.freed.get().saturating_sub(bytes));
    }

    /// A slab of `bytes` bytes went back: as much of it as was in use when it was
    /// last looked through, on the whole, was freed since.
    pub(crate) fn take_slab(&self, bytes: usize) {
        let (held, live) = (self.held.get() as u64, self.live.get() as u64);
        self.take(if held > live { (bytes as u64 * live / held) as usize } else { bytes });
    }

    /// How many bytes more may have become free, since the slabs were last looked
    /// through, than there is a licence for: beyond `slack`, and a share of what
    /// they held then.
    pub(crate) fn excess(&self, slack: usize) -> usize {
        let most = self.licence.get() + slack.max(self.held.get() / SHARE);
        self.set_free().saturating_sub(most)
    }

    /// Bytes of the system's pages that may have become free since then. The fewer
    /// blocks hold such a page, the more of them each free sets free.
    fn set_free(&self) -> usize {
        let (freed, held, live) = (self.freed.get(), self.held.get(), self.live.get());
        if held <= live {
            return freed;
        }
        let set_free = (freed as u64).saturating_mul(held as u64) / (live as u64).max(1);
        (set_free as usize).min(held.max(freed))
    }

    /// A licence for `bytes` more was given.
    pub(crate) fn license(&self, bytes: usize) {
        self.licence.set(self.licence.get() + bytes);
    }

    /// The part of the licence that is not needed any more, if it is most of
    /// it: the caller returns it.
    pub(crate) fn unneeded(&self) -> usize {
        let (licence, free) = (self.licence.get(), self.set_free());
        let unneeded = if free < licence / 2 { licence - free } else { 0 };
        self.licence.set(licence - unneeded);
        unneeded
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

    /// The owner took a slab of `bytes` bytes that held no memory. If much is free
    /// in its slabs, that is of other classes: the program turns to new ones.
    pub(crate) fn grew(&self, bytes: usize) {
        let grown = tell(&self.grown, bytes, GROWN);
        if grown > 0 && self.set_free() >= grown {
            self.recall();
        }
    }

    /// `bytes` of parts that had been given back were taken again. Returns how
    /// many that makes, if it is worth telling.
    pub(crate) fn refilled(&self, bytes: usize) -> usize {
        tell(&self.refilled, bytes, REFILLED)
    }

    /// `bytes` were made ready to be taken. Returns how many that makes, if it is
    /// worth telling.
    pub(crate) fn passed(&self, bytes: usize) -> usize {
        tell(&self.passed, bytes, PASSED)
    }

    /// The slabs were looked through. Returns the licence, which ends, and what of
    /// the slabs' pages holds no memory now and held none before.
    pub(crate) fn settle(&self, found: &Found) -> (usize, [usize; 2]) {
        self.freed.set(0);
        self.held.set(found.held);
        self.live.set(found.held - found.free);
        let hollow = found.hollow();
        (self.licence.take(), [hollow, self.hollow.replace(hollow)])
    }
}
