//! Threads that begin and end, and processes that fork.
//!
//! ```text
//!   first use      word: NOT_YET → owner ─► key, fork handlers (once) ─► setspecific
//!   thread's end   destructor, second round: detach, word = NO_MORE
//! ```
//!
//! A key's destructor tells us of a thread's end. Those of other keys may
//! still allocate after it, in up to four rounds: ours waits for its second one, and
//! not for the last, which a thread that allocates in a destructor first never sees.
//! What comes later still is served by the heap without an owner, and so are
//! threads that begin after all keys were found taken.

use core::ptr;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use crate::errno::Errno;
use crate::process::{HEAP, NO_MORE, NOT_YET, Owner};
use crate::{huge, limits, lock, message, settings, tls};

/// Our destructor ends the thread's heap when it runs for so many times, of four at
/// the most (`PTHREAD_DESTRUCTOR_ITERATIONS`).
const ROUNDS: usize = 2;

const _: () = assert!(align_of::<Owner>() >= ROUNDS, "the round fits below an owner's address");

/// What has been set up: the state of `KEY`.
static STATE: AtomicU32 = AtomicU32::new(NEW);
const NEW: u32 = 0;
const BEGUN: u32 = 1;
const READY: u32 = 2;
const NO_KEY: u32 = 3;
/// As `BEGUN`, and somebody sleeps until that is done.
const AWAITED: u32 = 4;

/// The key whose destructor ends a thread's heap.
static KEY: AtomicU32 = AtomicU32::new(0);

/// Gives the calling thread a heap of its own; nobody's if there is no memory
/// for one, or nobody would tell us of the thread's end: it would be lost then.
#[cold]
pub(crate) fn begin_thread() -> &'static Owner {
    if STATE.load(Relaxed) == NO_KEY {
        tls::set(&NO_MORE);
        return &NO_MORE;
    }
    let Some(owner) = HEAP.attach() else { return &NOT_YET };
    // SAFETY: owners are never unmapped.
    let owner = unsafe { owner.as_ref() };
    let _errno = Errno::keep();
    // The word first: what follows may allocate.
    tls::set(owner);
    if begin_process() {
        remember(owner, 0);
    }
    owner
}

/// Asks to be told when the calling thread ends.
fn remember(owner: *const Owner, round: usize) {
    let value = owner.cast::<u8>().wrapping_add(round);
    // SAFETY: the key was made in `begin_process`. For keys of 32 and more
    // glibc allocates here; the thread's word is set, so that is served.
    unsafe { libc::pthread_setspecific(KEY.load(Relaxed), value.cast()) };
}

/// Sets up what the process needs once. Says whether there is a key. The calling
/// thread's word is set: what libc allocates meanwhile does not come here again,
/// where it would wait for itself.
fn begin_process() -> bool {
    match STATE.compare_exchange(NEW, BEGUN, Acquire, Acquire) {
        Ok(_) => {
            message::begin();
            settings::read();
            limits::begin();
            huge::begin();
            let mut key = 0;
            // SAFETY: `end_thread` stays loaded as long as the key is there: see `unload`.
            let made = unsafe { libc::pthread_key_create(&raw mut key, Some(end_thread)) } == 0;
            KEY.store(key, Relaxed);
            // SAFETY: they stay loaded as long as they are registered: libc takes those of a library that
            // is unloaded out. Registered first, so that our `prepare` runs
            // last and the locks are held for as short as can be.
            unsafe { libc::pthread_atfork(Some(fork_prepare), Some(fork_parent), Some(fork_child)) };
            end(&STATE, if made { READY } else { NO_KEY });
            made
        }
        Err(_) => wait(&STATE) == READY,
    }
}

/// What was begun has come to `end`: who sleeps until then is told.
fn end(state: &AtomicU32, end: u32) {
    if state.swap(end, AcqRel) != BEGUN {
        lock::wake(state.as_ptr(), libc::c_int::MAX);
    }
}

/// Sleeps while another thread is at what was begun; returns what that came to. (To yield instead would be for good where
/// this thread goes before that one, by `SCHED_FIFO`, on the same processor.)
fn wait(state: &AtomicU32) -> u32 {
    loop {
        match state.compare_exchange(BEGUN, AWAITED, Acquire, Acquire) {
            Ok(_) | Err(AWAITED) => lock::sleep_while(state.as_ptr(), AWAITED),
            Err(end) => return end,
        }
    }
}

/// Nobody is told of threads' ends any more: what would be told may be about to be unloaded, with the plugin that
/// this heap is a part of. Threads that begin after that have no heaps of their own.
extern "C" fn unload() {
    if STATE.swap(NO_KEY, AcqRel) == READY {
        // SAFETY: the key was made in `begin_process`. (Who has looked at the state just before sets what no key is, or,
        // if the number is another's already, at exit, what that is told of: too late to matter.)
        unsafe { libc::pthread_key_delete(KEY.load(Relaxed)) };
    }
}

/// Where the loader finds what to call before it unloads this, or at exit.
#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".fini_array")]
static AT_UNLOAD: extern "C" fn() = unload;

/// The key's destructor.
unsafe extern "C" fn end_thread(value: *mut libc::c_void) {
    let value = value.cast::<u8>().cast_const();
    let round = value.addr() % ROUNDS;
    let owner = value.wrapping_sub(round).cast::<Owner>();
    if round + 1 < ROUNDS && STATE.load(Relaxed) == READY {
        return remember(owner, round + 1);
    }
    if let Some(owner) = ptr::NonNull::new(owner.cast_mut()) {
        tls::set(&NO_MORE);
        // SAFETY: the owner is this thread's, and its word does not name it
        // any more.
        unsafe { HEAP.detach(owner) };
    }
}

unsafe extern "C" fn fork_prepare() {
    let _errno = Errno::keep();
    stdio::before();
    if !lock::take_for_fork(HEAP.locks()) {
        stdio::parent();
    }
}

unsafe extern "C" fn fork_parent() {
    let _errno = Errno::keep();
    if lock::ends_fork() {
        // SAFETY: the fork that took them ends.
        unsafe { lock::release_after_fork(HEAP.locks()) };
        stdio::parent();
    }
}

unsafe extern "C" fn fork_child() {
    let _errno = Errno::keep();
    if lock::ends_fork() {
        // SAFETY: the locks were taken on this thread, now the only one, to
        // which they are open.
        unsafe { HEAP.pool_others(tls::get()) };
        // SAFETY: the fork that took them ends.
        unsafe { lock::release_after_fork(HEAP.locks()) };
        stdio::child();
        // The thread that was setting up did not come along.
        if matches!(STATE.load(Relaxed), BEGUN | AWAITED) {
            STATE.store(NEW, Relaxed);
        }
    } else if HEAP.locks()[0].outlives_holder() {
        // This is a signal handler that interrupted the run layer, behind whose lock the
        // other one could not be taken, and somebody held that.
        // SAFETY: who used the common owner did not come along.
        unsafe { HEAP.forget_common() };
    }
}

/// The lock of stdio's list of files. A thread that holds it may wait for the
/// heap (`fflush(NULL)`, say), and glibc's `fork` waits for it after our
/// handlers ran: so it is taken before the heap's locks are. It is recursive.
#[cfg(target_env = "gnu")]
mod stdio {
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
}

#[cfg(not(target_env = "gnu"))]
mod stdio {
    pub(super) fn before() {}
    pub(super) fn parent() {}
    pub(super) fn child() {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    /// What the calling thread took of the processor.
    fn used() -> Duration {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the time is ours.
        assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) }, 0);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }

    #[test]
    fn who_waits_for_the_set_up_sleeps() {
        let state = AtomicU32::new(BEGUN);
        let waits = || {
            let before = used();
            (wait(&state), used() - before)
        };
        thread::scope(|scope| {
            let waiting = [scope.spawn(waits), scope.spawn(waits)];
            thread::sleep(Duration::from_millis(300));
            end(&state, READY);
            for waiting in waiting {
                let (end, used) = waiting.join().expect("it ends");
                assert_eq!(end, READY);
                assert!(used < Duration::from_millis(10), "{used:?}");
            }
        });
        assert_eq!(wait(&state), READY, "who comes later does not wait");
    }
}
