//! The functions that compiled Rust expects of every machine: libc has them where there is one.
//!
//! The string instructions keep the compiler from taking a loop that copies for a `memcpy`, and
//! so this `memcpy` for one that calls itself.

use core::arch::asm;

/// C's `memcpy`.
///
/// # Safety
/// Both ranges of `n` bytes are valid, and disjoint.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    // SAFETY: reads and writes exactly the caller's ranges, upward.
    unsafe {
        asm!(
            "rep movsb",
            inout("rcx") n => _,
            inout("rdi") to => _,
            inout("rsi") from => _,
            options(nostack, preserves_flags),
        );
    }
    to
}

/// C's `memmove`.
///
/// # Safety
/// Both ranges of `n` bytes are valid.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    if to.addr().wrapping_sub(from.addr()) >= n {
        // SAFETY: no byte is written before it was read, when going upward.
        return unsafe { memcpy(to, from, n) };
    }
    // SAFETY: the target begins inside the source, so `n` is not 0 and no byte is written before
    // it was read, when going downward. The direction is set back.
    unsafe {
        asm!(
            "std",
            "rep movsb",
            "cld",
            inout("rcx") n => _,
            inout("rdi") to.wrapping_add(n - 1) => _,
            inout("rsi") from.wrapping_add(n - 1) => _,
            options(nostack),
        );
    }
    to
}

/// C's `memset`.
///
/// # Safety
/// The range of `n` bytes is valid.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, n: usize) -> *mut u8 {
    // SAFETY: writes exactly the caller's range.
    unsafe {
        asm!(
            "rep stosb",
            inout("rcx") n => _,
            inout("rdi") to => _,
            in("al") byte as u8,
            options(nostack, preserves_flags),
        );
    }
    to
}

/// C's `memcmp`.
///
/// # Safety
/// Both ranges of `n` bytes are valid.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    for i in 0..n {
        // SAFETY: `i` is below `n`.
        let (a, b) = unsafe { (*a.add(i), *b.add(i)) };
        if a != b {
            return i32::from(a) - i32::from(b);
        }
    }
    0
}

/// `memcmp` where only equality matters.
///
/// # Safety
/// As [`memcmp`].
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    // SAFETY: the same contract.
    unsafe { memcmp(a, b, n) }
}

/// Named by the prebuilt parts of `alloc`, as what would find a frame's handlers. Nothing unwinds
/// here, so nobody calls it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
