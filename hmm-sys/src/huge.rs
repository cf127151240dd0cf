//! Huge pages: whether the kernel may put them behind the heap.
//!
//! | `HMM_HUGE_PAGES` | the system's setting | what is asked for |
//! |---|---|---|
//! | not set, or `0` | `madvise`, `never` | nothing: the kernel uses none |
//! | not set, or `0` | `always` | none of them for the heap |
//! | `1` | any | as with `0` up to 32 MiB of heap; some for what is added then |
//!
//! They make the first touch of much memory cheaper, but each touch of a little
//! takes 2 MiB, and giving back a page out of one leaves it where it was until
//! the kernel finds time to split it: no bound on what is free could be kept.
//! So they are for those who ask.

use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicBool, AtomicU8};

/// From so many bytes of heap on they are asked for.
const LEAST: usize = 32 * 1024 * 1024;

/// Whether somebody asked for them.
static WANTED: AtomicBool = AtomicBool::new(false);

/// Whether the kernel uses them unasked; not known at first.
static UNASKED: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;

/// Uses huge pages from now on, or not.
pub(crate) fn set(wanted: bool) {
    WANTED.store(wanted, Relaxed);
}

/// Whether they are used from now on.
pub(crate) fn are_wanted() -> bool {
    WANTED.load(Relaxed)
}

fn are_used_unasked() -> bool {
    if UNASKED.load(Relaxed) == UNKNOWN {
        UNASKED.store(if system::always() { YES } else { NO }, Relaxed);
    }
    UNASKED.load(Relaxed) == YES
}

/// Tells the kernel about `bytes` bytes of the heap at `start`, which are mapped
/// anew, while the heap has `heap` bytes. What it makes of it is its business.
pub(crate) fn advise(start: *mut u8, bytes: usize, heap: usize) {
    if are_wanted() && heap >= LEAST {
        system::advise(start, bytes, true);
    } else if are_used_unasked() {
        system::advise(start, bytes, false);
    }
}

#[cfg(target_os = "linux")]
mod system {
    use crate::errno::Errno;

    /// Whether the kernel uses huge pages for everybody.
    pub(super) fn always() -> bool {
        let _errno = Errno::keep();
        let path = c"/sys/kernel/mm/transparent_hugepage/enabled".as_ptr();
        // Not by libc's functions, for the reasons that `moves` has.
        // SAFETY: the path is a C string.
        let file = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path, libc::O_RDONLY | libc::O_CLOEXEC) };
        if file < 0 {
            return false;
        }
        let mut text = [0_u8; 64];
        // SAFETY: the buffer is ours and this long.
        let read = unsafe { libc::syscall(libc::SYS_read, file, text.as_mut_ptr(), text.len()) };
        // SAFETY: opened above.
        unsafe { libc::syscall(libc::SYS_close, file) };
        let text = text.get(..usize::try_from(read).unwrap_or(0)).unwrap_or(&[]);
        text.starts_with(b"[always]")
    }

    pub(super) fn advise(start: *mut u8, bytes: usize, huge: bool) {
        let _errno = Errno::keep();
        let advice = if huge { libc::MADV_HUGEPAGE } else { libc::MADV_NOHUGEPAGE };
        // SAFETY: the range is ours; no advice of these changes what it holds.
        unsafe { libc::madvise(start.cast(), bytes, advice) };
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn always() -> bool {
        false
    }

    pub(super) fn advise(_: *mut u8, _: usize, _: bool) {}
}
