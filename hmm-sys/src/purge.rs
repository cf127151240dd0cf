//! Memory that goes back to the system while its addresses stay.
//!
//! A program may lock a block's memory and free the block so. One such page refuses for all of the
//! stretch that it is in, each time. What is free need not be locked: it is unlocked then, unless the
//! program has locked everything (`mlockall`), and wants no page fault whatever.

use core::ffi::c_int;
use core::ptr;
use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;

use hmm_core::Span;

use crate::errno::{self, Errno};
use crate::limits;
use crate::reserve::map;

/// Has the memory of `span` go back; the span then reads as zero. Says whether it was done.
///
/// # Safety
///
/// Nothing lives there.
pub(crate) unsafe fn purge(span: Span) -> bool {
    let _errno = Errno::keep();
    // SAFETY: the caller's promise.
    let dropped = || unsafe { advise(span, libc::MADV_DONTNEED) };
    dropped() || errno::get() == libc::EINVAL && unlock(span) && dropped()
}

/// # Safety
///
/// What the advice does to contents is fine.
unsafe fn advise(span: Span, advice: c_int) -> bool {
    // SAFETY: the caller's promise; and a range that is not mapped is refused.
    unsafe { libc::madvise(span.start.as_ptr().cast(), span.bytes, advice) == 0 }
}

/// Unlocks the memory of `span`, which is free. `false` if the program has locked everything, or that cannot be
/// told.
#[cfg(target_os = "linux")]
fn unlock(span: Span) -> bool {
    // SAFETY: contents stay.
    !is_all_locked() && unsafe { libc::munlock(span.start.as_ptr().cast(), span.bytes) == 0 }
}

/// Whether the program has locked everything. Who wants memory back then comes with stretch after stretch: what was
/// found holds for the next ones.
#[cfg(target_os = "linux")]
fn is_all_locked() -> bool {
    const STRETCHES: u32 = 64;
    /// Stretches for which that is known.
    static KNOWN: AtomicU32 = AtomicU32::new(0);
    let left = match KNOWN.load(Relaxed) {
        0 if find_all_locked() => STRETCHES,
        0 => return false,
        left => left - 1,
    };
    KNOWN.store(left, Relaxed);
    true
}

/// Whether what is mapped is locked (`MCL_CURRENT`), or what will be (`MCL_FUTURE`).
#[cfg(target_os = "linux")]
fn find_all_locked() -> bool {
    /// Nobody locks this page alone.
    static OURS: u8 = 0;
    let page = limits::page_size();
    // SAFETY: contents stay. Memory that is locked refuses this advice, and a kernel that does not know
    // it (before 5.4) refuses always.
    let is_locked = |start| unsafe { !advise(Span { start, bytes: page }, libc::MADV_COLD) };
    let ours = ptr::from_ref(&OURS).map_addr(|at| at & !(page - 1)).cast_mut();
    let Some(fresh) = map(ptr::null_mut(), page, libc::PROT_READ, 0) else { return true };
    let all = ptr::NonNull::new(ours).is_none_or(is_locked) || is_locked(fresh);
    // SAFETY: it was mapped above, for this.
    unsafe { libc::munmap(fresh.as_ptr().cast(), page) };
    all
}

#[cfg(not(target_os = "linux"))]
fn unlock(_: Span) -> bool {
    false
}
