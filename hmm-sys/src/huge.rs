//! Huge pages: where the kernel may put them behind the heap.
//!
//! | `HMM_HUGE_PAGES` | the system's setting | what is asked for |
//! |---|---|---|
//! | not set | any but `never` | some for what slabs add to a heap of 16 MiB and more; none for the rest |
//! | `0` | `madvise`, `never` | nothing: the kernel uses none |
//! | `0` | `always` | none of them for the heap |
//! | `1` | any | as with `0` up to 32 MiB of heap; some for whatever is added then |
//!
//! They take most of the cost of new memory away: a first touch of 2 MiB costs as
//! much as 70 of 4 KiB. But each touch of a little takes 2 MiB. Slabs fill what is
//! added to the heap from its start on, so that no more than one huge page is there
//! too early; of a large block the program may touch a little and no more, so its
//! pages are excepted.
//!
//! Each exception splits a mapping, of which a process may have 65 530: after
//! enough of them no more is asked for. Where the kernel cannot move pages across
//! mappings (before 6.17) nothing is, unless somebody wants it: large blocks that
//! grow are worth more.

use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicU8, AtomicUsize};

use hmm_core::Span;

use crate::limits;

/// From so many bytes of heap on they are asked for, for slabs and for everything.
const DENSE: usize = 16 * 1024 * 1024;
const ALL: usize = 32 * 1024 * 1024;

/// After so many exceptions no more is asked for.
const EXCEPTIONS: usize = 8192;

/// What they are asked for.
static WANTED: AtomicU8 = AtomicU8::new(FOR_SLABS);
const FOR_SLABS: u8 = 0;
const FOR_NOTHING: u8 = 1;
const FOR_ALL: u8 = 2;

/// Whether the kernel uses them unasked; not known at first.
static UNASKED: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const NO: u8 = 1;
const YES: u8 = 2;

/// The lowest address for which slabs asked for some.
static LOWEST: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Large blocks that were excepted.
static EXCEPTED: AtomicUsize = AtomicUsize::new(0);

/// Uses huge pages for everything from now on, or for nothing.
pub(crate) fn set(wanted: bool) {
    WANTED.store(if wanted { FOR_ALL } else { FOR_NOTHING }, Relaxed);
}

fn are_for(what: u8) -> bool {
    WANTED.load(Relaxed) == what
}

/// Whether some may be behind the heap, and parts of it be mapped differently.
pub(crate) fn may_be_there() -> bool {
    are_for(FOR_ALL) || LOWEST.load(Relaxed) != usize::MAX
}

fn are_used_unasked() -> bool {
    if UNASKED.load(Relaxed) == UNKNOWN {
        UNASKED.store(if system::always() { YES } else { NO }, Relaxed);
    }
    UNASKED.load(Relaxed) == YES
}

/// Tells the kernel about `span` of the heap, which is mapped anew, while the heap
/// has `heap` bytes. What it makes of it is its business.
pub(crate) fn advise(span: Span, heap: usize) {
    if are_for(FOR_ALL) && heap >= ALL {
        system::advise(span, true);
    } else if are_used_unasked() {
        system::advise(span, false);
    }
}

/// Slabs will fill `span`, which was added to a heap that has `heap` bytes now and
/// may hold `limit`: a limit is exact, and counts no memory that nobody asked for.
pub(crate) fn expect_dense(span: Span, heap: usize, limit: usize) {
    let worth = heap >= DENSE && limit == usize::MAX && EXCEPTED.load(Relaxed) < EXCEPTIONS;
    if worth && are_for(FOR_SLABS) && limits::moves_across_mappings() {
        LOWEST.fetch_min(span.start.addr().get(), Relaxed);
        system::advise(span, true);
    }
}

/// A large block will be at `span`.
pub(crate) fn expect_sparse(span: Span) {
    if span.start.addr().get() + span.bytes > LOWEST.load(Relaxed) && are_for(FOR_SLABS) {
        EXCEPTED.fetch_add(1, Relaxed);
        system::advise(span, false);
    }
}

#[cfg(target_os = "linux")]
mod system {
    use hmm_core::Span;

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

    pub(super) fn advise(span: Span, huge: bool) {
        let _errno = Errno::keep();
        let advice = if huge { libc::MADV_HUGEPAGE } else { libc::MADV_NOHUGEPAGE };
        // SAFETY: the range is ours; no advice of these changes what it holds.
        unsafe { libc::madvise(span.start.as_ptr().cast(), span.bytes, advice) };
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use hmm_core::Span;

    pub(super) fn always() -> bool {
        false
    }

    pub(super) fn advise(_: Span, _: bool) {}
}
