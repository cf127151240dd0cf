//! The second names that glibc has for functions of the family: `__libc_malloc` and so on.
//!
//! A program that wraps `malloc` calls what is behind it by these, and a block that one name hands out is taken
//! back by the other. So who replaces the first names replaces these, too.

use crate::door;
use core::ffi::c_void;

/// `malloc`.
#[unsafe(no_mangle)]
pub extern "C" fn __libc_malloc(size: usize) -> *mut c_void {
    door::alloc(size)
}

/// `calloc`.
#[unsafe(no_mangle)]
pub extern "C" fn __libc_calloc(count: usize, size: usize) -> *mut c_void {
    door::calloc(count, size)
}

/// `realloc`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: the same contract.
    unsafe { door::realloc(block, size) }
}

/// `free`.
///
/// # Safety
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_free(block: *mut c_void) {
    // SAFETY: the same contract.
    unsafe { hmm_sys::free(block.cast()) }
}

/// `memalign`.
#[unsafe(no_mangle)]
pub extern "C" fn __libc_memalign(alignment: usize, size: usize) -> *mut c_void {
    door::memalign(alignment, size)
}

/// `valloc`.
#[unsafe(no_mangle)]
pub extern "C" fn __libc_valloc(size: usize) -> *mut c_void {
    door::valloc(size)
}

/// `pvalloc`.
#[unsafe(no_mangle)]
pub extern "C" fn __libc_pvalloc(size: usize) -> *mut c_void {
    door::pvalloc(size)
}
