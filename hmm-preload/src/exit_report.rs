//! `HMM_STATS=1`: a report of the heap when the program ends.
//!
//! The setting is read once, when the library is loaded and no thread can be
//! changing the environment yet, and counts for nothing in a set-user-ID
//! program. Both hooks are entries in the tables of functions that the loader
//! calls at load and at exit, so that nothing needs to be registered.

use crate::summary;
use core::ffi::{CStr, c_char, c_int};
use core::sync::atomic::{AtomicBool, AtomicI32, Ordering::Relaxed};

unsafe extern "C" {
    // In glibc and in musl; the libc crate leaves it out.
    fn secure_getenv(name: *const c_char) -> *const c_char;
}

/// Whether a report was asked for.
static WANTED: AtomicBool = AtomicBool::new(false);

/// A copy of standard error, or -1. GNU's programs close theirs on their way
/// out, before this library is asked.
static STDERR: AtomicI32 = AtomicI32::new(-1);

/// Where the copy may be: above what programs expect to get.
const COPY_FROM: c_int = 100;

#[used]
#[unsafe(link_section = ".init_array")]
static AT_LOAD: extern "C" fn() = prepare;

#[used]
#[unsafe(link_section = ".fini_array")]
static AT_EXIT: extern "C" fn() = report;

extern "C" fn prepare() {
    // SAFETY: the name ends with a 0.
    let value = unsafe { secure_getenv(c"HMM_STATS".as_ptr()) };
    if value.is_null() {
        return;
    }
    // SAFETY: not null, so a string of the environment, which nobody changes
    // meanwhile.
    let value = unsafe { CStr::from_ptr(value) };
    if matches!(value.to_bytes(), b"" | b"0") {
        return;
    }
    WANTED.store(true, Relaxed);
    STDERR.store(copy_of(libc::STDERR_FILENO, COPY_FROM), Relaxed);
}

extern "C" fn report() {
    if !WANTED.load(Relaxed) {
        return;
    }
    let copy = STDERR.load(Relaxed);
    if copy >= 0 {
        // The lowest free number: 2 exactly if standard error was closed.
        copy_of(copy, libc::STDERR_FILENO);
    }
    summary::write("heap at exit");
}

/// Another number, from `least` on, for the open file `fd`; or -1.
fn copy_of(fd: c_int, least: c_int) -> c_int {
    // SAFETY: acts on numbers of open files only.
    unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, least) }
}
