//! The thread's word: the address of its heap; a nobody's before it
//! has one and after it gave it up.
//!
//! In a shared library the compiler reaches thread-local variables through a
//! function call, which costs more than a whole allocation and may itself
//! allocate. The initial-exec model needs one load of an offset instead, and
//! one of the word; stable Rust has no way to ask for it, so the variable and
//! its loads are written in assembly where we know how. Eight bytes of static
//! TLS let `libhmm.so` be opened with `dlopen` as well. (In a plugin that brings HMM with it, all of
//! the plugin's thread-local variables are in static TLS then, of which there is little: a known limit.)

#[cfg(all(target_os = "linux", target_arch = "x86_64", target_pointer_width = "64"))]
mod x86_64;
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_pointer_width = "64"))]
pub(crate) use x86_64::{get, set};

#[cfg(all(target_os = "linux", target_arch = "aarch64", target_pointer_width = "64"))]
mod aarch64;
#[cfg(all(target_os = "linux", target_arch = "aarch64", target_pointer_width = "64"))]
pub(crate) use aarch64::{get, set};

#[cfg(not(all(
    target_os = "linux",
    target_pointer_width = "64",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
mod portable;
#[cfg(not(all(
    target_os = "linux",
    target_pointer_width = "64",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
pub(crate) use portable::{get, set};
