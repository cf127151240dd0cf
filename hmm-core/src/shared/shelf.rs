//! Blocks of the common owner's that lie ready: threads take them without its lock.
//!
//! ```text
//!   who holds the lock ──►  ready: | turn | 0 1 1 0 1 1 1 1 |  bit i: slot `first + i` may be taken
//!                           word:  their bitmap word, in which they are in use
//!   other threads      ◄──  base:  the address of slot `first`
//! ```
//!
//! A shelf for each class. Whoever takes a block clears its bit by compare-and-swap. The rest
//! changes only while no bit is set, and the turn with it, so that nobody takes one turn's
//! block for another's.
//!
//! What lies here is free, though its bits say that it is in use (I14). So a second free of such a block
//! goes through; it is found when the block is taken, or when that free is moved over before.

use crate::sync::Ordering::{AcqRel, Acquire, Release};
use crate::sync::{AtomicPtr, AtomicU32, AtomicUsize};
use core::ptr;

use super::{Lock, Shared};
use crate::grow::HeapGrow;
use crate::heap::local::{Batch, Cur};
use crate::pages::pair::BitPair;
use crate::slab::{Block, Slot, locate};
use crate::units::{Class, Word};

/// The slots of a shelf lie so close to each other. The other bits of `ready` count turns, more
/// than a thread could sleep through.
const PLACES: u32 = 8;
const ALL: Word = (1 << PLACES) - 1;

/// Bytes of a class that are laid out at most. (The lock is little beside what larger blocks cost.)
const MOST: usize = 8 * 1024;

/// One class's. On a line of its own: threads take of many classes at once.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Shelf {
    ready: AtomicUsize,
    first: AtomicU32,
    word: AtomicPtr<BitPair>,
    base: AtomicPtr<u8>,
}

impl Shelf {
    pub(super) const fn new() -> Self {
        Self {
            ready: AtomicUsize::new(0),
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
        let Some(Batch { word, first, base, bits }) = cur.take_batch(PLACES, MOST / class.size()) else { return };
        self.first.store(first, Release);
        self.word.store(ptr::from_ref(word).cast_mut(), Release);
        self.base.store(base, Release);
        self.ready.store(ready.wrapping_add(ALL + 1) | bits, Release);
    }

    /// Which slots of `word` lie ready. (Some may have been taken by now, and none is missing that is
    /// this thread's to know of.)
    pub(super) fn ready_of(&self, word: &BitPair) -> Word {
        let before = self.ready.load(Acquire);
        let (first, there) = (self.first.load(Acquire), self.word.load(Acquire));
        let now = self.ready.load(Acquire);
        let is_one_turn = (before ^ now) <= ALL;
        if is_one_turn && ptr::eq(there, word) { (now & ALL) << first } else { 0 }
    }

    /// Whether all that lies here is in use as far as its bits tell (I14). For quiet moments.
    pub(super) fn is_in_use(&self) -> bool {
        let ready = (self.ready.load(Acquire) & ALL) << self.first.load(Acquire);
        // SAFETY: as in `take`.
        ready == 0 || !unsafe { &*self.word.load(Acquire) }.is_free(ready)
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
            self.with_slot(block, |slot| self.freed_twice(slot.header, slot.index));
        }
        Some(block)
    }

    /// Frees what lies ready, as threads do.
    pub(super) fn clear_shelves(&self) {
        for class in (0..C).map(Class::nth) {
            while let Some(block) = self.take_ready(class) {
                self.with_slot(block, |slot| self.judge(self.free_remote(slot, block)));
            }
        }
    }

    fn with_slot(&self, block: *mut u8, f: impl FnOnce(&Slot<'_>)) {
        if let Ok(Block::Slot(slot)) = locate(&self.map, block) {
            f(&slot);
        }
    }
}
