//! Processes that fork: all locks are held meanwhile, and the child gets what is whole.
//!
//! ```text
//!   prepare   stdio's lock ─► the heap's locks
//!   parent    the heap's locks ─► stdio's lock, let go
//!   child     other threads' owners to the pool; the heap's locks; stdio's lock, made new
//! ```

#[cfg(target_env = "gnu")]
mod register;
/// Only glibc takes handlers out while there may be forks.
#[cfg(not(target_env = "gnu"))]
mod register {
    pub(super) use libc::pthread_atfork as register;
}

#[cfg(target_env = "gnu")]
mod stdio;
/// Only of glibc's `fork` is known that it waits for such a lock.
#[cfg(not(target_env = "gnu"))]
mod stdio {
    pub(super) fn before() {}
    pub(super) fn parent() {}
    pub(super) fn child() {}
}

use crate::errno::Errno;
use crate::process::HEAP;
use crate::set_up::SET_UP;
use crate::{lock, tls};

/// Has the handlers called at each fork.
pub(crate) fn watch() {
    // SAFETY: they may be called at any fork. Registered first, so that our `prepare` runs
    // last and the locks are held for as short as can be.
    unsafe { register::register(Some(prepare), Some(parent), Some(child)) };
}

unsafe extern "C" fn prepare() {
    let _errno = Errno::keep();
    stdio::before();
    if !lock::take_for_fork(HEAP.locks()) {
        stdio::parent();
    }
}

unsafe extern "C" fn parent() {
    let _errno = Errno::keep();
    if lock::ends_fork() {
        // SAFETY: the fork that took them ends.
        unsafe { lock::release_after_fork(HEAP.locks()) };
        stdio::parent();
    }
}

unsafe extern "C" fn child() {
    let _errno = Errno::keep();
    if lock::ends_fork() {
        // SAFETY: the locks were taken on this thread, now the only one, to
        // which they are open.
        unsafe { HEAP.pool_others(tls::get()) };
        // SAFETY: the fork that took them ends.
        unsafe { lock::release_after_fork(HEAP.locks()) };
        stdio::child();
        SET_UP.begin_anew();
    } else if HEAP.locks()[0].outlives_holder() {
        // This is a signal handler that interrupted the run layer, behind whose lock the
        // other one could not be taken, and somebody held that.
        // SAFETY: who used the common owner did not come along.
        unsafe { HEAP.forget_common() };
    }
}
