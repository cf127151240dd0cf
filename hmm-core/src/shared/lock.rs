//! What guards the floors below from several threads at once.

use lock_api::RawMutex;

/// A lock for a [`Shared`](crate::Shared) heap: any `lock_api` mutex, or one
/// that also knows its holder.
///
/// # Safety
///
/// Between a `lock` that returned `true` and the `unlock` after it, every other
/// thread's `lock` waits. (A thread that holds it across a fork may be let in
/// again meanwhile: nothing is being changed then.)
pub unsafe trait Lock {
    /// A lock that nobody holds.
    const NEW: Self;

    /// Takes the lock. `false` if the calling thread holds it already: it is
    /// in a signal handler then that interrupted the heap, and would wait for
    /// itself. Mutexes that do not know their holder wait.
    fn lock(&self) -> bool;

    /// Whether [`lock`](Self::lock) would say `false`. Who waits for one lock while its own thread, which a signal
    /// interrupted, holds another may wait for somebody who waits for that. Mutexes that do not know
    /// their holder cannot tell.
    fn would_refuse(&self) -> bool {
        false
    }

    /// Runs `f`, which no signal handler of the calling thread's is to leave by a jump. Mutexes that do not hold signals
    /// back while they are held just run it.
    fn undisturbed<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }

    /// Lets the lock go.
    ///
    /// # Safety
    ///
    /// The calling thread took it.
    unsafe fn unlock(&self);
}

// SAFETY: the contract of `RawMutex`.
unsafe impl<M: RawMutex> Lock for M {
    const NEW: Self = M::INIT;

    fn lock(&self) -> bool {
        RawMutex::lock(self);
        true
    }

    unsafe fn unlock(&self) {
        // SAFETY: the caller's promise.
        unsafe { RawMutex::unlock(self) };
    }
}
