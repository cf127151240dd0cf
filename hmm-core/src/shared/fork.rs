//! Fork: the child has one thread and everybody's heaps.
//!
//! ```text
//!   parent   thread A ─ Owner A    thread B ─ Owner B    thread C ─ Owner C (its lists are changing)
//!   child    thread A ─ Owner A        pool ─ Owner B               Owner C (left alone)
//! ```

use crate::sync::Ordering::Relaxed;
use core::ptr;

use super::owner::{Owner, Role};
use super::shelf::Shelf;
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
                if idle && !ptr::eq(other, owner) {
                    other.set_busy(false);
                    other.set_waiting(false);
                    // Its thread may have been in the middle of a fast path.
                    other.local.forget_all();
                    inner.registry.pool(other.into());
                }
            }
            self.note_vanished();
            self.set_threads(inner, usize::from(owner.role() == Role::Thread));
        });
    }

    /// In a fork's child: there is no common owner any more, and a new one is made when it
    /// is needed. What lay free in its slabs, or ready, is lost.
    ///
    /// # Safety
    ///
    /// The first of the [`locks`](Self::locks) was held by a thread that did not come
    /// along, and is free now.
    pub unsafe fn forget_common(&self) {
        self.note_vanished();
        self.common.store(ptr::null_mut(), Relaxed);
        self.shelves.iter().for_each(Shelf::forget);
    }
}
