//! glibc's questions and settings: `mallinfo`, `mallopt`, `malloc_trim`,
//! `malloc_stats`, `malloc_info`.
//!
//! Programs ask them to watch their memory; unanswered, they would reach
//! glibc's own heap, which is empty. The answers follow HMM's heap as closely
//! as names made for another allocator allow; [`crate::hmm`] has better ones.

mod xml;

use crate::summary;
use core::ffi::{c_int, c_void};
use hmm_sys::{Output, Stats};
use static_assertions::const_assert_eq;

/// glibc's `struct mallinfo2` with `N = usize`, its `struct mallinfo` with
/// `N = c_int`. What is said of bytes holds of the whole heap.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MallInfo<N> {
    /// Bytes that come from the program break.
    pub arena: N,
    /// Number of free blocks, and of free pages.
    pub ordblks: N,
    /// 0: no fast bins here.
    pub smblks: N,
    /// Number of mappings that blocks lie in: 1 if there is a reserve.
    pub hblks: N,
    /// Bytes that come from mappings.
    pub hblkhd: N,
    /// 0, as in glibc.
    pub usmblks: N,
    /// 0: no fast bins here.
    pub fsmblks: N,
    /// Bytes in live blocks.
    pub uordblks: N,
    /// The other bytes: `arena + hblkhd - uordblks`.
    pub fordblks: N,
    /// Free bytes at the top, which `malloc_trim` could give back.
    pub keepcost: N,
}

const_assert_eq!(size_of::<MallInfo<c_int>>(), 10 * size_of::<c_int>());
const_assert_eq!(size_of::<MallInfo<usize>>(), 10 * size_of::<usize>());

impl MallInfo<usize> {
    fn of(stats: Stats) -> Self {
        let taken = stats.brk_bytes + stats.reserve_bytes;
        Self {
            arena: stats.brk_bytes,
            ordblks: stats.free_blocks + stats.pages_free,
            smblks: 0,
            hblks: usize::from(stats.reserve_bytes > 0),
            hblkhd: stats.reserve_bytes,
            usmblks: 0,
            fsmblks: 0,
            uordblks: stats.allocated,
            fordblks: taken.saturating_sub(stats.allocated),
            keepcost: stats.top_free,
        }
    }

    /// The figures as `int`, where those that do not fit are `INT_MAX`: better
    /// than glibc's negative ones.
    fn narrow(self) -> MallInfo<c_int> {
        let narrow = |n| c_int::try_from(n).unwrap_or(c_int::MAX);
        MallInfo {
            arena: narrow(self.arena),
            ordblks: narrow(self.ordblks),
            smblks: narrow(self.smblks),
            hblks: narrow(self.hblks),
            hblkhd: narrow(self.hblkhd),
            usmblks: narrow(self.usmblks),
            fsmblks: narrow(self.fsmblks),
            uordblks: narrow(self.uordblks),
            fordblks: narrow(self.fordblks),
            keepcost: narrow(self.keepcost),
        }
    }
}

/// The heap in figures. It walks over every page.
#[unsafe(no_mangle)]
pub extern "C" fn mallinfo2() -> MallInfo<usize> {
    MallInfo::of(hmm_sys::counts())
}

/// [`mallinfo2`] in `int`s, where what does not fit is `INT_MAX`.
#[unsafe(no_mangle)]
pub extern "C" fn mallinfo() -> MallInfo<c_int> {
    MallInfo::of(hmm_sys::counts()).narrow()
}

/// Gives free memory back to the system, but for `pad` bytes at the top.
/// Returns 1 if some was given back, 0 if there was none.
#[unsafe(no_mangle)]
pub extern "C" fn malloc_trim(pad: usize) -> c_int {
    c_int::from(hmm_sys::trim(pad))
}

/// The parameters of [`mallopt`] by their numbers in glibc's `malloc.h`. Not taken from the libc crate,
/// which has them for glibc only: the library must build where another C library is.
mod parameter {
    use core::ffi::c_int;

    pub(super) const MXFAST: c_int = 1;
    pub(super) const TRIM_THRESHOLD: c_int = -1;
    pub(super) const TOP_PAD: c_int = -2;
    pub(super) const MMAP_THRESHOLD: c_int = -3;
    pub(super) const MMAP_MAX: c_int = -4;
    pub(super) const CHECK_ACTION: c_int = -5;
    pub(super) const PERTURB: c_int = -6;
    pub(super) const ARENA_TEST: c_int = -7;
    pub(super) const ARENA_MAX: c_int = -8;
}

/// Accepts glibc's settings. `M_TRIM_THRESHOLD` has HMM keep as much free memory,
/// everything if it is -1; but one of no more than HMM keeps anyway only takes back
/// what a larger one asked for, for glibc means the top of its heap alone ([`crate::hmm`] can
/// ask for less). The others turn what HMM does not have. Returns 1 for those
/// that glibc knows and 0 for others, and for a value that glibc refuses.
#[unsafe(no_mangle)]
pub extern "C" fn mallopt(parameter: c_int, value: c_int) -> c_int {
    /// glibc's largest "fast" block.
    const FAST_MAX: c_int = 20 * size_of::<usize>() as c_int;
    c_int::from(match parameter {
        parameter::MXFAST => (0..=FAST_MAX).contains(&value),
        parameter::TRIM_THRESHOLD => {
            keep(value);
            true
        }
        parameter::TOP_PAD
        | parameter::MMAP_THRESHOLD
        | parameter::MMAP_MAX
        | parameter::CHECK_ACTION
        | parameter::PERTURB
        | parameter::ARENA_TEST
        | parameter::ARENA_MAX => true,
        _ => false,
    })
}

/// Has the heap keep `threshold` bytes of free memory, all if it is negative; if that is no more than it
/// does by itself, as much as if this had never been called.
fn keep(threshold: c_int) {
    /// What HMM keeps at least.
    const FLOOR: usize = 8 * 1024 * 1024;
    let bytes = usize::try_from(threshold).unwrap_or(usize::MAX);
    hmm_sys::override_keep((bytes > FLOOR).then_some(bytes));
}

/// Writes the state of the heap to standard error, in a few lines for people.
#[unsafe(no_mangle)]
pub extern "C" fn malloc_stats() {
    if let Some(stderr) = Output::stderr_as_asked() {
        summary::write(stderr, "heap");
    }
}

/// Writes the state of the heap to `stream` as XML, in the form of glibc's.
/// Returns 0, or `EINVAL` if `options` is not 0.
///
/// # Safety
/// `stream` is a `FILE` that is open for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc_info(options: c_int, stream: *mut c_void) -> c_int {
    if options != 0 {
        return libc::EINVAL;
    }
    let stats = hmm_sys::stats();
    // SAFETY: the same contract.
    unsafe { xml::write(stream.cast(), &MallInfo::of(stats), &stats) };
    0
}
