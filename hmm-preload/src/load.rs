//! What is done once, when the library is loaded.
//!
//! By an entry in the table of functions that the loader calls then, so that nothing needs to be
//! registered. First of all constructors of what it is linked with, and as a shared library before all others (`build.rs`):
//! the process is set up by calls of libc's, and an allocation may come out of the midst of one (glibc's `pthread_atfork`
//! grows its table by `malloc`, with its lock held); and the fork handlers that others register run before ours, while
//! the heap is not locked yet.

use core::ffi::{c_char, c_int};

use crate::{cxx, exit_report};

type Strings = *const *const c_char;

/// Glibc, and only that, calls such functions with `main`'s arguments and the environment.
type AtLoad = extern "C" fn(c_int, Strings, Strings);

#[used]
#[unsafe(link_section = ".init_array.00000")]
static AT_LOAD: AtLoad = prepare;

extern "C" fn prepare(_count: c_int, _words: Strings, environment: Strings) {
    if cfg!(target_env = "gnu") {
        show(environment);
    }
    hmm_sys::begin();
    exit_report::prepare();
    cxx::prepare();
}

/// Has `getenv` find the environment, which libc does not know before it is initialised itself.
fn show(environment: Strings) {
    unsafe extern "C" {
        static mut environ: Strings;
    }
    // SAFETY: libc's variable, read as `getenv` does.
    if unsafe { environ }.is_null() {
        // SAFETY: libc has not had its turn, nor has anybody else; it writes the same.
        unsafe { environ = environment };
    }
}
