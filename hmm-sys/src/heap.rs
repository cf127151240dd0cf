//! What doors call: the process's heap for any thread.

use core::ptr;

#[cfg(doc)]
use hmm_core::MIN_ALIGN;
use hmm_core::{GRANULE, Resize, Violation};

use crate::life;
use crate::process::{HEAP, NOT_YET, Owner};
use crate::tls;

/// The calling thread's heap, which it gets now if it has not had one.
fn own() -> &'static Owner {
    let owner = tls::get();
    if ptr::eq(owner, &raw const *NOT_YET) { life::begin_thread() } else { owner }
}

/// Sets up what the process and the calling thread need, if no allocation has done
/// so yet. For libraries to call at load: in the midst of a program's work, a
/// signal could interrupt the set-up inside libc, with libc's locks held.
pub fn begin() {
    own();
}

/// A block of at least `size` bytes at a multiple of `align`, which the compiler has to know:
/// [`MIN_ALIGN`] or [`GRANULE`]. Null when memory has run out. A size of 0 gives a block of its own, too.
#[inline(always)]
pub fn alloc(align: usize, size: usize) -> *mut u8 {
    match alloc_fast(align, size) {
        Some(p) => p,
        None => alloc_slow(align, size),
    }
}

/// The quick part of [`alloc`]: `None` if it takes more than the current word
/// of the thread's heap. For doors that have something to do in the slow case.
#[inline(always)]
pub fn alloc_fast(align: usize, size: usize) -> Option<*mut u8> {
    // SAFETY: the word is the calling thread's.
    unsafe { HEAP.alloc_fast(tls::get(), align, size) }
}

/// The next part of [`alloc`], for larger sizes, as far as slabs serve them.
#[inline(always)]
pub fn alloc_beyond(size: usize) -> Option<*mut u8> {
    // SAFETY: the word is the calling thread's.
    unsafe { HEAP.alloc_beyond(tls::get(), size) }
}

/// The part after that: large blocks that the thread freed last.
#[inline(always)]
pub fn alloc_kept(size: usize) -> Option<*mut u8> {
    // SAFETY: the word is the calling thread's.
    unsafe { HEAP.alloc_kept(tls::get(), size) }
}

/// [`alloc`] but for its quick part.
#[inline(never)]
pub fn alloc_slow(align: usize, size: usize) -> *mut u8 {
    match alloc_beyond(size).or_else(|| alloc_kept(size)) {
        Some(p) => p,
        None => alloc_slowest(align, size),
    }
}

/// What is left of it: large blocks, and memory that is not at hand.
#[cold]
#[inline(never)]
pub fn alloc_slowest(align: usize, size: usize) -> *mut u8 {
    // SAFETY: the owner is the calling thread's.
    unsafe { HEAP.alloc_slow(own(), align, size) }
}

/// As [`alloc`] at [`GRANULE`], with the first `size` bytes zero. Memory that is known to be
/// zero is not written.
#[inline(always)]
pub fn alloc_zeroed(size: usize) -> *mut u8 {
    match alloc_fast(GRANULE, size) {
        Some(p) => {
            // SAFETY: the block is ours and at least `size` bytes long.
            unsafe { p.write_bytes(0, size) };
            p
        }
        None => alloc_zeroed_aligned(GRANULE, size),
    }
}

/// As [`alloc_aligned`], with the first `size` bytes zero.
#[inline(never)]
pub fn alloc_zeroed_aligned(align: usize, size: usize) -> *mut u8 {
    // SAFETY: the owner is the calling thread's.
    unsafe { HEAP.alloc_zeroed(own(), align, size) }
}

/// As [`alloc`], at a multiple of `align` bytes, any power of two.
#[inline]
pub fn alloc_aligned(align: usize, size: usize) -> *mut u8 {
    // SAFETY: the word is the calling thread's.
    match unsafe { HEAP.alloc_aligned_fast(tls::get(), align, size) } {
        Some(p) => p,
        None => alloc_aligned_slow(align, size),
    }
}

/// The slow part of it.
#[cold]
#[inline(never)]
fn alloc_aligned_slow(align: usize, size: usize) -> *mut u8 {
    // SAFETY: the owner is the calling thread's.
    unsafe { HEAP.alloc_aligned(own(), align, size) }
}

/// Frees the block at `p`; null is fine. Misuse ends the program with a line
/// that names it.
///
/// # Safety
///
/// If `p` is a live block, nothing uses it any more.
#[inline(always)]
pub unsafe fn free(p: *mut u8) {
    // SAFETY: the word is the calling thread's; the rest the caller's promise.
    unsafe { HEAP.free(tls::get(), p) };
}

/// As [`free`], after checking that the block may be one of `size` bytes at a multiple of `align`, which the
/// compiler should know: [`MIN_ALIGN`] or [`GRANULE`].
///
/// # Safety
///
/// As [`free`].
#[inline(always)]
pub unsafe fn free_sized(p: *mut u8, size: usize, align: usize) {
    // SAFETY: the word is the calling thread's; the rest the caller's promise.
    unsafe { HEAP.free_sized(tls::get(), p, size, align) };
}

/// As [`free_sized`], of any alignment, a power of two.
///
/// # Safety
///
/// As [`free`].
#[inline(never)]
pub unsafe fn free_sized_aligned(p: *mut u8, size: usize, align: usize) {
    // SAFETY: the caller's promise.
    unsafe { free_sized(p, size, align) };
}

/// Makes the block at `p`, one at [`GRANULE`], hold `size` bytes; returns where it is now. Null
/// when memory has run out; the block is then as it was.
///
/// # Safety
///
/// As [`free`]; `p` is not null, and not used again if another address is
/// returned.
#[inline]
pub unsafe fn realloc(p: *mut u8, size: usize) -> *mut u8 {
    // SAFETY: the caller's promise.
    unsafe { realloc_aligned(p, GRANULE, size) }
}

/// As [`realloc`], at a multiple of `align` bytes, any power of two.
///
/// # Safety
///
/// As [`realloc`].
#[inline(always)]
pub unsafe fn realloc_aligned(p: *mut u8, align: usize, size: usize) -> *mut u8 {
    // SAFETY: the caller's promise; the owner is this thread's.
    match unsafe { HEAP.resize(tls::get(), p, size) } {
        Resize::Stays => p,
        // SAFETY: likewise.
        Resize::Moves { have } => unsafe { move_block(p, have, align, size) },
        // SAFETY: likewise.
        Resize::Unknown => unsafe { realloc_slow(p, align, size) },
    }
}

/// The part for a block that outgrows the `have` bytes that it holds.
#[inline(never)]
unsafe fn move_block(p: *mut u8, have: usize, align: usize, size: usize) -> *mut u8 {
    // SAFETY: the word is the calling thread's; the rest the caller's promise.
    unsafe { HEAP.move_block(tls::get(), p, have, align, size) }
}

/// The slow part of it.
#[inline(never)]
unsafe fn realloc_slow(p: *mut u8, align: usize, size: usize) -> *mut u8 {
    // SAFETY: the owner is the calling thread's; the rest the caller's promise.
    unsafe { HEAP.realloc_slow(own(), p, align, size) }
}

/// The bytes that the block at `p` holds, at least those asked for; 0 for
/// null.
///
/// # Safety
///
/// `p` is a live block or null. (Anything else ends the program.)
#[inline(always)]
pub unsafe fn usable_size(p: *const u8) -> usize {
    // SAFETY: the caller's promise; the owner is this thread's.
    unsafe { HEAP.usable_size(tls::get(), p) }
}

/// Gives all free memory back to the system but `pad` bytes at the heap's top.
/// Says whether any went back.
pub fn trim(pad: usize) -> bool {
    // SAFETY: the owner is the calling thread's.
    unsafe { HEAP.trim(own(), pad) }
}

/// Walks the heap and asserts its invariants. Meant for quiet moments: what
/// other threads do meanwhile may look like a violation.
///
/// # Errors
///
/// The first invariant that does not hold.
pub fn check() -> Result<(), Violation> {
    HEAP.check()
}
