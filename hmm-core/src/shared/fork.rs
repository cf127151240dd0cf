//! Fork: the child has one thread and everybody's heaps.

use lock_api::RawMutex;

use super::Shared;
use super::owner::{Owner, Role};
use crate::grow::HeapGrow;

impl<G: HeapGrow, L: RawMutex, const SHIFT: u32, const C: usize> Shared<G, L, SHIFT, C> {
    /// Before a fork: takes the locks, so that the child finds all that they
    /// guard consistent.
    pub fn fork_prepare(&self) {
        self.late_lock.lock();
        self.lock.lock();
    }

    /// After a fork, in the parent: lets the locks go.
    ///
    /// # Safety
    ///
    /// [`fork_prepare`](Self::fork_prepare) was called on this thread.
    pub unsafe fn fork_parent(&self) {
        // SAFETY: the caller's promise: this thread holds both.
        unsafe { self.lock.unlock() };
        // SAFETY: likewise.
        unsafe { self.late_lock.unlock() };
    }

    /// After a fork, in the child: lets the locks go, and lets the heaps of
    /// the threads that did not come along wait in the pool. A heap whose
    /// thread was changing its lists at the moment of the fork is left alone.
    ///
    /// # Safety
    ///
    /// As [`fork_parent`](Self::fork_parent), and `owner` is the calling
    /// thread's, or null.
    pub unsafe fn fork_child(&self, owner: *const Owner<C>) {
        // SAFETY: `fork_prepare` took the lock on this thread, the only one.
        let inner = unsafe { &mut *self.inner.get() };
        let mut next = inner.registry.first();
        while let Some(other) = next {
            // SAFETY: owners are never unmapped.
            let other_ref = unsafe { other.as_ref() };
            next = other_ref.next();
            let idle = !other_ref.is_busy() && !other_ref.is_pooled();
            if idle && other_ref.role() == Role::Thread && !core::ptr::eq(other.as_ptr(), owner) {
                inner.registry.pool(other);
            }
        }
        // SAFETY: as above.
        unsafe { self.fork_parent() };
    }
}
