//! The lock of stdio's list of files. A thread that holds it may wait for the
//! heap (`fflush(NULL)`, say), and glibc's `fork` waits for it after our
//! handlers ran: so it is taken before the heap's locks are. It is recursive.

use core::ptr;
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::Relaxed;

use crate::weak;

unsafe extern "C" {
    fn _IO_list_lock();
    fn _IO_list_unlock();
    fn _IO_list_resetlock();
}

/// Whether glibc knows that there is one thread only. Then nobody waits,
/// and `fork` leaves stdio alone; so do we.
fn alone() -> bool {
    // (Since 2.32.) Where the loader would have to be asked, it is not.
    let known = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));
    let flag = if known { weak!("__libc_single_threaded").cast::<u8>() } else { ptr::null() };
    // SAFETY: not null, so glibc's variable, which only this thread can
    // be changing.
    !flag.is_null() && unsafe { flag.read_volatile() } != 0
}

/// Whether the list was locked for the fork under way. Written and read
/// by the forking thread; a fork within it, in a signal handler, finds the
/// same answer.
static LOCKED: AtomicBool = AtomicBool::new(false);

pub(super) fn before() {
    let locks = !alone();
    if locks {
        // SAFETY: always callable; waits for no one who waits for us.
        unsafe { _IO_list_lock() };
    }
    LOCKED.store(locks, Relaxed);
}

pub(super) fn parent() {
    if LOCKED.load(Relaxed) {
        // SAFETY: undoes `before`.
        unsafe { _IO_list_unlock() };
    }
}

pub(super) fn child() {
    if LOCKED.load(Relaxed) {
        // SAFETY: the only thread makes the lock new, as glibc does in
        // the child of a process with several threads.
        unsafe { _IO_list_resetlock() };
    }
}
