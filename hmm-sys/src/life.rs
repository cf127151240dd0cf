//! Threads that begin and end.
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
use core::sync::atomic::Ordering::Relaxed;

use crate::errno::Errno;
use crate::process::{HEAP, NO_MORE, NOT_YET, Owner};
use crate::set_up::{NO_KEY, READY, SET_UP};
use crate::{fork, huge, limits, message, settings, tls};

/// Our destructor ends the thread's heap when it runs for so many times, of four at
/// the most (`PTHREAD_DESTRUCTOR_ITERATIONS`).
const ROUNDS: usize = 2;

const _: () = assert!(align_of::<Owner>() >= ROUNDS, "the round fits below an owner's address");

/// The key whose destructor ends a thread's heap.
static KEY: AtomicU32 = AtomicU32::new(0);

/// Gives the calling thread a heap of its own; nobody's if there is no memory
/// for one, or nobody would tell us of the thread's end: it would be lost then.
#[cold]
pub(crate) fn begin_thread() -> &'static Owner {
    if SET_UP.state() == NO_KEY {
        tls::set(&NO_MORE);
        return &NO_MORE;
    }
    let Some(owner) = HEAP.attach() else { return &NOT_YET };
    // SAFETY: owners are never unmapped.
    let owner = unsafe { owner.as_ref() };
    let _errno = Errno::keep();
    // The word first: what follows may allocate.
    tls::set(owner);
    if begin_process(owner) {
        return owner;
    }
    tls::set(&NO_MORE);
    // SAFETY: the owner is this thread's, and its word does not name it any more.
    unsafe { HEAP.detach(ptr::NonNull::from(owner)) };
    &NO_MORE
}

/// Asks to be told when the calling thread ends. `false`: there was no memory for that.
fn remember(owner: *const Owner, round: usize) -> bool {
    let value = owner.cast::<u8>().wrapping_add(round);
    // SAFETY: the key was made in `begin_process`. For keys of 32 and more
    // glibc allocates here; the thread's word is set, so that is served.
    unsafe { libc::pthread_setspecific(KEY.load(Relaxed), value.cast()) == 0 }
}

/// Sets up what the process needs once. Says whether `owner` may stay the calling thread's: somebody tells of its end,
/// or it is the process's first one, mostly the main thread. Its word is set: what libc allocates meanwhile does not
/// come here again, where it would wait for itself.
fn begin_process(owner: &'static Owner) -> bool {
    if !SET_UP.begin() {
        return SET_UP.wait() == READY && remember(owner, 0);
    }
    message::begin();
    settings::read();
    limits::begin();
    huge::begin();
    let mut key = 0;
    // SAFETY: `end_thread` stays loaded as long as the key is there: see `unload`.
    let made = unsafe { libc::pthread_key_create(&raw mut key, Some(end_thread)) } == 0;
    KEY.store(key, Relaxed);
    fork::watch();
    SET_UP.end(if made { READY } else { NO_KEY });
    if made {
        remember(owner, 0);
    }
    true
}

/// Nobody is told of threads' ends any more: what would be told may be about to be unloaded, with the plugin that
/// this heap is a part of. Threads that begin after that have no heaps of their own.
extern "C" fn unload() {
    if SET_UP.withdraw() == READY {
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
    if round + 1 < ROUNDS && SET_UP.state() == READY && remember(owner, round + 1) {
        return;
    }
    if let Some(owner) = ptr::NonNull::new(owner.cast_mut()) {
        tls::set(&NO_MORE);
        // SAFETY: the owner is this thread's, and its word does not name it
        // any more.
        unsafe { HEAP.detach(owner) };
    }
}
