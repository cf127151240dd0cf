//! The bitmap of a slab.

use crate::sync::AtomicUsize;
use crate::sync::Ordering::Relaxed;

use crate::pages::header::Header;
use crate::pages::pair::{self, BitPair};
use crate::units::{WORD_BITS, Word};

/// The word of a bitmap in which every slot is free.
pub(crate) const ALL_FREE: Word = !0;

/// The ones in `word`. Most words of a slab are all free or all in use where programs
/// free what they took together, and few processors' basic instructions count ones.
pub(crate) fn ones(word: Word) -> u32 {
    match word {
        0 => 0,
        ALL_FREE => Word::BITS,
        _ => word.count_ones(),
    }
}

/// A slab's bitmap: `words` words, each local and remote.
///
/// The last word may have more bits than the slab has slots left. These
/// **phantom bits** are always 1 in the local word and 0 in the remote one: a
/// full word is all ones wherever it lies, and a free at an address that is no
/// slot finds its bit set like a double free. They are never claimed, and so
/// never handed out.
#[derive(Clone, Copy)]
pub(crate) struct Bits<'a> {
    first: *const BitPair,
    words: usize,
    header: &'a Header,
}

impl<'a> Bits<'a> {
    /// The bitmap of the slab with this header, of `words` words.
    pub(crate) fn new(header: &'a Header, words: usize) -> Self {
        Self { first: header.bits(), words, header }
    }

    pub(crate) fn words(&self) -> usize {
        self.words
    }

    /// The words handed out from so far.
    pub(crate) fn touched(&self) -> usize {
        self.header.touched()
    }

    /// Word `word`.
    pub(crate) fn pair(&self, word: usize) -> &'a BitPair {
        debug_assert!(word < self.words);
        // SAFETY: a slab's bitmap has `words` words (I4) and is not unmapped,
        // ever.
        unsafe { &*self.first.wrapping_add(word) }
    }

    /// Local word `word`.
    pub(crate) fn local(&self, word: usize) -> &'a AtomicUsize {
        &self.pair(word).local
    }

    /// Remote word `word`.
    pub(crate) fn remote(&self, word: usize) -> &'a AtomicUsize {
        &self.pair(word).remote
    }

    /// The number of a word of the bitmap.
    pub(crate) fn number_of(&self, word: &BitPair) -> usize {
        core::ptr::from_ref(word).addr().wrapping_sub(self.first.addr()) / size_of::<BitPair>()
    }

    /// Which remote words may hold frees.
    pub(crate) fn summary(&self) -> &'a AtomicUsize {
        // SAFETY: a slab's bitmap.
        unsafe { pair::summary(self.first) }
    }

    /// The phantom bits of word `word` in a slab of `slots` slots.
    pub(crate) fn phantoms(word: usize, slots: usize) -> Word {
        let left = slots.saturating_sub(word * WORD_BITS);
        if left >= WORD_BITS { 0 } else { ALL_FREE << left }
    }

    /// Makes every slot free.
    pub(crate) fn fill(&self) {
        for word in 0..self.words {
            self.local(word).store(ALL_FREE, Relaxed);
            self.remote(word).store(0, Relaxed);
        }
    }

    /// Whether every slot is free and no remote free is pending: a pending
    /// slot is not free locally.
    pub(crate) fn all_free(&self) -> bool {
        let is_free = |word| self.local(word).load(Relaxed) == ALL_FREE;
        // Where blocks are freed in the order of their addresses, or against it, the ends
        // tell most.
        is_free(self.words - 1) && (0..self.words).all(is_free)
    }

    /// Whether any slot is free locally, in a slab of `slots` slots.
    pub(crate) fn any_free(&self, slots: usize) -> bool {
        (0..self.words).any(|word| self.local(word).load(Relaxed) != Self::phantoms(word, slots))
    }

    /// The bits of local word `word` that are free slots, in a slab of `slots`.
    pub(crate) fn free_in(&self, word: usize, slots: usize) -> Word {
        match self.local(word).load(Relaxed) {
            0 => 0,
            free => free & !Self::phantoms(word, slots),
        }
    }

    /// Whether the slots `first..end` are all free locally.
    pub(crate) fn are_free(&self, first: usize, end: usize) -> bool {
        if first >= end {
            return true;
        }
        let (last, above) = ((end - 1) / WORD_BITS, WORD_BITS - 1 - (end - 1) % WORD_BITS);
        let (mut word, mut mask) = (first / WORD_BITS, ALL_FREE << (first % WORD_BITS));
        while word < last {
            if self.local(word).load(Relaxed) & mask != mask {
                return false;
            }
            (word, mask) = (word + 1, ALL_FREE);
        }
        mask &= ALL_FREE >> above;
        self.local(word).load(Relaxed) & mask == mask
    }

    /// How many slots are free locally, in a slab of `slots`.
    pub(crate) fn count_free(&self, slots: usize) -> usize {
        let phantoms = self.words * WORD_BITS - slots;
        let ones: u32 = (0..self.words).map(|word| ones(self.local(word).load(Relaxed))).sum();
        (ones as usize).saturating_sub(phantoms)
    }

    /// How many were freed remotely.
    pub(crate) fn count_remote(&self) -> usize {
        (0..self.words).map(|word| self.remote(word).load(Relaxed).count_ones() as usize).sum()
    }

    /// Whether slot `slot` is in use: neither free nor freed remotely.
    pub(crate) fn is_live(&self, slot: usize) -> bool {
        !self.pair(slot / WORD_BITS).is_free(1 << (slot % WORD_BITS))
    }
}
