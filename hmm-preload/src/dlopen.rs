//! `dlopen` and `dlmopen` without `RTLD_DEEPBIND`.
//!
//! A module that is loaded with this flag (php loads its extensions so) looks
//! for `free` in its own dependencies first and finds libc's there, which knows
//! nothing of our blocks. So the flag is cleared, and the call goes on to the
//! function that comes after ours: by a jump, which leaves the return address
//! alone. It tells libc who calls, whose search path and namespace count.
//!
//! `dlmopen` leaves the flag to other namespaces than the first: they have a libc
//! of their own.
//!
//! In a fully static program none comes after ours: there it goes to the
//! function behind libc's, which comes with `dlsym` and is told who calls.
//! Elsewhere than on glibc, and on other processors, nothing is exported.
//!
//! The functions are all assembly, and declare neither arguments nor a result: those
//! stay in their registers. They use no stack of Rust's, so the compiler puts nothing
//! before the assembly. (Naked functions need Rust 1.88.)

use core::arch::asm;

/// Clears the flag by these instructions, and leaves for what comes after ours by the name, or for what is behind
/// libc's, which takes the caller's address in this register besides.
#[cfg(target_arch = "x86_64")]
macro_rules! without_flag {
    ($name:literal, $behind:literal, $caller:literal, $($clear:literal),*) => {
        // SAFETY: arguments, stack and return address are as the caller left them, for
        // nothing comes before this; it ends as libc's function does. What it pushes lies where
        // a function without variables has none.
        unsafe {
            asm!(
                // Weak: no static program gets a dynamic linker for this.
                ".weak dlsym",
                concat!(".weak ", $behind),
                $($clear,)*
                "mov rax, qword ptr [rip + dlsym@GOTPCREL]",
                "test rax, rax",
                "jz 2f",
                "push rdi",
                "push rsi",
                "push rdx",
                "mov rdi, {next}",
                "lea rsi, [rip + 5f]",
                "call rax",
                "pop rdx",
                "pop rsi",
                "pop rdi",
                "test rax, rax",
                "jnz 3f",
                "2:",
                concat!("mov rax, qword ptr [rip + ", $behind, "@GOTPCREL]"),
                "test rax, rax",
                "jz 4f",
                concat!("mov ", $caller, ", qword ptr [rsp]"),
                "3:",
                "jmp rax",
                "4:",
                "ret",
                "5:",
                concat!(".asciz \"", $name, "\""),
                keep = const !libc::RTLD_DEEPBIND,
                next = const NEXT,
                options(noreturn, nostack),
            )
        }
    };
}

/// As above.
#[cfg(target_arch = "aarch64")]
macro_rules! without_flag {
    ($name:literal, $behind:literal, $caller:literal, $($clear:literal),*) => {
        // SAFETY: arguments, stack and return address are as the caller left them, for
        // nothing comes before this; it ends as libc's function does. What it pushes lies where
        // a function without variables has none.
        unsafe {
            asm!(
                // Weak: no static program gets a dynamic linker for this.
                ".weak dlsym",
                concat!(".weak ", $behind),
                $($clear,)*
                "adrp x9, :got:dlsym",
                "ldr x9, [x9, :got_lo12:dlsym]",
                "cbz x9, 2f",
                "stp x29, x30, [sp, #-48]!",
                "mov x29, sp",
                "stp x0, x1, [sp, #16]",
                "str x2, [sp, #32]",
                "mov x0, #{next}",
                "adr x1, 5f",
                "blr x9",
                "mov x9, x0",
                "ldr x2, [sp, #32]",
                "ldp x0, x1, [sp, #16]",
                "ldp x29, x30, [sp], #48",
                "cbnz x9, 3f",
                "2:",
                concat!("adrp x9, :got:", $behind),
                concat!("ldr x9, [x9, :got_lo12:", $behind, "]"),
                "cbz x9, 4f",
                concat!("mov ", $caller, ", x30"),
                "3:",
                "br x9",
                "4:",
                "mov x0, xzr",
                "ret",
                "5:",
                concat!(".asciz \"", $name, "\""),
                ".p2align 2",
                keep = const !libc::RTLD_DEEPBIND,
                next = const NEXT,
                options(noreturn, nostack),
            )
        }
    };
}

/// libc's `dlopen`, but that `RTLD_DEEPBIND` does not count.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlopen() -> ! {
    #[cfg(target_arch = "x86_64")]
    without_flag!("dlopen", "__dlopen", "rdx", "and esi, {keep}");
    #[cfg(target_arch = "aarch64")]
    without_flag!("dlopen", "__dlopen", "x2", "and w1, w1, #{keep}");
}

/// libc's `dlmopen`, but that `RTLD_DEEPBIND` does not count in the first namespace.
///
/// # Safety
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlmopen() -> ! {
    #[cfg(target_arch = "x86_64")]
    without_flag!("dlmopen", "__dlmopen", "rcx", "test rdi, rdi", "jnz 6f", "and edx, {keep}", "6:");
    #[cfg(target_arch = "aarch64")]
    without_flag!("dlmopen", "__dlmopen", "x3", "cbnz x0, 6f", "and w2, w2, #{keep}", "6:");
}

/// `RTLD_NEXT`: a search that begins after the library that asks.
const NEXT: isize = -1;
