//! One thread's heap, and who it belongs to.
//!
//! ```text
//!   | kept: large blocks | flags, links | local: classes, their slabs, what was freed lately |
//!                                         most of it is never touched
//!   token: the address; it stands in the headers of the owner's slabs
//! ```

use core::cell::Cell;
use core::ops::Deref;
use core::ptr::{self, NonNull};
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use core::sync::atomic::{AtomicBool, AtomicUsize, compiler_fence};

use super::kept::Kept;
use static_assertions::assert_not_impl_any;

use crate::heap::FULL;
use crate::heap::local::Local;
use crate::heap::stacks::Stacks;
use crate::units::HOSTED_CLASSES;

/// The owner word of a slab that nobody owns: it is in a hand-over list, or
/// on its way there or from there to its next owner.
pub(crate) const LISTED: usize = 2;

/// What an owner is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Role {
    /// Never has a block: see [`Nobody`]. All zero, so that those take no room in
    /// a program's file.
    Nobody,
    /// A thread's heap, or waiting in the pool for the next thread.
    Thread,
    /// Shared by all threads, under a lock.
    Common,
}

/// What others may have freed is taken for a fourth of that at the least.
const MOST_DOUBT: u8 = 2;

/// One thread's heap.
///
/// Opaque; a thread keeps the address that [`Shared::attach`] gave it.
///
/// [`Shared::attach`]: crate::Shared::attach
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Owner<const C: usize = HOSTED_CLASSES> {
    /// The large blocks that the thread freed and may want again.
    pub(super) kept: Kept,
    /// Bytes of others' slabs that the thread freed into lately.
    pub(super) strewn: Cell<usize>,
    role: Cell<Role>,
    /// Set while the owner's lists are being changed: whoever comes then (a
    /// signal handler on the same thread, the child of a fork) keeps off.
    busy: AtomicBool,
    /// Set while the run layer's lock is waited for in the middle of that: all
    /// lists are whole then, and what the child of a fork finds so, it may use.
    waiting: AtomicBool,
    pooled: AtomicBool,
    /// Bytes that others may have freed in the owner's slabs since it last looked.
    awaited: AtomicUsize,
    /// How much less was found when it looked: half as much, so many times.
    doubt: Cell<u8>,
    /// The next in the registry of all owners; never changes.
    next: Cell<Option<NonNull<Owner<C>>>>,
    /// The next in the pool.
    next_pooled: Cell<Option<NonNull<Owner<C>>>>,
    /// Last, since it is large, and most of it may never be needed: the rest lies on one
    /// page of the system's with what always is.
    pub(crate) local: Local<C, Stacks<C>>,
}

// A thread's own.
assert_not_impl_any!(Owner: Send, Sync);
const _: () = assert!(align_of::<Owner>() > FULL | LISTED, "tags fit below a token");

impl<const C: usize> Owner<C> {
    pub(crate) const fn new(role: Role, next: Option<NonNull<Self>>) -> Self {
        Self {
            kept: Kept::new(),
            strewn: Cell::new(0),
            role: Cell::new(role),
            busy: AtomicBool::new(false),
            waiting: AtomicBool::new(false),
            pooled: AtomicBool::new(false),
            awaited: AtomicUsize::new(0),
            doubt: Cell::new(0),
            next: Cell::new(next),
            next_pooled: Cell::new(None),
            local: Local::new(),
        }
    }

    /// Makes an owner of zeroes. It is large, and what is zero is not written:
    /// most of its pages may never be needed.
    ///
    /// # Safety
    ///
    /// `owner` points to so many zero bytes, aligned, of the caller's.
    pub(crate) unsafe fn begin(owner: NonNull<Self>, role: Role, next: Option<NonNull<Self>>) {
        // SAFETY: the caller's promise. All zero is what `new` makes: null
        // pointers, no links, counts of 0.
        let owner = unsafe { owner.as_ref() };
        owner.role.set(role);
        owner.next.set(next);
    }

    /// The owner word of the slabs that are this owner's.
    #[inline(always)]
    pub(crate) fn token(&self) -> usize {
        ptr::from_ref(self).expose_provenance()
    }

    /// The owner whose token this owner word is, if it is no more than that.
    pub(super) fn of_word<'a>(word: usize) -> Option<&'a Self> {
        if word & (FULL | LISTED) != 0 {
            return None;
        }
        // SAFETY: words without a tag are tokens or 0, and owners are never unmapped.
        unsafe { ptr::with_exposed_provenance::<Self>(word).as_ref() }
    }

    /// Others may have freed `bytes` more in the owner's slabs.
    pub(super) fn await_more(&self, bytes: usize) {
        self.awaited.fetch_add(bytes, Relaxed);
    }

    /// Whether that is so much that the owner looks for it.
    pub(super) fn awaits_much(&self) -> bool {
        self.local.loose.is_worth_a_look(self.awaited.load(Relaxed), self.doubt.get())
    }

    /// The owner looks for it now. Returns how much it may be.
    pub(super) fn await_none(&self) -> usize {
        self.awaited.swap(0, Relaxed)
    }

    /// The owner looked, and of `awaited` bytes found so many. (How many blocks of a word others free before it is
    /// moved over, and what the owner finds on its way to free slots, depends on the program; and a look fetches
    /// lines that others are writing.)
    pub(super) fn found(&self, awaited: usize, bytes: usize) {
        let (doubt, expected) = (self.doubt.get(), awaited >> self.doubt.get());
        if bytes < expected / 2 {
            self.doubt.set((doubt + 1).min(MOST_DOUBT));
        } else if bytes > expected {
            self.doubt.set(doubt.saturating_sub(1));
        }
    }

    pub(crate) fn role(&self) -> Role {
        self.role.get()
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Relaxed)
    }

    /// Whether the calling thread, whose owner this is, may use what it keeps:
    /// not nobody, and not interrupted in the middle of something.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.role() == Role::Thread && !self.is_busy()
    }

    /// Marks the beginning or the end of a change of the owner's lists. No
    /// part of the change moves across: a signal handler may look.
    pub(crate) fn set_busy(&self, busy: bool) {
        compiler_fence(SeqCst);
        self.busy.store(busy, Relaxed);
        compiler_fence(SeqCst);
    }

    /// Whether the owner's lists are being changed, and not whole.
    pub(super) fn is_torn(&self) -> bool {
        self.is_busy() && !self.waiting.load(Acquire)
    }

    /// Marks the beginning or the end of a wait for the run layer's lock.
    pub(super) fn set_waiting(&self, waiting: bool) {
        self.waiting.store(waiting, Release);
    }

    pub(crate) fn is_pooled(&self) -> bool {
        self.pooled.load(Relaxed)
    }

    pub(crate) fn next(&self) -> Option<NonNull<Self>> {
        self.next.get()
    }

    /// Puts the owner in front of the pool that begins with `rest`.
    pub(crate) fn pool(&self, rest: Option<NonNull<Self>>) {
        self.doubt.set(0);
        self.pooled.store(true, Relaxed);
        self.next_pooled.set(rest);
    }

    /// Takes the owner out of the pool's front; returns the rest.
    pub(crate) fn unpool(&self) -> Option<NonNull<Self>> {
        self.pooled.store(false, Relaxed);
        self.next_pooled.take()
    }
}

/// The owner of a thread that has none: before it got one, and after it gave
/// it up. It has no block to give and owns no slab, so that the fast paths need
/// no test for it. Stands in a `static`.
#[derive(Debug)]
#[repr(transparent)]
pub struct Nobody<const C: usize = HOSTED_CLASSES>(Owner<C>);

// SAFETY: a nobody is never changed, but for what it took last, an atomic:
// whoever changes more of an owner takes its seat first, which has none.
unsafe impl<const C: usize> Sync for Nobody<C> {}

impl<const C: usize> Nobody<C> {
    /// One more nobody.
    #[allow(clippy::new_without_default, reason = "made in statics")]
    pub const fn new() -> Self {
        Self(Owner::new(Role::Nobody, None))
    }
}

impl<const C: usize> Deref for Nobody<C> {
    type Target = Owner<C>;

    fn deref(&self) -> &Owner<C> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_look_waits_for_more_where_one_found_little() {
        const ENOUGH: usize = 256 * 1024;
        let owner = Owner::<HOSTED_CLASSES>::new(Role::Thread, None);
        let next_look = || {
            (1..).find(|_| {
                owner.await_more(ENOUGH);
                owner.awaits_much()
            })
        };
        for (found, after) in
            [(ENOUGH / 8, 2), (ENOUGH / 8, 4), (ENOUGH / 8, 4), (ENOUGH * 3 / 4, 4), (ENOUGH * 2, 2), (ENOUGH * 2, 1)]
        {
            let awaited = owner.await_none();
            owner.found(awaited.max(ENOUGH), found);
            assert_eq!(next_look(), Some(after), "after {found} of {awaited} bytes");
        }
    }
}
