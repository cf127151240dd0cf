//! Threads that begin and end, and processes that fork.
//!
//! ```text
//!   first use      word = owner ─► key, fork handlers (once) ─► setspecific
//!   thread's end   destructor, last round: detach, word = "done"
//! ```
//!
//! A key's destructor tells us of a thread's end. Those of other keys may
//! still allocate after it, in up to four rounds: ours waits for the last one.
//! What comes later still is served by the heap without an owner.

use core::ptr;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicBool, AtomicU32};

use crate::errno::Errno;
use crate::process::{HEAP, Owner};
use crate::{lock, message, tls};

/// Destructors run in this many rounds (`PTHREAD_DESTRUCTOR_ITERATIONS`).
const ROUNDS: usize = 4;

const _: () = assert!(align_of::<Owner>() >= ROUNDS, "the round fits below an owner's address");

/// Whether `fork_prepare` took the heap's locks.
static LOCKED: AtomicBool = AtomicBool::new(false);

/// What has been set up: the state of `KEY`.
static STATE: AtomicU32 = AtomicU32::new(NEW);
const NEW: u32 = 0;
const BEGUN: u32 = 1;
const READY: u32 = 2;
const NO_KEY: u32 = 3;

/// The key whose destructor ends a thread's heap.
static KEY: AtomicU32 = AtomicU32::new(0);

/// Gives the calling thread a heap of its own; null if there is no memory for
/// one.
#[cold]
pub(crate) fn begin_thread() -> *const Owner {
    let Some(owner) = HEAP.attach() else { return ptr::null() };
    let _errno = Errno::keep();
    // The word first: what follows may allocate.
    tls::set(owner.as_ptr());
    if begin_process() {
        remember(owner.as_ptr().cast_const(), 0);
    }
    owner.as_ptr()
}

/// Asks to be told when the calling thread ends.
fn remember(owner: *const Owner, round: usize) {
    let value = owner.cast::<u8>().wrapping_add(round);
    // SAFETY: the key was made in `begin_process`. For keys of 32 and more
    // glibc allocates here; the thread's word is set, so that is served.
    unsafe { libc::pthread_setspecific(KEY.load(Relaxed), value.cast()) };
}

/// Sets up what the process needs once. Says whether there is a key.
fn begin_process() -> bool {
    match STATE.compare_exchange(NEW, BEGUN, Acquire, Acquire) {
        Ok(_) => {
            message::begin();
            let mut key = 0;
            // SAFETY: `end_thread` stays loaded: the library is not unloaded.
            let made = unsafe { libc::pthread_key_create(&raw mut key, Some(end_thread)) } == 0;
            KEY.store(key, Relaxed);
            // SAFETY: likewise. Registered first, so that our `prepare` runs
            // last and the locks are held for as short as can be.
            unsafe { libc::pthread_atfork(Some(fork_prepare), Some(fork_parent), Some(fork_child)) };
            STATE.store(if made { READY } else { NO_KEY }, Release);
            made
        }
        Err(mut state) => {
            while state == BEGUN {
                // SAFETY: always callable.
                unsafe { libc::sched_yield() };
                state = STATE.load(Acquire);
            }
            state == READY
        }
    }
}

/// The key's destructor.
unsafe extern "C" fn end_thread(value: *mut libc::c_void) {
    let value = value.cast::<u8>().cast_const();
    let round = value.addr() % ROUNDS;
    let owner = value.wrapping_sub(round).cast::<Owner>();
    if round + 1 < ROUNDS {
        return remember(owner, round + 1);
    }
    if let Some(owner) = ptr::NonNull::new(owner.cast_mut()) {
        // SAFETY: the owner is this thread's, and the word stops naming it.
        // Frees in between would be remote ones: set it after.
        let word = unsafe { HEAP.detach(owner) };
        tls::set(word);
    }
}

unsafe extern "C" fn fork_prepare() {
    let _errno = Errno::keep();
    let taken = lock::take_for_fork(HEAP.locks());
    // Written under the locks, or (in a signal handler that interrupted the
    // heap) by the thread that holds them.
    LOCKED.store(taken, Relaxed);
}

unsafe extern "C" fn fork_parent() {
    let _errno = Errno::keep();
    if LOCKED.load(Relaxed) {
        // SAFETY: `fork_prepare` took them on this thread.
        unsafe { lock::release_after_fork(HEAP.locks()) };
    }
}

unsafe extern "C" fn fork_child() {
    let _errno = Errno::keep();
    if LOCKED.load(Relaxed) {
        // SAFETY: `fork_prepare` took the locks on this thread, now the only
        // one, to which they are open.
        unsafe { HEAP.pool_others(tls::get()) };
        // SAFETY: `fork_prepare` took them on this thread.
        unsafe { lock::release_after_fork(HEAP.locks()) };
    }
}
