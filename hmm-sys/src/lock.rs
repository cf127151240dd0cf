//! A lock that sleeps: the classic three-state futex mutex (Drepper, "Futexes
//! are tricky", 2011).

use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicU32, AtomicUsize};

use lock_api::{GuardNoSend, RawMutex};

const FREE: u32 = 0;
const HELD: u32 = 1;
const AWAITED: u32 = 2;

/// How often to look before going to sleep. What the heap does under its lock
/// is short, but its holder may have lost the processor.
const LOOKS: u32 = 100;

/// The thread that holds all locks across a fork, 0 if there is none. Others'
/// handlers that run meanwhile may allocate: to that thread the locks are open,
/// since nothing that they guard is being changed.
static FORKING: AtomicUsize = AtomicUsize::new(0);

/// A number for the calling thread.
fn me() -> usize {
    crate::errno::place().addr()
}

/// A mutex.
pub(crate) struct Lock {
    state: AtomicU32,
    /// The thread that holds it, or 0.
    holder: AtomicUsize,
}

/// Takes `locks` for a fork that the calling thread begins. `false`, and
/// nothing is taken, if the thread holds one already: it is in a signal
/// handler then that interrupted the heap, and what the lock guards will be
/// seen to when the handler returns, in both processes.
pub(crate) fn take_for_fork(locks: [&Lock; 2]) -> bool {
    let me = me();
    if locks.iter().any(|lock| lock.holder.load(Relaxed) == me) {
        return false;
    }
    for lock in locks {
        lock.lock();
    }
    FORKING.store(me, Relaxed);
    true
}

/// Lets `locks` go after [`take_for_fork`], in the parent or in the child.
///
/// # Safety
///
/// `take_for_fork` took them on this thread.
pub(crate) unsafe fn release_after_fork(locks: [&Lock; 2]) {
    FORKING.store(0, Relaxed);
    for lock in locks {
        // SAFETY: the caller's promise.
        unsafe { lock.unlock() };
    }
}

impl Lock {
    #[cold]
    fn lock_slow(&self) {
        if FORKING.load(Relaxed) == me() {
            return;
        }
        for _ in 0..LOOKS {
            if self.state.load(Relaxed) == FREE && self.try_lock() {
                return;
            }
            core::hint::spin_loop();
        }
        while self.state.swap(AWAITED, Acquire) != FREE {
            sleep_while(&self.state, AWAITED);
        }
        self.holder.store(me(), Relaxed);
    }
}

// SAFETY: the word leaves FREE by an acquire operation that one thread wins,
// and becomes FREE again only in `unlock`.
unsafe impl RawMutex for Lock {
    #[allow(clippy::declare_interior_mutable_const, reason = "the trait wants a constant to start from")]
    const INIT: Self = Self { state: AtomicU32::new(FREE), holder: AtomicUsize::new(0) };

    type GuardMarker = GuardNoSend;

    fn lock(&self) {
        if !self.try_lock() {
            self.lock_slow();
        }
    }

    fn try_lock(&self) -> bool {
        let taken = self.state.compare_exchange(FREE, HELD, Acquire, Relaxed).is_ok();
        if taken {
            self.holder.store(me(), Relaxed);
        }
        taken
    }

    unsafe fn unlock(&self) {
        let forking = FORKING.load(Relaxed);
        if forking != 0 && forking == me() {
            return;
        }
        self.holder.store(0, Relaxed);
        if self.state.swap(FREE, Release) == AWAITED {
            wake_one(&self.state);
        }
    }
}

#[cfg(target_os = "linux")]
fn sleep_while(word: &AtomicU32, value: u32) {
    let _errno = crate::errno::Errno::keep();
    let op = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    let forever = core::ptr::null::<libc::timespec>();
    // SAFETY: the word outlives the call; the kernel compares it and sleeps.
    // Any return, for whatever reason, is fine: the caller looks again.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), op, value, forever) };
}

#[cfg(target_os = "linux")]
fn wake_one(word: &AtomicU32) {
    let _errno = crate::errno::Errno::keep();
    let op = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the kernel uses the address as a key only.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), op, 1) };
}

#[cfg(not(target_os = "linux"))]
fn sleep_while(_: &AtomicU32, _: u32) {
    // SAFETY: always callable.
    unsafe { libc::sched_yield() };
}

#[cfg(not(target_os = "linux"))]
fn wake_one(_: &AtomicU32) {}
