//! C++'s `operator new` and `operator delete`, all of them: who replaces one
//! has to replace its partners. A program may define some itself; ours then go
//! through those, as the standard says (`replaced`).
//!
//! When memory ends, `new` does as the standard says: it calls the handler
//! that `std::set_new_handler` installed and tries again, and throws
//! `std::bad_alloc` once there is no handler. The `nothrow` forms return null
//! instead. The sized forms of `delete` check the size and the alignment.
//!
//! ```text
//!   new ──► hmm_sys::alloc_fast ──► block
//!               │ none
//!   - - - - - - ▼ - - - - - - - - - - - - - - - - - - - -  out of line  - - -
//!   ┌───► hmm_sys::alloc_slow ──► block
//!   │           │ null
//!   │           ▼
//!   └── yes ─ handler? ── no ──► throw std::bad_alloc
//! ```
//!
//! An exception passes through these functions as through any of C++: they
//! have the "C-unwind" ABI and own nothing that would need cleaning up. A
//! function of Rust's own ABI ends the program when an exception reaches it
//! (`panic = "abort"`), so every function between `new` and the throw is
//! `extern "C-unwind"`.

#[macro_use]
mod mangle;
mod caller;
mod loader;
mod replaced;
mod runtime;

use crate::door;
use core::ffi::c_void;
use core::ptr;

use hmm_sys::GRANULE;

/// At load: finds out which operators the program defines itself. Later it would be in the midst of whatever
/// calls `new[]` first, and whoever asks the loader waits for it, and loses the error that `dlerror`
/// would tell.
pub(crate) fn prepare() {
    replaced::find_all();
}

/// No alignment in particular, which no program can ask for: the one that plain `new` owes.
const ANY: usize = usize::MAX;

/// Whether a block can be at `align`.
fn is_alignment(align: usize) -> bool {
    align == ANY || align.is_power_of_two()
}

/// `operator new(size)`, where inlining has settled what `align` is.
#[inline(always)]
extern "C-unwind" fn new_or_throw(size: usize, align: usize) -> *mut c_void {
    match allocate_fast(size, align) {
        Some(block) => block.cast(),
        None => caller::hmm_try_or_throw(size, align),
    }
}

/// `operator new(size, std::nothrow)`, likewise.
#[inline(always)]
extern "C-unwind" fn new_or_null(size: usize, align: usize, nothrow: *const c_void) -> *mut c_void {
    match allocate_fast(size, align) {
        Some(block) => block.cast(),
        None => caller::hmm_try_or_null(size, align, nothrow),
    }
}

/// The attempt that is worth inlining.
#[inline(always)]
fn allocate_fast(size: usize, align: usize) -> Option<*mut u8> {
    match align {
        ANY => hmm_sys::alloc_fast(GRANULE, size),
        _ => None,
    }
}

/// The whole attempt. An alignment that is no power of two is not C++, and gets
/// null as it does in libstdc++.
fn allocate(size: usize, align: usize) -> *mut c_void {
    let block = match align {
        ANY => hmm_sys::alloc_slow(GRANULE, size),
        _ if align.is_power_of_two() => hmm_sys::alloc_aligned(align, size),
        _ => ptr::null_mut(),
    };
    block.cast()
}

/// Out of line, and the last thing that `new` does: so the fast path needs no
/// stack frame, and `caller` is an address in what called it. A handler may free
/// memory, install another, throw, or exit: as long as there is one, it goes on.
#[inline(never)]
extern "C-unwind" fn try_or_throw_for(size: usize, align: usize, caller: *const c_void) -> *mut c_void {
    loop {
        let block = allocate(size, align);
        if !block.is_null() {
            return block;
        }
        match runtime::new_handler(caller) {
            // SAFETY: the program installed it to be called here.
            Some(handler) if is_alignment(align) => unsafe { handler() },
            _ => runtime::throw_bad_alloc(caller),
        }
    }
}

/// As [`try_or_throw_for`], but what the handler throws turns into null. Rust
/// cannot catch it. The C++ runtime can: its own `nothrow` forms are a `try`
/// around plain `operator new`, and that is ours. What is linked statically with
/// the runtime and HMM has no second set of operators; there the exception passes
/// on, and ends the program at the first caller that relies on `noexcept`.
#[inline(never)]
extern "C-unwind" fn try_or_null_for(
    size: usize,
    align: usize,
    nothrow: *const c_void,
    caller: *const c_void,
) -> *mut c_void {
    loop {
        let block = allocate(size, align);
        if !block.is_null() {
            return block;
        }
        let handler = match runtime::new_handler(caller) {
            Some(handler) if is_alignment(align) => handler,
            _ => return door::fail(libc::ENOMEM),
        };
        if align == ANY {
            if let Some(new) = runtime::nothrow_new(caller) {
                // SAFETY: the operator that our caller called, of the runtime's.
                return unsafe { new(size, nothrow) };
            }
        } else if let Some(new) = runtime::aligned_nothrow_new(caller) {
            // SAFETY: likewise.
            return unsafe { new(size, align, nothrow) };
        }
        // SAFETY: the program installed it to be called here.
        unsafe { handler() }
    }
}

/// Returns from an operator what the program's own makes of these arguments, if it
/// has replaced the one that this one goes through.
macro_rules! through {
    ($base:ident($($arg:ident),*)) => {
        if let Some(theirs) = replaced::$base.get() {
            // SAFETY: the program's operator; its contract is ours.
            return unsafe { theirs($($arg),*) };
        }
    };
    // What it throws turns into null: by the runtime's form, which is a `try` around it.
    ($base:ident($($arg:ident),*) by $runtime:ident($nothrow:ident)) => {
        if let Some(theirs) = replaced::$base.get() {
            return match runtime::$runtime(ptr::null()) {
                // SAFETY: the same operator, of the runtime's.
                Some(new) => unsafe { new($($arg),*, $nothrow) },
                // SAFETY: the program's operator; its contract is ours.
                None => unsafe { theirs($($arg),*) },
            };
        }
    };
}

/// Exports an operator for objects and, alike, for arrays. The brackets hold
/// what follows in its mangled name, where `size` is `size_t`; the braces behind
/// the two names, what comes first in each.
macro_rules! operator {
    (
        $(#[$doc:meta])*
        ($($qualifier:tt)*) $object:ident $object_name:literal { $($object_first:tt)* }
        $array:ident $array_name:literal { $($array_first:tt)* }
        [$($tail:tt)*] ($($arg:ident: $type:ty),*) $(-> $result:ty)? $body:block
    ) => {
        $(#[$doc])*
        #[unsafe(export_name = mangled!($object_name $($tail)*))]
        #[allow(clippy::not_unsafe_ptr_arg_deref, reason = "std::nothrow is passed on, and read by nobody")]
        pub $($qualifier)* fn $object($($arg: $type),*) $(-> $result)? {
            $($object_first)*
            $body
        }

        $(#[$doc])*
        #[unsafe(export_name = mangled!($array_name $($tail)*))]
        #[allow(clippy::not_unsafe_ptr_arg_deref, reason = "std::nothrow is passed on, and read by nobody")]
        pub $($qualifier)* fn $array($($arg: $type),*) $(-> $result)? {
            $($array_first)*
            $body
        }
    };
}

operator! {
    /// `operator new(size_t)`
    (extern "C-unwind") new "_Znw" {}
    new_array "_Zna" { through!(NEW(size)); }
    [size] (size: usize) -> *mut c_void {
        new_or_throw(size, ANY)
    }
}

operator! {
    /// `operator new(size_t, std::align_val_t)`
    (extern "C-unwind") new_aligned "_Znw" {}
    new_array_aligned "_Zna" { through!(NEW_ALIGNED(size, align)); }
    [size "St11align_val_t"] (size: usize, align: usize) -> *mut c_void {
        new_or_throw(size, align)
    }
}

operator! {
    /// `operator new(size_t, std::nothrow_t const&)`
    (extern "C-unwind") new_nothrow "_Znw" { through!(NEW(size) by nothrow_new(nothrow)); }
    new_array_nothrow "_Zna" { through!(NEW_ARRAY(size) by nothrow_new_array(nothrow)); }
    [size "RKSt9nothrow_t"] (size: usize, nothrow: *const c_void) -> *mut c_void {
        new_or_null(size, ANY, nothrow)
    }
}

operator! {
    /// `operator new(size_t, std::align_val_t, std::nothrow_t const&)`
    (extern "C-unwind") new_aligned_nothrow "_Znw" { through!(NEW_ALIGNED(size, align) by aligned_nothrow_new(nothrow)); }
    new_array_aligned_nothrow "_Zna" { through!(NEW_ARRAY_ALIGNED(size, align) by aligned_nothrow_new_array(nothrow)); }
    [size "St11align_val_tRKSt9nothrow_t"]
    (size: usize, align: usize, nothrow: *const c_void) -> *mut c_void {
        new_or_null(size, align, nothrow)
    }
}

operator! {
    /// `operator delete(void*)`
    ///
    /// # Safety
    /// `block` is null or a live block, not used after this. So with all of them.
    (unsafe extern "C") delete "_Zdl" {}
    delete_array "_Zda" { through!(DELETE(block)); }
    ["Pv"] (block: *mut c_void) {
        // SAFETY: the same contract.
        unsafe { hmm_sys::free(block.cast()) }
    }
}

operator! {
    /// `operator delete(void*, size_t)`
    ///
    /// # Safety
    /// As [`delete`]; `size` is what `new` was called with.
    (unsafe extern "C") delete_sized "_ZdlPv" { through!(DELETE(block)); }
    delete_array_sized "_ZdaPv" { through!(DELETE_ARRAY(block)); }
    [size] (block: *mut c_void, size: usize) {
        // SAFETY: the same contract.
        unsafe { hmm_sys::free_sized(block.cast(), size, GRANULE) }
    }
}

operator! {
    /// `operator delete(void*, std::align_val_t)`
    ///
    /// # Safety
    /// As [`delete`]; `align` is what `new` was called with.
    (unsafe extern "C") delete_aligned "_ZdlPv" {}
    delete_array_aligned "_ZdaPv" { through!(DELETE_ALIGNED(block, align)); }
    ["St11align_val_t"] (block: *mut c_void, align: usize) {
        let _ = align;
        // SAFETY: the same contract.
        unsafe { hmm_sys::free(block.cast()) }
    }
}

operator! {
    /// `operator delete(void*, size_t, std::align_val_t)`
    ///
    /// # Safety
    /// As [`delete`]; `size` and `align` are what `new` was called with.
    (unsafe extern "C") delete_sized_aligned "_ZdlPv" { through!(DELETE_ALIGNED(block, align)); }
    delete_array_sized_aligned "_ZdaPv" { through!(DELETE_ARRAY_ALIGNED(block, align)); }
    [size "St11align_val_t"] (block: *mut c_void, size: usize, align: usize) {
        // SAFETY: the same contract.
        unsafe { hmm_sys::free_sized_aligned(block.cast(), size, align) }
    }
}

operator! {
    /// `operator delete(void*, std::nothrow_t const&)`: for a constructor that
    /// threw after `new (std::nothrow)`.
    ///
    /// # Safety
    /// As [`delete`].
    (unsafe extern "C") delete_nothrow "_ZdlPv" { through!(DELETE(block)); }
    delete_array_nothrow "_ZdaPv" { through!(DELETE_ARRAY(block)); }
    ["RKSt9nothrow_t"] (block: *mut c_void, _nothrow: *const c_void) {
        // SAFETY: the same contract.
        unsafe { hmm_sys::free(block.cast()) }
    }
}

operator! {
    /// `operator delete(void*, std::align_val_t, std::nothrow_t const&)`
    ///
    /// # Safety
    /// As [`delete_aligned`].
    (unsafe extern "C") delete_aligned_nothrow "_ZdlPv" { through!(DELETE_ALIGNED(block, align)); }
    delete_array_aligned_nothrow "_ZdaPv" { through!(DELETE_ARRAY_ALIGNED(block, align)); }
    ["St11align_val_tRKSt9nothrow_t"]
    (block: *mut c_void, align: usize, _nothrow: *const c_void) {
        // SAFETY: the same contract.
        unsafe { hmm_sys::free(block.cast()) }
    }
}
