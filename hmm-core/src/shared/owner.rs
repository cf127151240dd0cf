//! One thread's heap, and who it belongs to.

use core::cell::Cell;
use core::ptr::NonNull;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::sync::atomic::{AtomicBool, compiler_fence};

use static_assertions::assert_not_impl_any;

use crate::heap::FULL;
use crate::heap::local::Local;
use crate::units::HOSTED_CLASSES;

/// The owner word of a slab that nobody owns: it is in a hand-over list, or
/// on its way there or from there to its next owner.
pub(crate) const LISTED: usize = 2;

/// What an owner is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A thread's heap, or waiting in the pool for the next thread.
    Thread,
    /// Shared under a lock by threads without a heap of their own.
    Late,
    /// Never has a slot: the word of threads that gave their heap up.
    Done,
}

/// One thread's heap.
///
/// Opaque; a thread keeps the address that [`Shared::attach`] gave it.
///
/// [`Shared::attach`]: crate::Shared::attach
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Owner<const C: usize = HOSTED_CLASSES> {
    /// First, so that a thread's word is the address of its current words.
    pub(crate) local: Local<C>,
    role: Role,
    /// Set while the owner's lists are being changed: whoever comes then (a
    /// signal handler on the same thread, the child of a fork) keeps off.
    busy: AtomicBool,
    pooled: AtomicBool,
    /// The next in the registry of all owners; never changes.
    next: Option<NonNull<Owner<C>>>,
    /// The next in the pool.
    next_pooled: Cell<Option<NonNull<Owner<C>>>>,
}

// A thread's own.
assert_not_impl_any!(Owner: Send, Sync);
const _: () = assert!(align_of::<Owner>() > FULL | LISTED, "tags fit below a token");

impl<const C: usize> Owner<C> {
    pub(crate) const fn new(role: Role, next: Option<NonNull<Self>>) -> Self {
        Self {
            local: Local::new(),
            role,
            busy: AtomicBool::new(false),
            pooled: AtomicBool::new(false),
            next,
            next_pooled: Cell::new(None),
        }
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Relaxed)
    }

    /// Marks the beginning or the end of a change of the owner's lists. No
    /// part of the change moves across: a signal handler may look.
    pub(crate) fn set_busy(&self, busy: bool) {
        compiler_fence(SeqCst);
        self.busy.store(busy, Relaxed);
        compiler_fence(SeqCst);
    }

    pub(crate) fn is_pooled(&self) -> bool {
        self.pooled.load(Relaxed)
    }

    pub(crate) fn next(&self) -> Option<NonNull<Self>> {
        self.next
    }

    /// Puts the owner in front of the pool that begins with `rest`.
    pub(crate) fn pool(&self, rest: Option<NonNull<Self>>) {
        self.pooled.store(true, Relaxed);
        self.next_pooled.set(rest);
    }

    /// Takes the owner out of the pool's front; returns the rest.
    pub(crate) fn unpool(&self) -> Option<NonNull<Self>> {
        self.pooled.store(false, Relaxed);
        self.next_pooled.take()
    }
}
