//! The common owner: what threads allocate from while they have no heap of their own,
//! or had only a few blocks of a size.
//!
//! ```text
//!   thread A ─┐ first blocks of a size
//!   thread B ─┼───────► common owner, under a lock:  | A | C | C | A | B |   a slab
//!   thread C ─┘ from then on: slabs of its own         each on lines of its own
//! ```
//!
//! Who takes the lock lays some more blocks out for the next ones ([`shelf`](super::shelf)).
//!
//! A slab of a thread's own takes at least a page of the system's, and many threads
//! take but a few blocks of most sizes. Side by side those fill pages, and what one
//! thread frees the next one takes. All threads free them as they free each other's.

use crate::sync::Ordering::{Acquire, Relaxed, Release};
use core::ptr::NonNull;

use super::owner::{Owner, Role};
use super::seat::Seat;
use super::{Inner, Lock, Shared};
use crate::grow::HeapGrow;
use crate::heap::{Ground, Supply, alloc, bits_of, collect, fit};
use crate::pages::header::Mark;
use crate::pages::pair::BitPair;
use crate::slab::{Block, locate};
use crate::units::{Class, Geometry};

/// Up to so many threads, each has slabs of its own from the start. What borrowed blocks
/// cost, a lock and lines that go from processor to processor, is much for threads that
/// live short and busy lives.
const FEW_THREADS: usize = 16;

/// For each thread more, all borrow so many blocks of a class.
const EACH: usize = 8;

/// But no more than these.
const MOST_BLOCKS: usize = 64;

/// Stands for "as many as the rule says".
pub(super) const BY_RULE: usize = usize::MAX;

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Shared<G, L, SHIFT, C> {
    /// A block of at least `size` bytes at a multiple of `align` from the common owner, if
    /// the thread, one of many, has had few of its class.
    pub(super) fn borrow(&self, owner: &Owner<C>, align: usize, size: usize) -> Option<*mut u8> {
        let lent = self.lent();
        if lent == 0 || owner.role() != Role::Thread {
            return None;
        }
        let class = Geometry::<SHIFT>::class_of_aligned(size, align)?;
        let bin = owner.local.bin(class);
        if !bin.is_empty() || usize::from(bin.borrowed()) >= lent {
            return None;
        }
        bin.set_borrowed(bin.borrowed().saturating_add(1));
        // No two threads' blocks on one line: each would wait for the other.
        let size = fit::in_lines(size);
        let wider = Geometry::<SHIFT>::class_of_aligned(size, align)?;
        let taken = self.take_ready(wider).or_else(|| {
            self.with_common(|seat| {
                // Who had the lock before may have laid some out.
                if let Some(taken) = self.take_ready(wider) {
                    return taken;
                }
                refresh(seat, wider);
                let taken = alloc::alloc(seat, align, size);
                self.shelf(wider).stock(wider, seat.local().cur(wider));
                taken
            })
        });
        let taken = taken.filter(|p| !p.is_null())?;
        if wider != class {
            if let Ok(Block::Slot(slot)) = locate(&self.map, taken) {
                slot.header.set(Mark::Lines);
            }
        }
        Some(taken)
    }

    /// Blocks of a class that a thread borrows.
    fn lent(&self) -> usize {
        match self.lent.load(Relaxed) {
            BY_RULE => (self.threads.load(Relaxed).saturating_sub(FEW_THREADS) * EACH).min(MOST_BLOCKS),
            said => said,
        }
    }

    /// `threads` threads have heaps of their own from now on. Says whether that ends a
    /// crowd. (The lock is held.)
    pub(super) fn set_threads(&self, inner: &mut Inner<G, SHIFT, C>, threads: usize) -> bool {
        self.threads.store(threads, Relaxed);
        if threads > FEW_THREADS {
            inner.pages.keep().begin_crowd();
        }
        threads <= FEW_THREADS / 4 && inner.pages.end_crowd(&self.map)
    }

    /// Runs `f` for the calling thread's owner, or for the common one if the thread
    /// has none it may use now. `None` if there is no memory for that one either, or
    /// this is a signal handler that interrupted its use.
    pub(super) fn seated<R>(&self, owner: &Owner<C>, f: impl FnOnce(&Seat<'_, G, L, SHIFT, C>) -> R) -> Option<R> {
        let Some(seat) = Seat::take(self, owner) else { return self.with_common(f) };
        let result = f(&seat);
        self.rise(seat, owner);
        Some(result)
    }

    /// Ends what the owner did in its seat, and what that made necessary.
    pub(super) fn rise(&self, seat: Seat<'_, G, L, SHIFT, C>, owner: &Owner<C>) {
        if owner.local.loose.take_recall() {
            collect::collect(&seat);
        }
        drop(seat);
        self.tidy_if_much(owner);
    }

    /// Runs `f` for the common owner. `None` for a signal handler that interrupted its use, or the run
    /// layer's: behind the lock of that, this one is not waited for.
    fn with_common<R>(&self, f: impl FnOnce(&Seat<'_, G, L, SHIFT, C>) -> R) -> Option<R> {
        if self.lock.would_refuse() || !self.common_lock.lock() {
            return None;
        }
        let result = self.common_owner().and_then(|common| {
            // SAFETY: owners are never unmapped; `common_lock` is held, so this
            // thread is its only user.
            let common = unsafe { common.as_ref() };
            let result = Seat::take(self, common).map(|seat| {
                let result = f(&seat);
                if common.local.loose.take_recall() {
                    collect::collect(&seat);
                }
                // Threads free what they borrowed as others' blocks, and claims would hide from
                // them that they did so before.
                common.local.park();
                result
            });
            self.tidy_if_much(common);
            result
        });
        // SAFETY: it was taken above.
        unsafe { self.common_lock.unlock() };
        result
    }

    /// Gives back what lies free in the common owner's slabs: empty ones, and with
    /// `parts` the free parts of others. Returns how many bytes are free in those. Not for
    /// who uses it right now.
    pub(super) fn collect_common(&self, parts: bool) -> usize {
        if self.common.load(Acquire).is_null() {
            return 0;
        }
        let look = |seat: &Seat<'_, G, L, SHIFT, C>| {
            match parts {
                true => {
                    seat.clear_shelves();
                    collect::collect(seat);
                }
                false => collect::give_all_empty(seat),
            }
            collect::recount(seat, false).free
        };
        self.with_common(look).unwrap_or(0)
    }

    /// The common owner; made when first needed, under its lock.
    fn common_owner(&self) -> Option<NonNull<Owner<C>>> {
        NonNull::new(self.common.load(Acquire)).or_else(|| {
            let made = self.with_inner(|inner| inner.make(&self.map, Role::Common)).flatten()?;
            self.common.store(made.as_ptr(), Release);
            Some(made)
        })
    }
}

/// Moves the slots that threads freed in the current slab of `class` over, and claims the current
/// word's: the lowest ones are taken again before others are touched.
fn refresh<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize>(seat: &Seat<'_, G, L, SHIFT, C>, class: Class) {
    let Some(page) = seat.local().bin(class).current() else { return };
    let header = seat.map().header(page);
    let bits = bits_of::<SHIFT>(header);
    let slots = usize::from(Geometry::<SHIFT>::info(class).slots);
    let free = |word: &BitPair| bits.free_in(bits.number_of(word), slots);
    let before = seat.local().cur(class).current().map_or(0, |claim| free(claim.word));
    seat.drain(header, &bits);
    seat.local().claim_again(class, |word| {
        let now = free(word);
        // What blocks are taken from right now does not lie free.
        seat.local().loose.take((now & !before).count_ones() as usize * class.size());
        now
    });
}
