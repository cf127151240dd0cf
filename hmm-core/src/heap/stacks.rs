//! How the blocks freed lately are remembered: a stack for each class.
//!
//! ```text
//!   | bottom | entry | entry | entry | gone | gone | … | wall |
//!     null                      ^ top    ^ what was taken last still stands here
//!   entry: the block, its bitmap word, its bit in there
//! ```
//!
//! A stack of one of the many classes beyond 64 bytes, up to 1 KiB, begins with room for 8 blocks and
//! moves when it is full to where it has 64: most are never full, and lie side by side. Those of the
//! classes up to 64 bytes have room for 64 from the start.
//!
//! One of a larger class begins with room for 64 KiB, and gets twice as much when it is full, up to 14
//! blocks, as far as the owner may have that free ([`Loose`]): what it may remember then is counted, whether it does or not.
//!
//! A full stack drops half of what it has: more is being freed than taken, and
//! what is not remembered is counted ([`Loose`]), for the bound on what lies free
//! inside slabs.
//!
//! A signal handler may come at any time, and takes and frees blocks of its own.
//! Whoever moves entries closes the class meanwhile: there is nothing to take,
//! and no room.
//!
//! The stacks take more room than everything else of an owner, and only the
//! touched ones cost memory where tables are mapped.

use core::mem::offset_of;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::sync::atomic::{AtomicU8, compiler_fence};
use core::{hint, ptr};

use super::cur::Cur;
#[cfg(doc)]
use super::loose::Loose;
use super::loose::is_by_word;
use super::recent::{Entry, Recent};
use crate::pages::pair::BitPair;
use crate::units::{Class, Word};

/// Entries of a stack, bottom and wall included, for the sizes that programs
/// use by the thousand (a whole word's slots) and for larger ones. Where frees
/// and allocations come at random, a stack is now and then empty or full; each
/// time the processor guesses wrong, which costs as much as the rest of the
/// call.
const DEEP: usize = 66;
const SHALLOW: usize = 16;

/// Of the former, most classes need few, and begin with so many: those of many classes lie
/// on one page of the system's.
const FEW_ENTRIES: usize = 10;

/// Bytes that the blocks of a larger size's stack come to at first, but for two blocks.
const NARROW: usize = 64 * 1024;

/// How many blocks of each class, if it is beyond the common ones, are remembered at first.
static NARROW_ROOM: [u8; FIGURES] = {
    let mut room = [0; FIGURES];
    let mut index = 0;
    while index < Class::ALL {
        room[index] = match NARROW / Class::nth(index).size() {
            ..=2 => 2,
            all if all > SHALLOW - 2 => SHALLOW as u8 - 2,
            all => all as u8,
        };
        index += 1;
    }
    room
};

/// The block of the entry above the highest: no block at all.
const WALL: *mut u8 = ptr::without_provenance_mut(1);

const ENTRY: usize = size_of::<Entry>();

/// Figures, one for each class, that take the room of some entries.
const FIGURES: usize = Class::ALL.next_multiple_of(ENTRY);

/// A stack for each class.
///
/// All zero: every class's top is the first entry, which is no class's, and
/// nothing is found there. The owner of a block has a stack that was made ready.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Stacks<const C: usize> {
    /// Has no entries, ever, and, once a class was made ready, no room: for what
    /// is no class, or not used yet, or closed.
    none: [Entry; 2],
    /// Of a common class, whether it has outgrown its few entries (not 0); of others, how many
    /// entries they have beyond their first ones.
    more: [AtomicU8; FIGURES],
    few: [[Entry; FEW_ENTRIES]; Class::COMMON],
    deep: [[Entry; DEEP]; Class::COMMON],
    shallow: [[Entry; SHALLOW]; C],
}

const _: () = assert!(offset_of!(Stacks<1>, few) % ENTRY == 0, "tops count in entries from the beginning");

impl<const C: usize> Stacks<C> {
    /// The entry `offset` bytes into the stacks.
    #[inline(always)]
    fn at(&self, offset: usize) -> &Entry {
        debug_assert!(offset % ENTRY == 0 && offset < size_of::<Self>());
        let entry = ptr::from_ref(self).wrapping_byte_add(offset).cast::<Entry>();
        // SAFETY: as below. (Said to the compiler beforehand, it spares the callers' `Option` a test for null.)
        unsafe { hint::assert_unchecked(!entry.is_null()) };
        // SAFETY: tops are offsets of entries between a bottom and the one
        // below a wall, so that they and the entries above them exist.
        unsafe { &*entry }
    }

    /// Forgets the entries from the one at `offset` up to the wall: they name no block
    /// and no word. Those that were never used, or forgotten before, lie together above
    /// the others.
    fn wipe(&self, offset: usize, wall: usize) {
        for entry in (offset..wall).step_by(ENTRY).map(|offset| self.at(offset)) {
            if entry.block().is_null() {
                break;
            }
            entry.set(ptr::null_mut(), ptr::null(), 0);
        }
    }

    /// Closes the class while `change` is under way, which returns the stack's top.
    fn change(&self, cur: &Cur, change: impl FnOnce() -> usize) {
        let claim = cur.unclaim();
        compiler_fence(SeqCst);
        cur.set_top(offset_of!(Self, none));
        compiler_fence(SeqCst);
        let top = change();
        compiler_fence(SeqCst);
        cur.set_top(top);
        compiler_fence(SeqCst);
        cur.claim(claim);
    }

    /// Whether the class has few entries yet. (What is freed of the smallest ones is let
    /// go by when there is no room: nobody would see that more is needed.)
    fn has_few(&self, class: Class) -> bool {
        !is_by_word(class) && class.index() < Class::COMMON && self.more(class).load(Relaxed) == 0
    }

    #[inline]
    fn more(&self, class: Class) -> &AtomicU8 {
        &self.more[class.index() % FIGURES]
    }

    /// The offsets of the bottom and the wall of the class's stack.
    fn ends(&self, class: Class) -> (usize, usize) {
        let (bottom, entries) = match class.index() {
            index if self.has_few(class) => (offset_of!(Self, few) + index * FEW_ENTRIES * ENTRY, FEW_ENTRIES - 2),
            index if index < Class::COMMON => (offset_of!(Self, deep) + index * DEEP * ENTRY, DEEP - 2),
            index => {
                let entries = usize::from(NARROW_ROOM[index % FIGURES] + self.more(class).load(Relaxed));
                (offset_of!(Self, shallow) + index % C * SHALLOW * ENTRY, entries.min(SHALLOW - 2))
            }
        };
        (bottom, bottom + (entries + 1) * ENTRY)
    }

    /// Moves the class's few entries, `count` of them, to where it has many.
    fn grow(&self, cur: &Cur, class: Class, count: usize) {
        let (from, _) = self.ends(class);
        self.change(cur, || {
            self.more(class).store(1, Relaxed);
            let (bottom, wall) = self.ends(class);
            for offset in (ENTRY..=count * ENTRY).step_by(ENTRY) {
                self.at(from + offset).copy_to(self.at(bottom + offset));
            }
            self.at(wall).set_block(WALL);
            bottom + count * ENTRY
        });
    }
}

impl<const C: usize> Recent<C> for Stacks<C> {
    const NEW: Self = Self {
        none: [const { Entry::new() }; 2],
        more: [const { AtomicU8::new(0) }; FIGURES],
        few: [const { [const { Entry::new() }; FEW_ENTRIES] }; Class::COMMON],
        deep: [const { [const { Entry::new() }; DEEP] }; Class::COMMON],
        shallow: [const { [const { Entry::new() }; SHALLOW] }; C],
    };

    #[inline(always)]
    fn pop(&self, cur: &Cur) -> Option<*mut u8> {
        let top = cur.top();
        let entry = self.at(top);
        let block = entry.block();
        if block.is_null() {
            return None;
        }
        // In this order, whoever looks in between finds a free slot that is
        // not remembered.
        cur.set_top(top - ENTRY);
        let bit = entry.bit();
        // SAFETY: an entry that names a block has its word (I10), and bitmaps are never unmapped.
        unsafe { &*entry.word() }.take(bit);
        Some(block)
    }

    fn is_empty(&self, cur: &Cur) -> bool {
        self.at(cur.top()).block().is_null()
    }

    #[inline(always)]
    fn above(&self, cur: &Cur) -> Option<&Entry> {
        Some(self.at(cur.top() + ENTRY))
    }

    #[inline(always)]
    fn push_again(&self, cur: &Cur) {
        cur.set_top(cur.top() + ENTRY);
    }

    #[inline(always)]
    fn push(&self, cur: &Cur, above: &Entry, block: *mut u8, word: *const BitPair, bit: Word) -> bool {
        let room = !above.is_of(WALL);
        if room {
            above.set(block, word, bit);
            cur.set_top(cur.top() + ENTRY);
        }
        room
    }

    fn make_room(&self, cur: &Cur, class: Class, seated: bool) -> usize {
        let (bottom, wall) = self.ends(class);
        let top = cur.top();
        if top + ENTRY != wall {
            return 1;
        }
        if seated && self.has_few(class) {
            self.grow(cur, class, (top - bottom) / ENTRY);
            return 1;
        }
        let dropped = (top - bottom) / ENTRY / 2;
        cur.set_top(top - dropped * ENTRY);
        dropped + 1
    }

    fn to_widen(&self, cur: &Cur, class: Class) -> usize {
        let has_room = self.above(cur).is_some_and(|above| !above.is_of(WALL));
        if has_room || class.index() < Class::COMMON {
            return 0;
        }
        let (bottom, wall) = self.ends(class);
        let room = (wall - bottom) / ENTRY - 1;
        room.min(SHALLOW - 2 - room)
    }

    fn widen(&self, class: Class, by: usize) {
        let ((_, wall), more) = (self.ends(class), self.more(class));
        // In this order, a signal handler never finds the stack without a wall.
        self.at(wall + by * ENTRY).set_block(WALL);
        compiler_fence(SeqCst);
        more.store(more.load(Relaxed) + by as u8, Relaxed);
        self.at(wall).set_block(ptr::null_mut());
    }

    fn widened(&self, class: Class) -> usize {
        if class.index() < Class::COMMON { 0 } else { usize::from(self.more(class).load(Relaxed)) }
    }

    fn narrow(&self, cur: &Cur, class: Class) {
        if self.widened(class) == 0 {
            return;
        }
        let (bottom, wall) = self.ends(class);
        self.change(cur, || {
            self.wipe(bottom + ENTRY, wall);
            self.at(wall).set_block(ptr::null_mut());
            self.more(class).store(0, Relaxed);
            let (_, wall) = self.ends(class);
            self.at(wall).set_block(WALL);
            bottom
        });
    }

    fn forget(&self, cur: &Cur, class: Class) {
        let (bottom, wall) = self.ends(class);
        self.none[1].set_block(WALL);
        self.change(cur, || {
            self.wipe(bottom + ENTRY, wall);
            self.at(wall).set_block(WALL);
            bottom
        });
    }

    fn forget_slab(&self, cur: &Cur, class: Class, start: *const u8, bytes: usize) -> usize {
        let (bottom, wall) = self.ends(class);
        let before = cur.top();
        let entries = (bottom + ENTRY..before + ENTRY).step_by(ENTRY);
        self.change(cur, || {
            let mut top = bottom;
            for offset in entries.filter(|&offset| !self.at(offset).is_in(start, bytes)) {
                top += ENTRY;
                if top != offset {
                    self.at(offset).copy_to(self.at(top));
                }
            }
            self.wipe(top + ENTRY, wall);
            top
        });
        before.saturating_sub(cur.top()) / ENTRY
    }

    fn shut(&self, cur: &Cur, class: Class) {
        self.forget(cur, class);
        cur.set_top(offset_of!(Self, none));
    }

    fn entries(&self, cur: &Cur, class: Class) -> impl Iterator<Item = (&Entry, bool)> {
        let (bottom, wall) = self.ends(class);
        let top = cur.top();
        let entries = (bottom + ENTRY..wall).step_by(ENTRY);
        entries.map(move |offset| (self.at(offset), offset <= top)).filter(|(entry, _)| !entry.block().is_null())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_of_a_larger_class_gets_room_for_more_and_loses_it_again() {
        const C: usize = Class::ALL;
        let (stacks, cur, class) = (Stacks::<C>::NEW, Cur::new(), Class::nth(C - 1));
        let (word, block) = (BitPair::default(), ptr::without_provenance_mut(0x10000));
        let push = || stacks.above(&cur).is_some_and(|above| stacks.push(&cur, above, block, ptr::from_ref(&word), 1));
        let fill = || core::iter::repeat_with(push).take_while(|&is_remembered| is_remembered).count();
        let entries = || stacks.entries(&cur, class).count();
        stacks.forget(&cur, class);
        for turn in 0..2 {
            assert_eq!((stacks.to_widen(&cur, class), fill()), (0, 2), "turn {turn}: there is room at first");
            for (more, room) in [(2, 4), (4, 8), (6, 14)] {
                assert_eq!(stacks.to_widen(&cur, class), more);
                stacks.widen(class, more);
                assert_eq!((fill(), entries(), stacks.widened(class)), (more, room, room - 2));
            }
            assert_eq!(stacks.to_widen(&cur, class), 0, "turn {turn}: that is all");
            let popped = core::iter::from_fn(|| stacks.pop(&cur).inspect(|_| word.local.store(1, Relaxed))).count();
            assert_eq!((popped, entries()), (14, 14), "turn {turn}: what is gone still stands there");
            stacks.narrow(&cur, class);
            assert_eq!((entries(), stacks.widened(class)), (0, 0), "turn {turn}");
        }
    }

    #[test]
    fn a_block_that_is_not_remembered_counts_with_those_that_make_room() {
        const C: usize = Class::COMMON;
        let (stacks, cur, class) = (Stacks::<C>::NEW, Cur::new(), Class::nth(C - 1));
        let (word, block) = (BitPair::default(), ptr::without_provenance_mut(0x10000));
        stacks.forget(&cur, class);
        assert_eq!(stacks.make_room(&cur, class, false), 1, "there is room");
        let push = || stacks.above(&cur).is_some_and(|above| stacks.push(&cur, above, block, ptr::from_ref(&word), 1));
        assert_eq!(core::iter::repeat_with(push).take_while(|&is_remembered| is_remembered).count(), FEW_ENTRIES - 2);
        assert_eq!(stacks.make_room(&cur, class, false), (FEW_ENTRIES - 2) / 2 + 1, "half of them goes");
        assert_eq!(
            core::iter::repeat_with(push).take_while(|&is_remembered| is_remembered).count(),
            FEW_ENTRIES / 2 - 1
        );
    }
}
