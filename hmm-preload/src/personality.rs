//! The function that unwinding asks about Rust's frames, which `std` would
//! bring.
//!
//! `core` is compiled to name it, and so is every function of ours that calls
//! what may throw. No frame of ours owns anything that an exception would have
//! to clean up: the answer is always to go on.
//!
//! Written in assembly to be hidden: a Rust function of that name would be
//! exported. It is weak should it meet the real one in a static link.

/// Returns `_URC_CONTINUE_UNWIND`, 8.
macro_rules! personality {
    ($($instruction:literal),+) => {
        core::arch::global_asm!(
            ".pushsection .text.rust_eh_personality, \"ax\"",
            ".weak rust_eh_personality",
            ".hidden rust_eh_personality",
            ".type rust_eh_personality, @function",
            "rust_eh_personality:",
            $($instruction,)+
            ".size rust_eh_personality, . - rust_eh_personality",
            ".popsection",
        );
    };
}

#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
personality!("mov eax, 8", "ret");

#[cfg(target_arch = "aarch64")]
personality!("mov w0, 8", "ret");

#[cfg(any(target_arch = "riscv64", target_arch = "riscv32"))]
personality!("li a0, 8", "ret");
