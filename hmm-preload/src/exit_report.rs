//! `HMM_STATS=1`: a report of the heap when the program ends.
//!
//! The setting is read once, when the library is loaded and no thread can be
//! changing the environment yet, and counts for nothing in a set-user-ID
//! program. The report is written by an entry in the table of functions that the loader
//! calls at exit, so that nothing needs to be registered.

use crate::summary;
use core::ffi::c_int;
use core::sync::atomic::{AtomicI32, Ordering::Relaxed};

use hmm_sys::Output;

/// Where the report goes: a copy of standard error, made only if a report was
/// asked for; -1 otherwise. GNU's programs close standard error on their way
/// out, before this library is asked, and the number may be another file's.
static STDERR: AtomicI32 = AtomicI32::new(-1);

/// Where the copy may be: above what programs expect to get.
const COPY_FROM: c_int = 100;

#[used]
#[unsafe(link_section = ".fini_array")]
static AT_EXIT: extern "C" fn() = report;

/// At load: reads the setting.
pub(crate) fn prepare() {
    if hmm_sys::variable(c"HMM_STATS").is_none_or(|value| matches!(value.to_bytes(), b"" | b"0")) {
        return;
    }
    // SAFETY: acts on numbers of open files only; -1 if standard error is
    // closed.
    let copy = unsafe { libc::fcntl(libc::STDERR_FILENO, libc::F_DUPFD_CLOEXEC, COPY_FROM) };
    STDERR.store(copy, Relaxed);
}

extern "C" fn report() {
    let copy = STDERR.load(Relaxed);
    if copy >= 0 {
        summary::write(Output::to(copy), "heap at exit");
    }
}
