//! A word of a slab's bitmap, twice: side by side, so that whoever changes the one and
//! looks at the other touches one cache line.
//!
//! ```text
//!   local:   0 0 1 0 1 1 …    bit i: slot i is free, for the slab's owner, and not claimed
//!   remote:  0 1 0 0 0 0 …    bit i: others freed it, and the owner has not looked yet
//!
//!   a bitmap:  | summary | local 0 | remote 0 | local 1 | remote 1 | …
//!                bit w: remote word w may hold frees, or the one that is as many
//!                further on as the summary has bits
//! ```
//!
//! Every free reads the page's header, whichever thread it is on, so what frees of others write
//! lies here and not there.

use crate::sync::AtomicUsize;
use crate::sync::Ordering::Relaxed;
use crate::units::{WORD_BITS, Word};

/// The bits of one word's slots: one for each slot in either half.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct BitPair {
    /// Changed by the owner alone, without atomic read-modify-write.
    pub(crate) local: AtomicUsize,
    /// Changed by anyone.
    pub(crate) remote: AtomicUsize,
}

/// The summary of the bitmap that begins with `first`. Written by any thread; late bits may
/// reach a bitmap in its next life and mean nothing there.
///
/// # Safety
///
/// `first` was a slab's [`Header::bits`](super::header::Header::bits) once.
pub(crate) unsafe fn summary<'a>(first: *const BitPair) -> &'a AtomicUsize {
    // SAFETY: there is such a word before any bitmap (I4), and both stay for good.
    unsafe { &*first.cast::<AtomicUsize>().wrapping_sub(1) }
}

/// The bit of a summary that tells of remote word `word`.
#[inline(always)]
pub(crate) fn summary_bit(word: usize) -> Word {
    1 << (word % WORD_BITS)
}

impl BitPair {
    /// Whether the slot of `bit` is free, whoever freed it.
    #[inline(always)]
    pub(crate) fn is_free(&self, bit: Word) -> bool {
        (self.local.load(Relaxed) | self.remote.load(Relaxed)) & bit != 0
    }

    /// Sets the local bit of a slot that its owner frees, and returns the word as it is
    /// now; `None` if the slot is free already, whoever freed it, or claimed by the owner.
    #[inline(always)]
    pub(crate) fn free(&self, bit: Word, claimed: impl FnOnce() -> Word) -> Option<Word> {
        let local = self.local.load(Relaxed);
        let free = local | self.remote.load(Relaxed);
        if (free | claimed()) & bit != 0 {
            return None;
        }
        self.local.store(local | bit, Relaxed);
        Some(local | bit)
    }

    /// Clears the local bit of a free slot, which the owner hands out, or claims.
    #[inline(always)]
    pub(crate) fn take(&self, bit: Word) {
        self.local.store(self.local.load(Relaxed) ^ bit, Relaxed);
    }
}
