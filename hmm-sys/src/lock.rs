//! A lock that sleeps: a futex mutex (after Drepper, "Futexes are tricky", 2011)
//! that knows its holder, and forks.
//!
//! ```text
//!   word   FREE ──► holder ──► holder | AWAITED ──► FREE, and somebody is woken
//!                     ╎ a signal handler on the holder's thread is refused
//!                     ╎ a fork holds all locks: to its thread they are open
//! ```

use core::cell::UnsafeCell;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};

use hmm_core::Lock as _;

use crate::futex;
use crate::signals::{self, Held};

const FREE: usize = 0;
/// Set beside the holder while somebody sleeps.
const AWAITED: usize = 1;

/// How often to look before going to sleep. What the heap does under its lock
/// is short, but its holder may have lost the processor.
const LOOKS: u32 = 100;

/// The thread that holds all locks across a fork, 0 if there is none. Others'
/// handlers that run meanwhile may allocate: to that thread the locks are open,
/// since nothing that they guard is being changed.
static FORKING: AtomicUsize = AtomicUsize::new(0);

/// Forks that the forking thread began within its fork, in signal handlers.
static WITHIN: AtomicU32 = AtomicU32::new(0);

/// The address of a variable of the calling thread's, which no other thread has, and where the last
/// bit is free.
fn me() -> usize {
    crate::errno::place().addr()
}

const _: () = assert!(align_of::<libc::c_int>() > AWAITED, "the mark fits below a thread's address");

/// A mutex whose word says which thread holds it.
///
/// The kernel sleeps on the half of the word where the mark is. Whoever holds a lock that is
/// marked wakes somebody, so that it does not matter if that half is the same for two threads.
pub(crate) struct Lock {
    word: AtomicUsize,
    /// The signals that its holder holds back, if it does.
    held: UnsafeCell<Option<Held>>,
}

// SAFETY: `held` is its holder's alone, which one thread is.
unsafe impl Sync for Lock {}

/// Whether the forking thread held the first lock before it took them for its fork.
static HAD_FIRST: AtomicBool = AtomicBool::new(false);

/// Takes `locks`, in this order, for a fork that the calling thread begins, but what it
/// holds already: it is in a signal handler then that interrupted the heap or another
/// fork, and what the lock guards will be seen to when the handler returns, in both
/// processes. `false`, and nothing is taken, if that is the last lock, behind which the
/// first must not be waited for, or all.
pub(crate) fn take_for_fork(locks: [&Lock; 2]) -> bool {
    if FORKING.load(Relaxed) == me() {
        WITHIN.fetch_add(1, Relaxed);
        return false;
    }
    let [first, last] = locks;
    if last.is_mine() {
        return false;
    }
    let had_first = first.is_mine();
    if !had_first {
        first.lock();
    }
    last.lock();
    HAD_FIRST.store(had_first, Relaxed);
    WITHIN.store(0, Relaxed);
    FORKING.store(me(), Relaxed);
    true
}

/// Whether the fork that ends now, in the parent or in the child, is one for
/// which [`take_for_fork`] took the locks.
pub(crate) fn ends_fork() -> bool {
    if FORKING.load(Relaxed) != me() {
        return false;
    }
    let within = WITHIN.load(Relaxed);
    if within > 0 {
        WITHIN.store(within - 1, Relaxed);
    }
    within == 0
}

/// Lets `locks` go at the end of a fork.
///
/// # Safety
///
/// [`ends_fork`] said so on this thread.
pub(crate) unsafe fn release_after_fork(locks: [&Lock; 2]) {
    FORKING.store(0, Relaxed);
    let [first, last] = locks;
    // SAFETY: the caller's promise.
    unsafe { last.unlock() };
    if !HAD_FIRST.load(Relaxed) {
        // SAFETY: likewise.
        unsafe { first.unlock() };
    }
}

impl Lock {
    /// In a fork's child: lets the lock go if its holder did not come along. Says whether
    /// that was so.
    pub(crate) fn outlives_holder(&self) -> bool {
        let lost = self.word.load(Relaxed) != FREE && !self.is_mine();
        if lost {
            // SAFETY: the child has one thread, and nobody else holds the lock. The signals
            // that were held back were another thread's.
            unsafe { *self.held.get() = None };
            self.word.store(FREE, Release);
        }
        lost
    }

    fn is_mine(&self) -> bool {
        self.word.load(Relaxed) & !AWAITED == me()
    }

    fn try_lock(&self) -> bool {
        self.word.compare_exchange(FREE, me(), Acquire, Relaxed).is_ok()
    }

    /// Takes the lock with signals held back until it is let go.
    #[cold]
    fn lock_and_hold(&self) -> bool {
        if FORKING.load(Relaxed) == me() {
            return true;
        }
        let held = Held::hold();
        if self.try_lock() || self.lock_slow() {
            // SAFETY: the lock is this thread's.
            unsafe { *self.held.get() = Some(held) };
            return true;
        }
        held.let_come();
        false
    }

    #[cold]
    fn lock_slow(&self) -> bool {
        if FORKING.load(Relaxed) == me() {
            return true;
        }
        if self.is_mine() {
            return false;
        }
        for _ in 0..LOOKS {
            if self.word.load(Relaxed) == FREE && self.try_lock() {
                return true;
            }
            core::hint::spin_loop();
        }
        // From here on the word says that somebody sleeps, even if that was
        // only us: one idle wake-up more.
        loop {
            let state = self.word.load(Relaxed);
            let wanted = if state == FREE { me() | AWAITED } else { state | AWAITED };
            if self.word.compare_exchange(state, wanted, Acquire, Relaxed).is_err() {
                continue;
            }
            if state == FREE {
                return true;
            }
            futex::sleep_while(marked_half(&self.word), wanted as u32);
        }
    }
}

// SAFETY: the word leaves FREE by an acquire operation that one thread wins,
// and becomes FREE again only in `unlock`. (Across a fork, both are no-ops for
// the thread that holds all locks anyway.)
unsafe impl hmm_core::Lock for Lock {
    #[allow(clippy::declare_interior_mutable_const, reason = "the trait wants a constant to start from")]
    const NEW: Self = Self { word: AtomicUsize::new(FREE), held: UnsafeCell::new(None) };

    fn lock(&self) -> bool {
        if signals::are_to_wait() { self.lock_and_hold() } else { self.try_lock() || self.lock_slow() }
    }

    fn would_refuse(&self) -> bool {
        self.is_mine() && FORKING.load(Relaxed) != me()
    }

    fn undisturbed<R>(&self, f: impl FnOnce() -> R) -> R {
        let held = signals::are_to_wait().then(Held::hold);
        let result = f();
        if let Some(held) = held {
            held.let_come();
        }
        result
    }

    unsafe fn unlock(&self) {
        let forking = FORKING.load(Relaxed);
        if forking != 0 && forking == me() {
            return;
        }
        // SAFETY: the lock is still this thread's.
        let held = unsafe { (*self.held.get()).take() };
        if self.word.swap(FREE, Release) & AWAITED != 0 {
            futex::wake(marked_half(&self.word), 1);
        }
        if let Some(held) = held {
            held.let_come();
        }
    }
}

/// The half of a lock's word where the mark is.
fn marked_half(word: &AtomicUsize) -> *const u32 {
    const HALVES: usize = size_of::<usize>() / size_of::<u32>();
    let first = word.as_ptr().cast_const().cast::<u32>();
    if cfg!(target_endian = "big") { first.wrapping_add(HALVES - 1) } else { first }
}
