//! Fork: the child has one thread and everybody's heaps.

use super::owner::{Owner, Role};
use super::{Lock, Shared};
use crate::grow::HeapGrow;

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Shared<G, L, SHIFT, C> {
    /// The heap's locks. Take them in this order before a fork, so that the
    /// child finds all that they guard consistent; release them after it in
    /// both processes.
    pub fn locks(&self) -> [&L; 2] {
        [&self.common_lock, &self.lock]
    }

    /// In a fork's child: lets the heaps of the threads that did not come
    /// along wait in the pool. A heap whose thread was changing its lists at
    /// the moment of the fork is left alone, unless it waited for the lock that
    /// the fork held.
    ///
    /// # Safety
    ///
    /// The calling thread is the only one, and took the [`locks`](Self::locks)
    /// before the fork, which it may take again now; `owner` is its own, or
    /// nobody.
    pub unsafe fn pool_others(&self, owner: &Owner<C>) {
        self.hand_over.end_sweep();
        self.with_inner(|inner| {
            for other in inner.registry.iter() {
                let idle = !other.is_torn() && !other.is_pooled() && other.role() == Role::Thread;
                if idle && !core::ptr::eq(other, owner) {
                    other.set_busy(false);
                    other.set_waiting(false);
                    // Its thread may have been in the middle of a fast path.
                    other.local.forget_all();
                    inner.registry.pool(other.into());
                }
            }
        });
    }
}
