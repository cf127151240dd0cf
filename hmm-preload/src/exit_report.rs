//! `HMM_STATS=1`: a report of the heap when the program ends.
//!
//! The setting is read once, when the library is loaded and no thread can be
//! changing the environment yet, and counts for nothing in a set-user-ID
//! program. The report is written by an entry in the table of functions that the loader
//! calls at exit, so that nothing needs to be registered.

use crate::summary;
use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, AtomicI32, Ordering::Relaxed};

use hmm_sys::Output;

/// Whether a report was asked for.
static WANTED: AtomicBool = AtomicBool::new(false);

/// Where the report goes: a copy of standard error, made only if a report was
/// asked for; -1 if there is none. GNU's programs close standard error on their way
/// out, before this library is asked, and the number may be another file's.
static COPY: AtomicI32 = AtomicI32::new(-1);

/// Where the copy may be: above what programs expect to get.
const COPY_FROM: c_int = 100;

#[used]
#[unsafe(link_section = ".fini_array")]
static AT_EXIT: extern "C" fn() = report;

/// At load: reads the setting.
pub(crate) fn prepare() {
    if hmm_sys::variable(c"HMM_STATS").is_none_or(|value| value == c"0") {
        return;
    }
    WANTED.store(true, Relaxed);
    // SAFETY: acts on numbers of open files only; -1 if there is none free up there, or standard error is
    // closed.
    let copy = unsafe { libc::fcntl(libc::STDERR_FILENO, libc::F_DUPFD_CLOEXEC, COPY_FROM) };
    COPY.store(copy, Relaxed);
}

extern "C" fn report() {
    if !WANTED.load(Relaxed) {
        return;
    }
    // The program may have closed all that it did not open, and the number is another file's.
    if let Some(output) = Output::as_at_start(COPY.load(Relaxed)).or_else(Output::stderr) {
        summary::write(output, "heap at exit");
    }
}
