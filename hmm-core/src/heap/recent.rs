//! The blocks freed lately, by class: where `malloc` looks first.
//!
//! A program that frees a block and soon wants one of its size gets the same,
//! while it is still in the cache, without a search. The entries are no more
//! than hints: the bit of such a slot says that it is free, like that of any
//! other, so double frees, remote frees and statistics need not know of them,
//! and they can be forgotten at any time.
//!
//! What must hold (I10): every entry, also one that is gone, names a slot of a
//! slab that is the owner's, of the class, and not FULL. So they are forgotten
//! before a slab is given back or marked FULL, the two ways to lose one.
//!
//! The free slots of a word are claimed ([`Cur`]) only while nothing of their class is
//! remembered, or one could be handed out twice.
//!
//! How they are kept stands in [`stacks`](super::stacks). The heap for a single owner, which
//! may live in a few KiB, does without ([`Nothing`]).

use core::ptr;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::sync::atomic::{AtomicPtr, AtomicUsize, compiler_fence};

use super::cur::Cur;
use crate::pages::pair::BitPair;
use crate::units::{Class, Word};

/// A block that was freed lately.
#[derive(Debug)]
pub(crate) struct Entry {
    block: AtomicPtr<u8>,
    word: AtomicPtr<BitPair>,
    bit: AtomicUsize,
}

impl Entry {
    pub(super) const fn new() -> Self {
        Self { block: AtomicPtr::new(ptr::null_mut()), word: AtomicPtr::new(ptr::null_mut()), bit: AtomicUsize::new(0) }
    }

    #[inline(always)]
    pub(crate) fn block(&self) -> *mut u8 {
        self.block.load(Relaxed)
    }

    /// Whether the entry, one of the calling thread's own, names `block`. (A plain load needs no
    /// register.)
    #[inline(always)]
    pub(crate) fn is_of(&self, block: *mut u8) -> bool {
        // SAFETY: nobody but the owner writes it, and this is the owner.
        let named = unsafe { self.block.as_ptr().read() };
        ptr::eq(named, block)
    }

    /// The bitmap word of the block's slot.
    #[inline(always)]
    pub(crate) fn word(&self) -> *const BitPair {
        self.word.load(Relaxed)
    }

    /// The bit of the block's slot in its word.
    #[inline(always)]
    pub(crate) fn bit(&self) -> Word {
        self.bit.load(Relaxed)
    }

    /// Names another block, or none, with the rest as it was.
    #[inline(always)]
    pub(super) fn set_block(&self, block: *mut u8) {
        self.block.store(block, Relaxed);
    }

    /// Names a block with all that belongs to it.
    #[inline(always)]
    pub(super) fn set(&self, block: *mut u8, word: *const BitPair, bit: Word) {
        self.set_block(block);
        self.word.store(word.cast_mut(), Relaxed);
        self.bit.store(bit, Relaxed);
    }

    /// Copies the entry. At no moment does `to` name a block with what belongs to another:
    /// a fork may leave it so for good.
    pub(super) fn copy_to(&self, to: &Self) {
        to.set_block(ptr::null_mut());
        compiler_fence(SeqCst);
        to.word.store(self.word().cast_mut(), Relaxed);
        to.bit.store(self.bit(), Relaxed);
        compiler_fence(SeqCst);
        to.set_block(self.block());
    }

    pub(super) fn is_in(&self, start: *const u8, bytes: usize) -> bool {
        self.block().addr().wrapping_sub(start.addr()) < bytes
    }
}

/// One owner's memory of what was freed.
///
/// `cur` is always the class's entry in the owner's table; its `top` belongs to
/// the implementation.
pub(crate) trait Recent<const C: usize> {
    const NEW: Self;

    /// Takes the block of the class that was freed last.
    fn pop(&self, cur: &Cur) -> Option<*mut u8>;

    /// Whether no block of the class is remembered.
    fn is_empty(&self, cur: &Cur) -> bool;

    /// Where the next block would be remembered; `None` if none ever is.
    fn above(&self, cur: &Cur) -> Option<&Entry>;

    /// Remembers the block that `above`, the entry for it, named until it was
    /// taken.
    fn push_again(&self, cur: &Cur);

    /// Remembers `block`, just freed, in `above`, the entry for it; `false` if there is no room.
    fn push(&self, cur: &Cur, above: &Entry, block: *mut u8, word: *const BitPair, bit: Word) -> bool;

    /// A block of `class` is not remembered. If there was no room, makes some: forgets half of the
    /// blocks, those freed last, which takes no copying. Returns how many blocks that and the one
    /// are. `seated`: nobody changes the owner's lists meanwhile, and what is
    /// remembered may move.
    fn make_room(&self, cur: &Cur, class: Class, seated: bool) -> usize;

    /// By how many blocks the room for those of `class` is to be widened, if it is full: at first there is little
    /// for larger ones.
    fn to_widen(&self, cur: &Cur, class: Class) -> usize;

    /// Makes room for `by` more blocks of `class`: what [`to_widen`](Self::to_widen) said, and not none.
    fn widen(&self, class: Class, by: usize);

    /// For how many more blocks of `class` there is room than at first.
    fn widened(&self, class: Class) -> usize;

    /// If that is more than none, remembers nothing of `class`, and has no more room than at first.
    fn narrow(&self, cur: &Cur, class: Class);

    /// Remembers nothing of `class`. Also makes it ready for its first block.
    fn forget(&self, cur: &Cur, class: Class);

    /// Remembers nothing of `class` that lies in the `bytes` bytes from `start`.
    /// Returns how many blocks that were.
    fn forget_slab(&self, cur: &Cur, class: Class, start: *const u8, bytes: usize) -> usize;

    /// Remembers nothing of `class`, nor anything new, until it is made ready again
    /// ([`forget`](Self::forget)).
    fn shut(&self, cur: &Cur, class: Class);

    /// All entries of `class`, and whether they are not gone, for the validator.
    fn entries(&self, cur: &Cur, class: Class) -> impl Iterator<Item = (&Entry, bool)>;
}

/// Remembers nothing.
#[derive(Debug)]
pub(crate) struct Nothing;

impl<const C: usize> Recent<C> for Nothing {
    const NEW: Self = Self;
    #[inline(always)]
    fn pop(&self, _: &Cur) -> Option<*mut u8> {
        None
    }

    fn is_empty(&self, _: &Cur) -> bool {
        true
    }

    #[inline(always)]
    fn above(&self, _: &Cur) -> Option<&Entry> {
        None
    }

    #[inline(always)]
    fn push_again(&self, _: &Cur) {}

    #[inline(always)]
    fn push(&self, _: &Cur, _: &Entry, _: *mut u8, _: *const BitPair, _: Word) -> bool {
        true
    }

    fn make_room(&self, _: &Cur, _: Class, _: bool) -> usize {
        0
    }

    fn to_widen(&self, _: &Cur, _: Class) -> usize {
        0
    }

    fn widen(&self, _: Class, _: usize) {}

    fn widened(&self, _: Class) -> usize {
        0
    }

    fn narrow(&self, _: &Cur, _: Class) {}

    fn forget(&self, _: &Cur, _: Class) {}

    fn forget_slab(&self, _: &Cur, _: Class, _: *const u8, _: usize) -> usize {
        0
    }

    fn shut(&self, _: &Cur, _: Class) {}

    fn entries(&self, _: &Cur, _: Class) -> impl Iterator<Item = (&Entry, bool)> {
        core::iter::empty()
    }
}
