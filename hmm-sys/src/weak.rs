//! Symbols that need not exist.
//!
//! `weak!("name")` is the address of `name` if the program has it and null if
//! not. The reference is weak, so that it neither makes a library needed nor
//! pulls an object out of an archive, and holds in a static program too.
//!
//! Stable Rust has no weak references. The address is therefore loaded by hand
//! from the global offset table, where the linker or the loader leaves 0 for a
//! weak symbol that nobody defines.

#[cfg(target_arch = "x86_64")]
#[doc(hidden)]
#[macro_export]
macro_rules! weak {
    ($name:literal) => {{
        let address: *const core::ffi::c_void;
        // SAFETY: one load from the offset table, which is there for good.
        unsafe {
            core::arch::asm!(
                concat!(".weak ", $name),
                concat!("mov {}, qword ptr [rip + ", $name, "@GOTPCREL]"),
                out(reg) address,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
        address
    }};
}

#[cfg(target_arch = "aarch64")]
#[doc(hidden)]
#[macro_export]
macro_rules! weak {
    ($name:literal) => {{
        let address: *const core::ffi::c_void;
        // SAFETY: one load from the offset table, which is there for good.
        unsafe {
            core::arch::asm!(
                concat!(".weak ", $name),
                concat!("adrp {0}, :got:", $name),
                concat!("ldr {0}, [{0}, :got_lo12:", $name, "]"),
                out(reg) address,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
        address
    }};
}

// Elsewhere the loader is asked, which at least does not need the library.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[doc(hidden)]
#[macro_export]
macro_rules! weak {
    ($name:literal) => {{
        let name = concat!($name, "\0").as_ptr();
        // SAFETY: the name ends with a 0.
        unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.cast()) }.cast_const()
    }};
}
