//! Frees from other threads, and how owners get to see them.
//!
//! ```text
//!   who frees                            the owner, now and then
//!   old = remote[w].fetch_add(bit)       s = summary.swap(0)
//!   if old == 0:                         for each w in s:
//!     summary.fetch_or(w's bit)            m = remote[w].swap(0)
//!     if that is much, and FULL:           local[w] |= m
//!       FULL → LISTED, hand over
//! ```
//!
//! * **Reuse.** The release of `fetch_add` and the acquire of the owner's swap
//!   order all accesses of the freeing thread before the slot is handed out
//!   again.
//! * **No lost bit.** The summary bit is set after the word, and the owner
//!   clears the summary before it takes the words.
//! * **No lost FULL slab.** The owner stores FULL and then looks at the
//!   summary; who frees sets the summary and then looks at the owner word.
//!   Both pairs are sequentially consistent, so one of them sees the other (I12).
//! * **No double free.** Whoever frees looks at both bits of the slot first. (Only two
//!   frees within the few nanoseconds between that look and the change can pass each
//!   other, or one and the moment in which the owner moves the bit over; and one of a slot
//!   that the owner has claimed. The owner finds two when it moves the bits, unless it handed
//!   the slot out in between.)
//! * After its `fetch_add` who frees must not rely on the slab: if that was its
//!   last live slot, it may be gone, and its page and its bitmap in other lives. Where the bits
//!   are was read before; a late summary bit means nothing to the next slab, since words
//!   that are empty when swapped are passed over, and who takes a FULL one for
//!   another hands it over early.

use crate::sync::AtomicUsize;
use crate::sync::Ordering::{Acquire, Relaxed, Release, SeqCst};

use super::owner::LISTED;
use crate::heap::FULL;
use crate::misuse::{Misuse, What};
use crate::pages::header::Header;
use crate::pages::pair::{self, BitPair};
use crate::slab::{Bits, Slot};
use crate::units::{Geometry, WORD_BITS, Word};

/// Whether so many of a slab's `words` words hold remote frees that it is
/// worth taking it back into use: an eighth, or of what the summary can tell.
pub(super) fn is_much(summary: usize, words: usize) -> bool {
    summary.count_ones() as usize * 8 >= words.min(WORD_BITS)
}

/// The words of a slab that hold remote frees, as its summary is to name them.
pub(super) fn freed_words(bits: &Bits<'_>) -> Word {
    let holds_frees = |&word: &usize| bits.remote(word).load(Relaxed) != 0;
    (0..bits.words()).filter(holds_frees).fold(0, |freed, word| freed | pair::summary_bit(word))
}

/// Whether a slab of `words` words, of which others `freed` these, is FULL, and to be handed over.
pub(super) fn is_left(header: &Header, freed: Word, words: usize) -> bool {
    header.owner.load(Relaxed) & FULL != 0 && is_much(freed, words)
}

/// Frees the slot at `p`, one of somebody else's slab. Tells the slab's owner word if that is FULL, and is to be
/// handed over now.
pub(super) fn free<const SHIFT: u32>(slot: &Slot<'_>, p: *mut u8) -> Result<Option<usize>, Misuse> {
    let header = slot.header;
    let info = Geometry::<SHIFT>::info(slot.class);
    if info.run > 1 {
        header.soil(1 << slot.index);
    }
    match mark(header, slot.index) {
        Marked::Twice => Err(slot.misuse(What::DoubleFree, p)),
        Marked::First(summary) => Ok(announce(header, summary, usize::from(info.words), bit_of(slot.index))),
        Marked::More => Ok(None),
    }
}

/// What a slot's remote bit met.
pub(super) enum Marked<'a> {
    /// The first bit of its word, which is to be announced in this summary.
    First(&'a AtomicUsize),
    /// Others.
    More,
    /// Itself, or the local one: a double free. No other slot is free for it: until the program has ended, its other
    /// threads go on, and whoever reports the end may allocate. (Unless two frees of the slot pass each other, and the
    /// owner takes the word in between.)
    Twice,
}

/// Sets the remote bit of slot `index`.
///
/// A bit that is set means a double free and no false alarm: the block
/// reached this thread after the owner had cleared both. (What is claimed is not looked
/// at: that would fetch the line that the owner writes with each allocation.)
#[inline(always)]
pub(super) fn mark(header: &Header, index: usize) -> Marked<'_> {
    let (word, bit) = (index / WORD_BITS, 1 << (index % WORD_BITS));
    let first = header.bits();
    // SAFETY: a slab's bitmap has a word for every slot index (I4), and is not
    // unmapped, ever.
    let pair = unsafe { &*first.wrapping_add(word) };
    if pair.is_free(bit) {
        return Marked::Twice;
    }
    // The bit is clear, so adding it sets it; and the processor can tell the
    // old word of a sum, but of no union, in one instruction.
    match pair.remote.fetch_add(bit, Release) {
        // SAFETY: a slab's bitmap, until just now.
        0 => Marked::First(unsafe { pair::summary(first) }),
        old if old & bit == 0 => Marked::More,
        // Another thread's free of this block came just before, and the sum went to the next slot's bit.
        old => {
            // (If the word changed meanwhile, the owner may have taken it, and there is nothing to be put right.)
            let _ = pair.remote.compare_exchange(old.wrapping_add(bit), old, Release, Relaxed);
            Marked::Twice
        }
    }
}

/// What the summary calls the word of slot `index`.
pub(super) fn bit_of(index: usize) -> Word {
    pair::summary_bit(index / WORD_BITS)
}

/// Lets the owner know that a word, or several, have remote frees now.
/// The owner word of the slab if that is FULL, and is to be handed over now.
pub(super) fn announce(header: &Header, summary: &AtomicUsize, words: usize, bit: Word) -> Option<usize> {
    let summary = summary.fetch_or(bit, SeqCst) | bit;
    let owner = header.owner.load(SeqCst);
    (owner & FULL != 0 && is_much(summary, words)).then_some(owner)
}

/// Makes a FULL slab, whose owner word was `owner`, LISTED and the caller's. Somebody else may be first; if it is the
/// owner, it drains.
pub(super) fn win(header: &Header, owner: usize) -> bool {
    header.owner.compare_exchange(owner, LISTED, SeqCst, Relaxed).is_ok()
}

/// What was moved over.
#[derive(Default)]
pub(super) struct Drained {
    /// Slots that are free locally now.
    pub(super) slots: usize,
    /// A slot that was free already: somebody freed it twice.
    pub(super) twice: Option<usize>,
}

/// Moves the remote bits of a slab of the caller's to its local bits. `claimed`: the slots of a
/// word that are free, though its local bits do not tell.
pub(super) fn drain(bits: &Bits<'_>, claimed: impl Fn(&BitPair) -> Word) -> Drained {
    let mut drained = Drained::default();
    let mut summary = bits.summary().swap(0, SeqCst);
    while summary != 0 {
        let first = summary.trailing_zeros() as usize;
        summary &= summary - 1;
        // (A late bit from the page's last life may name a word that this slab does not have.)
        for word in (first..bits.words()).step_by(WORD_BITS) {
            drained.add(bits, word, &claimed);
        }
    }
    drained
}

impl Drained {
    /// Moves the remote bits of a word, of which `claimed` is free, to its local ones. (That is asked
    /// after they were taken: what lies ready on a shelf may be taken and freed at any time.)
    fn add(&mut self, bits: &Bits<'_>, word: usize, claimed: impl Fn(&BitPair) -> Word) {
        let freed = bits.remote(word).swap(0, Acquire);
        let local = bits.local(word).load(Relaxed);
        let twice = (local | claimed(bits.pair(word))) & freed;
        if twice != 0 {
            self.twice = Some(word * WORD_BITS + twice.trailing_zeros() as usize);
        }
        bits.local(word).store(local | freed, Relaxed);
        self.slots += freed.count_ones() as usize;
    }
}

/// Marks a slab of the owner's FULL; `false` if it is worth keeping.
pub(super) fn close(header: &Header, token: usize, bits: &Bits<'_>) -> bool {
    header.owner.store(token | FULL, SeqCst);
    // If too much was freed before the mark could be seen, nobody may come
    // again to hand the slab over: take it back, unless someone just did.
    !is_much(bits.summary().load(SeqCst), bits.words()) || !reopen(header, token)
}

/// Takes the FULL slab of the owner `token` back into use; `false` if it was
/// handed over. The caller drains it.
pub(super) fn reopen(header: &Header, token: usize) -> bool {
    header.owner.compare_exchange(token | FULL, token, SeqCst, Relaxed).is_ok()
}
