//! Blocks of the common owner's that lie ready: threads take them without its lock.
//!
//! ```text
//!   who holds the lock ──►  ready: | turn | 0 1 1 0 1 1 1 1 |  bit i: slot `first + i` may be taken
//!                           word:  their bitmap word, in which they are in use
//!   other threads      ◄──  base:  the address of slot `first`
//! ```
//!
//! A shelf for each class. Whoever takes a block clears its bit by compare-and-swap. The rest
//! changes only under the lock and while no bit is set, and the turn with it, so that nobody takes
//! one turn's block for another's.
//!
//! What lies here is free, though its bits say that it is in use, and in a slab that is the common
//! owner's and not FULL (I14): from one that fills up, it is withdrawn. So a second free of such a block is a
//! remote one, and goes through; it is found when the block is taken, or when that free is moved over before.

use crate::sync::Ordering::{AcqRel, Acquire, Relaxed, Release};
use crate::sync::{AtomicPtr, AtomicU32, AtomicU64};
use core::ptr;

use super::seat::Seat;
use super::{Lock, Shared};
use crate::grow::HeapGrow;
use crate::heap::Supply;
use crate::heap::cur::{Batch, Cur};
use crate::pages::pair::BitPair;
use crate::slab::{Bits, Block, locate};
use crate::units::{Class, Word};

/// The slots of a shelf lie so close to each other. The other bits of `ready` count turns, more
/// than a thread could sleep through.
const PLACES: u32 = 8;
const ALL: u64 = (1 << PLACES) - 1;

/// Bytes of a class that are laid out at most. (The lock is little beside what larger blocks cost.)
const MOST_BYTES: usize = 8 * 1024;

/// One class's. On a line of its own: threads take of many classes at once.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Shelf {
    ready: AtomicU64,
    first: AtomicU32,
    word: AtomicPtr<BitPair>,
    base: AtomicPtr<u8>,
}

impl Shelf {
    pub(super) const fn new() -> Self {
        Self {
            ready: AtomicU64::new(0),
            first: AtomicU32::new(0),
            word: AtomicPtr::new(ptr::null_mut()),
            base: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// How many blocks lie ready.
    fn count(&self) -> usize {
        (self.ready.load(Acquire) & ALL).count_ones() as usize
    }

    /// Takes the lowest block, one of `class`, if there is any. Also says whether somebody freed it
    /// while it lay here.
    fn take(&self, class: Class) -> Option<(*mut u8, bool)> {
        let mut ready = self.ready.load(Acquire);
        while ready & ALL != 0 {
            let slot = ready.trailing_zeros();
            let (first, word, base) = (self.first.load(Acquire), self.word.load(Acquire), self.base.load(Acquire));
            match self.ready.compare_exchange_weak(ready, ready & (ready - 1), AcqRel, Acquire) {
                Ok(_) => {
                    // SAFETY: the turn is still the same, and so is the word, that of a slab. Bitmaps
                    // are never unmapped.
                    let is_freed = unsafe { &*word }.is_free(1 << (first + slot));
                    return Some((base.wrapping_add(slot as usize * class.size()), is_freed));
                }
                Err(now) => ready = now,
            }
        }
        None
    }

    /// Lays out some of what the common owner has claimed of `class`, if nothing lies here. Only
    /// for who holds its lock.
    pub(super) fn stock(&self, class: Class, cur: &Cur) {
        let ready = self.ready.load(Acquire);
        if ready & ALL != 0 {
            return;
        }
        let Some(Batch { word, first, base, bits }) = cur.take_batch(PLACES, MOST_BYTES / class.size()) else { return };
        self.first.store(first, Release);
        self.word.store(ptr::from_ref(word).cast_mut(), Release);
        self.base.store(base, Release);
        self.ready.store(ready.wrapping_add(ALL + 1) | bits as u64, Release);
    }

    /// The word of which slots lie ready. (It is another slab's by now, if none does.)
    fn word(&self) -> &BitPair {
        // SAFETY: a slab's, and bitmaps are never unmapped; for who knows that there is one.
        unsafe { &*self.word.load(Acquire) }
    }

    /// The slots of these bits, which `ready` had.
    fn slots(&self, ready: u64) -> Word {
        ((ready & ALL) as Word) << self.first.load(Acquire)
    }

    /// Which slots of `word` lie ready. Only for who holds the common owner's lock. (Some may have
    /// been taken by now.)
    pub(super) fn ready_of(&self, word: &BitPair) -> Word {
        let is_here = ptr::eq(self.word.load(Acquire), word);
        if is_here { self.slots(self.ready.load(Acquire)) } else { 0 }
    }

    /// Takes what lies ready back, as free slots of its slab, if it is one of `of`, or whatever it
    /// is. Returns how many slots that are. Only for who holds the common owner's lock.
    fn withdraw(&self, of: Option<&Bits<'_>>) -> usize {
        if self.count() == 0 || of.is_some_and(|bits| bits.number_of(self.word()) >= bits.words()) {
            return 0;
        }
        let slots = self.slots(self.ready.fetch_and(!ALL, AcqRel));
        let local = &self.word().local;
        local.store(local.load(Relaxed) | slots, Relaxed);
        slots.count_ones() as usize
    }

    /// Nothing lies ready any more, and what did is lost.
    pub(super) fn forget(&self) {
        self.ready.fetch_and(!ALL, AcqRel);
    }

    /// What of this lies ready, for the validator: the word, its slots, and the address of one.
    pub(super) fn contents(&self) -> Option<(&BitPair, Word, *mut u8)> {
        let slots = self.slots(self.ready.load(Acquire));
        (slots != 0).then(|| (self.word(), slots, self.base.load(Acquire)))
    }
}

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Shared<G, L, SHIFT, C> {
    /// Where blocks of `class` lie ready.
    pub(super) fn shelf(&self, class: Class) -> &Shelf {
        &self.shelves[class.index() % C]
    }

    /// How many blocks lie ready, by class.
    pub(super) fn count_ready(&self) -> impl Iterator<Item = (usize, Class)> {
        (0..C).map(Class::nth).map(|class| (self.shelf(class).count(), class))
    }

    /// A block of `class` that lies ready, if there is one.
    pub(super) fn take_ready(&self, class: Class) -> Option<*mut u8> {
        let (block, is_freed) = self.shelf(class).take(class)?;
        if is_freed {
            if let Block::Slot(slot) = self.judge(locate(&self.map, block)) {
                self.freed_twice(slot.header, slot.index);
            }
        }
        Some(block)
    }
}

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Seat<'_, G, L, SHIFT, C> {
    /// Takes back what lies ready of `class`, if it is of this slab, or whatever it is. Says whether
    /// anything was. The common owner's seat.
    pub(super) fn withdraw(&self, class: Class, of: Option<&Bits<'_>>) -> bool {
        let slots = self.shelf(class).withdraw(of);
        self.local().loose.add(slots * class.size());
        slots > 0
    }

    /// Takes back all that lies ready. The common owner's seat.
    pub(super) fn clear_shelves(&self) {
        for class in (0..C).map(Class::nth) {
            self.withdraw(class, None);
        }
    }
}
