//! The malloc family: every name under which glibc hands out, resizes or
//! takes back memory, and C23's sized frees.
//!
//! Common to all: a request above `PTRDIFF_MAX`, or whose computation
//! overflows, fails at once; null for want of memory comes with `errno`
//! `ENOMEM`; success leaves `errno` alone, and so does [`free`] always. Blocks
//! of size 0 are unique and to be freed like any other. Blocks of 16 bytes and
//! more suit `max_align_t`.

use crate::door;
use core::arch::global_asm;
use core::ffi::{c_int, c_void};

/// A block of `size` bytes; null with `ENOMEM` when there is no memory.
#[unsafe(no_mangle)]
pub extern "C" fn malloc(size: usize) -> *mut c_void {
    door::alloc(size)
}

// A second name for it, for `hmm-sys` alone: by the first one it finds the process's `malloc`, which is another
// where this library is loaded by a plugin. (Weak, as the references to it are: two bindings of a name are an error.)
global_asm!(
    ".weak hmm_own_malloc",
    ".hidden hmm_own_malloc",
    ".set hmm_own_malloc, {malloc}",
    malloc = sym malloc,
);

/// A zeroed block for `count` elements of `size` bytes each; null with
/// `ENOMEM` when there is no memory or the product overflows.
#[unsafe(no_mangle)]
pub extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    door::calloc(count, size)
}

/// Takes `block` back; null is fine. Keeps `errno`. A pointer that is no live
/// block ends the program with a line that says why.
///
/// # Safety
/// `block` is null or a live block, not used after this.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(block: *mut c_void) {
    // SAFETY: the same contract.
    unsafe { hmm_sys::free(block.cast()) }
}

/// [`free`], by the name it had until glibc 2.26.
///
/// # Safety
/// As [`free`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cfree(block: *mut c_void) {
    // SAFETY: the same contract.
    unsafe { hmm_sys::free(block.cast()) }
}

/// C23: [`free`] of a block of `malloc`, `calloc` or `realloc` whose requested
/// size the caller knows. A size that is not the block's ends the program with
/// a line.
///
/// # Safety
/// As [`free`]; `size` is what the block was requested with.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free_sized(block: *mut c_void, size: usize) {
    // SAFETY: the same contract.
    unsafe { hmm_sys::free_sized(block.cast(), size, hmm_sys::GRANULE) }
}

/// C23: [`free_sized`] of a block of [`aligned_alloc`].
///
/// # Safety
/// As [`free_sized`]; `alignment` is what the block was requested with.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free_aligned_sized(block: *mut c_void, alignment: usize, size: usize) {
    // What no block can be at no block of any size is at.
    let size = if alignment.is_power_of_two() { size } else { usize::MAX };
    // SAFETY: the same contract.
    unsafe { hmm_sys::free_sized_aligned(block.cast(), size, door::for_realloc(alignment)) }
}

/// The block resized to `size` bytes, moved where it must. `realloc(NULL, n)`
/// is `malloc(n)`; `realloc(p, 0)` frees `p` and returns null, as in glibc.
/// When it fails (null with `ENOMEM`), `block` stays as it was.
///
/// # Safety
/// `block` is null or a live block, and given up unless the call fails.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the same contract.
    unsafe { door::realloc(block, size) }
}

/// [`realloc`] to `count` elements of `size` bytes each; a product that
/// overflows fails with `ENOMEM`.
///
/// # Safety
/// As [`realloc`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn reallocarray(block: *mut c_void, count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: the same contract.
        Some(total) => unsafe { door::realloc(block, total) },
        // Fails, but not before the pointer was looked at.
        // SAFETY: likewise.
        None => unsafe { door::realloc(block, usize::MAX) },
    }
}

/// A block of `size` bytes at a multiple of `alignment`; null with `EINVAL`
/// when that is no power of two. `size` may be anything.
#[unsafe(no_mangle)]
pub extern "C" fn aligned_alloc(alignment: usize, size: usize) -> *mut c_void {
    door::aligned_alloc(alignment, size)
}

/// A block of `size` bytes at a multiple of `alignment`, which is rounded up
/// to a power of two; null with `EINVAL` when there is none.
#[unsafe(no_mangle)]
pub extern "C" fn memalign(alignment: usize, size: usize) -> *mut c_void {
    door::memalign(alignment, size)
}

/// Stores a block of `size` bytes at a multiple of `alignment` in `*out` and
/// returns 0; `EINVAL` when the alignment is no power of two or no multiple of
/// a pointer's size, `ENOMEM` when there is no memory. A failure leaves `*out`
/// alone, and `errno` stays as it is in any case.
///
/// # Safety
/// `out` is valid for a write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_memalign(out: *mut *mut c_void, alignment: usize, size: usize) -> c_int {
    if !alignment.is_power_of_two() || alignment < size_of::<*mut c_void>() {
        return libc::EINVAL;
    }
    let block = hmm_sys::alloc_aligned(door::for_realloc(alignment), size);
    if block.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: `out` is valid for a write, by contract.
    unsafe { out.write(block.cast()) };
    0
}

/// A block of `size` bytes that begins a page of the system's.
#[unsafe(no_mangle)]
pub extern "C" fn valloc(size: usize) -> *mut c_void {
    door::valloc(size)
}

/// A block of as many whole pages of the system's as `size` bytes take, at
/// least one; null with `ENOMEM` when there is no memory or the rounding
/// overflows.
#[unsafe(no_mangle)]
pub extern "C" fn pvalloc(size: usize) -> *mut c_void {
    door::pvalloc(size)
}

/// How many bytes of `block` may be used: at least what was requested. 0 for
/// null.
///
/// # Safety
/// `block` is null or a live block.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc_usable_size(block: *mut c_void) -> usize {
    // SAFETY: the same contract.
    unsafe { hmm_sys::usable_size(block.cast()) }
}
