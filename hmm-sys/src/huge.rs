//! Huge pages: whether the kernel may put them behind the heap.
//!
//! | `HMM_HUGE_PAGES` | the system's setting | what is asked for |
//! |---|---|---|
//! | not set | `madvise` | one at a time, where slabs are used up: [`populate`] |
//! | not set | `never` | nothing: the kernel uses none |
//! | not set | `always`, or nobody tells | none of them for the heap |
//! | `0` | any | none of them for the heap, also what it has already |
//! | `1` | any | as if not set up to 32 MiB of heap; some for what is added then |
//! | `1` after `0` | any | some, also for what it has already |
//!
//! They make the first touch of much memory cheaper: 2 MiB cost as much as 90 pages
//! of 4 KiB. But where the kernel puts them by itself, each touch of a little takes 2
//! MiB, and what was given back of one comes back when the kernel's daemon finds
//! time: no bound on what is free could be kept. So ranges are advised for those
//! who ask alone, and else the heap asks for one huge page, here and now
//! (`MADV_COLLAPSE`, Linux 6.1), which changes nothing for the range.

use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicU8, AtomicU32};

use hmm_core::Span;

use crate::limits;

/// From so many bytes of heap on they are asked for.
const LEAST: usize = 32 * 1024 * 1024;

/// What somebody asked for.
static ASKED: AtomicU8 = AtomicU8::new(NOTHING);
const NOTHING: u8 = 0;
const NONE: u8 = 1;
const ALL: u8 = 2;

/// Whether the kernel uses them unasked; not known at first.
static UNASKED: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const NO: u8 = 1;
/// It does, or does not let us see whether.
const YES: u8 = 2;
/// It uses none at all.
const NEVER: u8 = 3;

/// Bytes of a huge page where pages are of 4 KiB. (Others' are far larger.)
pub(crate) const BYTES: usize = 2 * 1024 * 1024;

/// How many times [`unit`] says that there are none, after one could not be had or was
/// dear.
static PAUSE: AtomicU32 = AtomicU32::new(0);
const SOME: u32 = 64;

/// The next pause: twice as long each time, until one is cheap again.
static NEXT: AtomicU32 = AtomicU32::new(SOME);
const MOST: u32 = SOME << 10;

/// Nanoseconds from which on one is dear: where free memory is in small pieces,
/// the kernel moves pages about to make room, for up to 5 ms. Usual are 0.2 ms; the
/// faults that are saved take 0.3 to 0.7 ms. (A thread that another took the processor from
/// meanwhile pauses for nothing: the first pauses are short.)
const DEAR: u64 = 1_000_000;
/// The kernel, or somebody's filter, does not let us have any.
const FOR_EVER: u32 = u32::MAX;

/// Asks for the system's setting now, for the reason that `limits` has.
pub(crate) fn begin() {
    unasked();
}

/// Uses huge pages from now on, for everything, or none at all. Says whether what the heap has is to be
/// [advised so](advise_as_set), too: where there were to be some, there are to be none, and what was advised against
/// them cannot be as it began again.
pub(crate) fn set(wanted: bool) -> bool {
    let before = ASKED.swap(if wanted { ALL } else { NONE }, Relaxed);
    PAUSE.store(if wanted { 0 } else { FOR_EVER }, Relaxed);
    !wanted || before == NONE
}

/// Whether they are used from now on.
pub(crate) fn are_wanted() -> bool {
    ASKED.load(Relaxed) == ALL
}

fn unasked() -> u8 {
    if UNASKED.load(Relaxed) == UNKNOWN {
        UNASKED.store(system::setting(), Relaxed);
    }
    UNASKED.load(Relaxed)
}

/// Bytes of a huge page, if [`populate`] may make one.
pub(crate) fn unit() -> usize {
    match PAUSE.load(Relaxed) {
        0 if unasked() == NO && limits::page_size() == 4096 => BYTES,
        0 | FOR_EVER => 0,
        left => {
            PAUSE.store(left - 1, Relaxed);
            0
        }
    }
}

/// Puts a huge page behind `span`, which is zero; says whether it did.
pub(crate) fn populate(span: Span) -> bool {
    let before = system::now();
    let populated = system::collapse(span);
    match populated {
        Ok(()) if system::now().saturating_sub(before) < DEAR => NEXT.store(SOME, Relaxed),
        // Memory is short, or in small pieces: later, perhaps.
        Ok(()) | Err(libc::ENOMEM | libc::EAGAIN | libc::EBUSY) => {
            let pause = NEXT.load(Relaxed);
            NEXT.store((pause * 2).min(MOST), Relaxed);
            PAUSE.store(pause, Relaxed);
        }
        Err(_) => PAUSE.store(FOR_EVER, Relaxed),
    }
    populated.is_ok()
}

/// Tells the kernel about `bytes` bytes of the heap at `start`, which are mapped
/// anew, while the heap has `heap` bytes. What it makes of it is its business.
pub(crate) fn advise(start: *mut u8, bytes: usize, heap: usize) {
    match ASKED.load(Relaxed) {
        ALL if heap >= LEAST => system::advise(start, bytes, true),
        NONE => system::advise(start, bytes, false),
        _ if unasked() == YES => system::advise(start, bytes, false),
        _ => {}
    }
}

/// Tells the kernel what was asked for about a piece of the heap that may have been advised otherwise.
pub(crate) fn advise_as_set(piece: Span) {
    system::advise(piece.start.as_ptr(), piece.bytes, are_wanted());
}

#[cfg(target_os = "linux")]
mod system {
    use hmm_core::Span;

    use crate::errno::{self, Errno};
    use crate::file::KernelFile;

    /// Whether the kernel uses huge pages for everybody, for who asks, or never.
    pub(super) fn setting() -> u8 {
        let _errno = Errno::keep();
        let Some(file) = KernelFile::open(c"/sys/kernel/mm/transparent_hugepage/enabled") else {
            return super::YES;
        };
        let mut text = [0_u8; 64];
        let text = file.read(&mut text);
        if text.starts_with(b"[always]") || text.is_empty() {
            super::YES
        } else if text.starts_with(b"always [madvise]") {
            super::NO
        } else {
            super::NEVER
        }
    }

    /// Puts a huge page behind `span`; the error if it could not be had.
    pub(super) fn collapse(span: Span) -> Result<(), libc::c_int> {
        let _errno = Errno::keep();
        let start = span.start.as_ptr();
        // There must be something to collapse.
        // SAFETY: the span is ours and holds nothing.
        unsafe { start.write_volatile(0) };
        // SAFETY: the range is ours; what it holds stays.
        match unsafe { libc::madvise(start.cast(), span.bytes, COLLAPSE) } {
            0 => Ok(()),
            _ => Err(errno::get()),
        }
    }

    /// The time in nanoseconds; 0 if that is not to be known. Not the thread's own, for which the kernel must be
    /// called: filters may end programs for that.
    pub(super) fn now() -> u64 {
        let _errno = Errno::keep();
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the time is ours to write.
        match unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) } {
            0 => time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64,
            _ => 0,
        }
    }

    /// `MADV_COLLAPSE`, which the libc crate does not have for every system.
    const COLLAPSE: libc::c_int = 25;

    pub(super) fn advise(start: *mut u8, bytes: usize, huge: bool) {
        let _errno = Errno::keep();
        let advice = if huge { libc::MADV_HUGEPAGE } else { libc::MADV_NOHUGEPAGE };
        // SAFETY: the range is ours; no advice of these changes what it holds.
        unsafe { libc::madvise(start.cast(), bytes, advice) };
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use hmm_core::Span;

    pub(super) fn setting() -> u8 {
        super::NEVER
    }

    pub(super) fn collapse(_: Span) -> Result<(), libc::c_int> {
        Err(libc::ENOSYS)
    }

    pub(super) fn now() -> u64 {
        0
    }

    pub(super) fn advise(_: *mut u8, _: usize, _: bool) {}
}
