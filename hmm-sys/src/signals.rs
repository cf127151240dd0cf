//! Signals that wait while the heap's lists are changed: only for who asks.
//!
//! A handler that leaves by `siglongjmp` leaves behind what it interrupted: a
//! lock that nobody will ever let go, lists that are half changed. Held back
//! until the lock is free again, no signal can do that. It takes two calls of
//! the system's each time, several times what is done under the lock.

use core::ptr;
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::Relaxed;

static WANTED: AtomicBool = AtomicBool::new(false);

/// The processor's own complaints: they cannot wait.
const NOT_HELD: [libc::c_int; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP];

/// Holds signals back from now on, or not.
pub(crate) fn set(wanted: bool) {
    WANTED.store(wanted, Relaxed);
}

/// Whether signals are to be held back.
pub(crate) fn are_to_wait() -> bool {
    WANTED.load(Relaxed)
}

/// The signals that were blocked before others were held back.
pub(crate) struct Held(libc::sigset_t);

impl Held {
    /// Holds signals back from the calling thread.
    pub(crate) fn hold() -> Self {
        // SAFETY: all zero is a valid set.
        let mut all: libc::sigset_t = unsafe { core::mem::zeroed() };
        // SAFETY: likewise.
        let mut before: libc::sigset_t = unsafe { core::mem::zeroed() };
        // SAFETY: the set is ours.
        unsafe { libc::sigfillset(&raw mut all) };
        for signal in NOT_HELD {
            // SAFETY: likewise; there is such a signal.
            unsafe { libc::sigdelset(&raw mut all, signal) };
        }
        // SAFETY: both sets are ours.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, &raw mut before) };
        Self(before)
    }

    /// Lets them come.
    pub(crate) fn let_come(self) {
        // SAFETY: the set is ours, and the system fills in none.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, ptr::null_mut()) };
    }
}
