//! What blocks of a class are taken from: what is remembered, then the free slots
//! of the current word.
//!
//! ```text
//!   top  ──► the entry of the block that was freed last
//!   free     0 0 1 0 1 1 …        bit i: slot i of the word is free, and comes next
//!   word ──► 0 1 0 0 0 0 …        those are in use there
//!   base ──► | slot 0 | slot 1 |  each `size` bytes
//! ```
//!
//! When a word becomes current, its free slots are **claimed**: from then on the owner alone
//! keeps them, and no allocation writes to the bitmap, whose lines go to and fro between
//! processors where others free what this one allocates. The owner's frees look here, too. Others'
//! do not: one that frees again what was freed and is claimed by now is seen only if the owner
//! moves that free over before it hands the slot out.

use core::ptr;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::sync::atomic::{AtomicPtr, AtomicUsize, compiler_fence};

#[cfg(doc)]
use super::recent::Recent;
use crate::pages::pair::BitPair;
use crate::sync::AtomicU32;
use crate::units::{STRIDE, Word};

/// One class's. The fields are atomics, as all is that others read of an owner, who look in from
/// elsewhere: the validator, and signal handlers that interrupt the owner. They
/// are loaded and stored like plain ones. All zero: there is nothing to take.
#[derive(Debug)]
#[repr(C, align(32))]
pub(crate) struct Cur {
    /// See [`Recent`].
    top: AtomicU32,
    /// Bytes of a slot.
    size: AtomicU32,
    /// Null if there is no current word.
    word: AtomicPtr<BitPair>,
    /// The address of the word's first slot.
    base: AtomicPtr<u8>,
    /// The slots of the word that are claimed.
    free: AtomicUsize,
}

const _: () = assert!(size_of::<Cur>() == STRIDE, "a class is an offset in the table");

/// What was claimed of a word.
#[derive(Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub(crate) word: &'a BitPair,
    pub(crate) free: Word,
}

impl Cur {
    pub(super) const fn new() -> Self {
        Self {
            top: AtomicU32::new(0),
            size: AtomicU32::new(0),
            word: AtomicPtr::new(ptr::null_mut()),
            base: AtomicPtr::new(ptr::null_mut()),
            free: AtomicUsize::new(0),
        }
    }

    #[inline(always)]
    pub(super) fn top(&self) -> usize {
        self.top.load(Relaxed) as usize
    }

    #[inline(always)]
    pub(super) fn set_top(&self, top: usize) {
        self.top.store(top as u32, Relaxed);
    }

    /// Takes the lowest claimed slot, if any is left.
    #[inline(always)]
    pub(super) fn take_lowest(&self) -> Option<*mut u8> {
        let free = self.free.load(Relaxed);
        if free == 0 {
            return None;
        }
        self.free.store(free & (free - 1), Relaxed);
        let slot = free.trailing_zeros() as usize;
        Some(self.base.load(Relaxed).wrapping_add(slot * self.size.load(Relaxed) as usize))
    }

    /// Takes the lowest claimed slots, `most` at most, which all lie in the `places` from the first
    /// one on.
    pub(crate) fn take_batch(&self, places: u32, most: usize) -> Option<Batch<'_>> {
        let Claim { word, free } = self.current().filter(|claim| claim.free != 0 && most > 0)?;
        let first = free.trailing_zeros();
        let mut bits = free >> first & !(Word::MAX << places);
        while bits.count_ones() as usize > most {
            bits ^= 1 << bits.ilog2();
        }
        self.free.store(free & !(bits << first), Relaxed);
        let base = self.base.load(Relaxed).wrapping_add(first as usize * self.size.load(Relaxed) as usize);
        Some(Batch { word, first, base, bits })
    }

    /// Puts a slot that was just freed back among those that are claimed, if it is one of the
    /// current word.
    #[inline(always)]
    pub(super) fn put_back(&self, word: &BitPair, bit: Word) {
        if self.is_at(word) {
            word.take(bit);
            self.free.store(self.free.load(Relaxed) | bit, Relaxed);
        }
    }

    /// The slots of `word` that are claimed. (Without a branch: whether a block that is freed is one
    /// of the current word's is a toss of a coin in small programs.)
    #[inline(always)]
    pub(crate) fn claimed_of(&self, word: *const BitPair) -> Word {
        // SAFETY: nobody but the owner writes it, and this is the owner. (A plain load takes no
        // register for itself.)
        let free = unsafe { self.free.as_ptr().read() };
        let apart = self.word.load(Relaxed).addr() ^ word.addr();
        // Where addresses have 64 bits, those of one program agree in the highest one. (Of no word
        // nothing is claimed.)
        let all_if_same = match Word::BITS {
            64 => (apart.wrapping_sub(1) as isize >> 63) as usize,
            _ => usize::from(apart == 0).wrapping_neg(),
        };
        free & all_if_same
    }

    /// How many slots are claimed.
    pub(crate) fn claimed(&self) -> usize {
        self.free.load(Relaxed).count_ones() as usize
    }

    /// The current word and what of it is claimed.
    pub(crate) fn current(&self) -> Option<Claim<'_>> {
        // SAFETY: the word is one of a live slab's bitmap, which is never
        // unmapped, or null.
        let word = unsafe { self.word.load(Relaxed).as_ref() }?;
        Some(Claim { word, free: self.free.load(Relaxed) })
    }

    /// Takes blocks from these slots from now on: from those that are free.
    pub(super) fn set(&self, slots: &Slots<'_>, free: Word) {
        self.unclaim();
        compiler_fence(SeqCst);
        self.base.store(slots.base, Relaxed);
        self.size.store(slots.size, Relaxed);
        compiler_fence(SeqCst);
        self.claim(Some(Claim { word: slots.word, free }));
    }

    /// Takes blocks from no word, whose claimed slots are free as others are.
    pub(crate) fn unclaim(&self) -> Option<Claim<'_>> {
        let claim = self.park()?;
        self.word.store(ptr::null_mut(), Relaxed);
        Some(claim)
    }

    /// Takes no blocks from the current word, whose claimed slots are free as others are, until
    /// they are claimed again.
    pub(crate) fn park(&self) -> Option<Claim<'_>> {
        let claim = self.current()?;
        if claim.free != 0 {
            // A signal handler finds the slots free nowhere for a moment, not twice.
            self.free.store(0, Relaxed);
            compiler_fence(SeqCst);
            claim.word.local.store(claim.word.local.load(Relaxed) | claim.free, Relaxed);
        }
        Some(claim)
    }

    /// Claims free slots of a word, of which none is remembered: a new word's, or what was
    /// claimed before, since when nothing else has taken them.
    pub(crate) fn claim(&self, claim: Option<Claim<'_>>) {
        let Some(Claim { word, free }) = claim else { return };
        if free != 0 {
            word.local.store(word.local.load(Relaxed) & !free, Relaxed);
        }
        self.word.store(ptr::from_ref(word).cast_mut(), Relaxed);
        compiler_fence(SeqCst);
        self.free.store(free, Relaxed);
    }

    /// Whether blocks are taken from `word` right now.
    #[inline(always)]
    pub(crate) fn is_at(&self, word: *const BitPair) -> bool {
        ptr::eq(self.word.load(Relaxed), word)
    }
}

/// Slots of a word that are taken together.
pub(crate) struct Batch<'a> {
    pub(crate) word: &'a BitPair,
    /// The lowest one, and its address.
    pub(crate) first: u32,
    pub(crate) base: *mut u8,
    /// Bit i: slot `first + i`.
    pub(crate) bits: Word,
}

/// The slots of one bitmap word.
#[derive(Clone, Copy)]
pub(crate) struct Slots<'a> {
    pub(crate) word: &'a BitPair,
    /// The address of the first one.
    pub(crate) base: *mut u8,
    /// How many there are: the word's lowest bits.
    pub(crate) count: u32,
    /// Bytes of each.
    pub(crate) size: u32,
}

impl Slots<'_> {
    /// The bits of the word that are free slots.
    pub(crate) fn free(&self) -> Word {
        self.word.local.load(Relaxed) & Word::MAX >> (Word::BITS - self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_lies_close_together_from_the_lowest_slot_on() {
        let (word, base) = (BitPair::default(), ptr::without_provenance_mut(0x10000));
        let cur = Cur::new();
        assert!(cur.take_batch(8, 8).is_none(), "there is no word");
        let top = Word::BITS - 1;
        let free = 1 << top | 1 << 13 | 0b1101 << 5;
        cur.set(&Slots { word: &word, base, count: Word::BITS, size: 64 }, free);
        assert!(cur.take_batch(8, 0).is_none(), "none is wanted");
        let take = |most| cur.take_batch(8, most).map(|batch| (batch.first, batch.base.addr(), batch.bits));
        assert_eq!(take(2), Some((5, 0x10000 + 5 * 64, 0b101)));
        assert_eq!(take(8), Some((8, 0x10000 + 8 * 64, 0b100001)));
        assert_eq!(take(8), Some((top, 0x10000 + top as usize * 64, 1)));
        assert_eq!(take(8), None);
    }
}
