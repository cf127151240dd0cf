//! Who calls an operator, for when memory has ended: its module may bring a C++ runtime of its own.
//!
//! The address that an operator returns to lies in that module, and Rust cannot
//! tell it. So the operators go on to what they do out of line by way of two
//! instructions that pass it on. By then nothing of theirs is on the stack, for
//! an optimised build ends a function with a jump to the last that it calls. In
//! another one the address is one of HMM's own, and tells nothing.

use super::{try_or_null_for, try_or_throw_for};
use core::ffi::c_void;

/// Makes the address that a function returns to an argument more, and goes on to `to`.
#[cfg(target_arch = "x86_64")]
macro_rules! go_on {
    (third) => {
        "mov rdx, qword ptr [rsp]\njmp {to}"
    };
    (fourth) => {
        "mov rcx, qword ptr [rsp]\njmp {to}"
    };
}

#[cfg(target_arch = "aarch64")]
macro_rules! go_on {
    (third) => {
        "mov x2, x30\nb {to}"
    };
    (fourth) => {
        "mov x3, x30\nb {to}"
    };
}

/// Makes the first function of the second, whose last argument is the caller.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! by_caller {
    ($name:ident($($arg:ident: $type:ty),*) goes on to $to:ident, $last:ident) => {
        // Not "C-unwind", though what it goes on to may throw: the compiler would come back here, to end the program
        // if it does. As it is, there is no frame of the operator's by then.
        unsafe extern "C" {
            // Safe, as what it goes on to is.
            pub(super) safe fn $name($($arg: $type),*) -> *mut c_void;
        }

        // Hidden: a function of Rust's by this name would be exported.
        core::arch::global_asm!(
            concat!(".pushsection .text.", stringify!($name), ", \"ax\""),
            concat!(".globl ", stringify!($name)),
            concat!(".hidden ", stringify!($name)),
            concat!(".type ", stringify!($name), ", @function"),
            concat!(stringify!($name), ":"),
            go_on!($last),
            concat!(".size ", stringify!($name), ", . - ", stringify!($name)),
            ".popsection",
            to = sym $to,
        );
    };
}

/// Elsewhere nobody knows the caller.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
macro_rules! by_caller {
    ($name:ident($($arg:ident: $type:ty),*) goes on to $to:ident, $last:ident) => {
        pub(super) extern "C-unwind" fn $name($($arg: $type),*) -> *mut c_void {
            $to($($arg,)* core::ptr::null())
        }
    };
}

by_caller!(hmm_try_or_throw(size: usize, align: usize) goes on to try_or_throw_for, third);
by_caller!(hmm_try_or_null(size: usize, align: usize, nothrow: *const c_void) goes on to try_or_null_for, fourth);
