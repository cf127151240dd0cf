//! A lock that sleeps: the classic three-state futex mutex (Drepper, "Futexes
//! are tricky", 2011).

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use lock_api::{GuardNoSend, RawMutex};

const FREE: u32 = 0;
const HELD: u32 = 1;
const AWAITED: u32 = 2;

/// How often to look before going to sleep. What the heap does under its lock
/// is short, but its holder may have lost the processor.
const LOOKS: u32 = 100;

/// A mutex without an owner: a fork's child may release what its parent took.
pub(crate) struct Lock(AtomicU32);

impl Lock {
    #[cold]
    fn lock_slow(&self) {
        for _ in 0..LOOKS {
            if self.0.load(Relaxed) == FREE && self.try_lock() {
                return;
            }
            core::hint::spin_loop();
        }
        while self.0.swap(AWAITED, Acquire) != FREE {
            sleep_while(&self.0, AWAITED);
        }
    }
}

// SAFETY: the word leaves FREE by an acquire operation that one thread wins,
// and becomes FREE again only in `unlock`.
unsafe impl RawMutex for Lock {
    #[allow(clippy::declare_interior_mutable_const, reason = "the trait wants a constant to start from")]
    const INIT: Self = Self(AtomicU32::new(FREE));

    type GuardMarker = GuardNoSend;

    fn lock(&self) {
        if !self.try_lock() {
            self.lock_slow();
        }
    }

    fn try_lock(&self) -> bool {
        self.0.compare_exchange(FREE, HELD, Acquire, Relaxed).is_ok()
    }

    unsafe fn unlock(&self) {
        if self.0.swap(FREE, Release) == AWAITED {
            wake_one(&self.0);
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
