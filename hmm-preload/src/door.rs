//! What the doors have in common: C's conventions around the calls of
//! `hmm_sys`.
//!
//! The exported functions call these and never each other: a call by name may
//! be answered by another library, and the compiler takes a call of `malloc`
//! for one that it may leave out.

use core::ffi::{c_int, c_void};
use core::ptr;

use hmm_sys::{GRANULE, errno};

/// A block of `size` bytes; null with `ENOMEM` when there is no memory.
#[inline(always)]
pub(crate) fn alloc(size: usize) -> *mut c_void {
    match hmm_sys::alloc_fast(GRANULE, size) {
        Some(block) => block.cast(),
        None => alloc_slow(size),
    }
}

/// Out of line, and the last thing that [`alloc`] does: so the fast path needs
/// neither a stack frame nor a test of what it found.
#[inline(never)]
fn alloc_slow(size: usize) -> *mut c_void {
    match hmm_sys::alloc_beyond(size).or_else(|| hmm_sys::alloc_kept(size)) {
        Some(block) => block.cast(),
        None => alloc_slowest(size),
    }
}

#[cold]
#[inline(never)]
fn alloc_slowest(size: usize) -> *mut c_void {
    or_enomem(hmm_sys::alloc_slowest(GRANULE, size))
}

/// A zeroed block of `count * size` bytes; null with `ENOMEM` when there is no
/// memory or the product overflows.
#[inline(always)]
pub(crate) fn calloc(count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        Some(total) => or_enomem(hmm_sys::alloc_zeroed(total)),
        None => fail(libc::ENOMEM),
    }
}

/// The alignment of a block that was asked for at `align`: C's `realloc`, which is told of none, owes
/// what every block has.
#[inline(always)]
pub(crate) fn for_realloc(align: usize) -> usize {
    align.max(GRANULE)
}

/// A block of `size` bytes at a multiple of `align`, a power of two; null with
/// `ENOMEM` when there is no memory.
#[inline(always)]
pub(crate) fn alloc_aligned(align: usize, size: usize) -> *mut c_void {
    debug_assert!(align.is_power_of_two());
    or_enomem(hmm_sys::alloc_aligned(for_realloc(align), size))
}

/// [`alloc_aligned`] of an alignment that a program gave: null with `EINVAL`
/// when it is no power of two.
#[inline(always)]
pub(crate) fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
    if !align.is_power_of_two() {
        return fail(libc::EINVAL);
    }
    alloc_aligned(align, size)
}

/// [`alloc_aligned`] of an alignment that is rounded up to a power of two: null with `EINVAL` when there
/// is none.
pub(crate) fn memalign(align: usize, size: usize) -> *mut c_void {
    match align.checked_next_power_of_two() {
        Some(align) => alloc_aligned(align, size),
        None => fail(libc::EINVAL),
    }
}

/// A block that begins a page of the system's.
pub(crate) fn valloc(size: usize) -> *mut c_void {
    alloc_aligned(hmm_sys::page_size(), size)
}

/// [`valloc`] of whole pages, at least one; null with `ENOMEM`, also when the rounding overflows.
pub(crate) fn pvalloc(size: usize) -> *mut c_void {
    match size.max(1).checked_next_multiple_of(hmm_sys::page_size()) {
        Some(size) => valloc(size),
        None => fail(libc::ENOMEM),
    }
}

/// Resizes `block` as C's `realloc` does on Linux: null is allocated, size 0
/// is freed and answered by null, without an error.
///
/// # Safety
/// `block` is null or a block of HMM's, which the caller gives up unless the
/// result is null and `size` is not 0.
#[inline(always)]
pub(crate) unsafe fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    if block.is_null() || size == 0 {
        // SAFETY: our caller's promise.
        return unsafe { from_or_to_nothing(block, size) };
    }
    // SAFETY: the block is not null, the size not 0; the rest is our caller's
    // promise.
    or_enomem(unsafe { hmm_sys::realloc(block.cast(), size) })
}

/// [`realloc`] of no block, or to no bytes.
///
/// # Safety
/// As [`realloc`].
#[inline(never)]
unsafe fn from_or_to_nothing(block: *mut c_void, size: usize) -> *mut c_void {
    if block.is_null() {
        return alloc(size);
    }
    // SAFETY: the caller gives up its block.
    unsafe { hmm_sys::free(block.cast()) };
    ptr::null_mut()
}

/// Null with `errno` set: kept out of the fast paths.
#[cold]
#[inline(never)]
pub(crate) fn fail(error: c_int) -> *mut c_void {
    errno::set(error);
    ptr::null_mut()
}

#[inline(always)]
fn or_enomem(block: *mut u8) -> *mut c_void {
    if block.is_null() {
        return fail(libc::ENOMEM);
    }
    block.cast()
}
