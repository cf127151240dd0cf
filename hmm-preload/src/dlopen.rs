//! `dlopen` without `RTLD_DEEPBIND`.
//!
//! A module that is loaded with this flag (php loads its extensions so) looks
//! for `free` in its own dependencies first and finds libc's there, which knows
//! nothing of our blocks. So the flag is cleared, and the call goes on to the
//! `dlopen` that comes after ours: by a jump, which leaves the return address
//! alone. It tells `dlopen` who calls, whose search path and namespace count.
//!
//! In a fully static program none comes after ours: there it goes to the
//! function behind libc's, which comes with `dlsym` and is told who calls.
//! Elsewhere than on glibc, and on other processors, nothing is exported.
//!
//! The functions are all assembly, and declare neither arguments nor a result: those
//! stay in their registers. They use no stack of Rust's, so the compiler puts nothing
//! before the assembly. (Naked functions need Rust 1.88.)

use core::arch::asm;

/// libc's `dlopen`, but that `RTLD_DEEPBIND` does not count.
///
/// # Safety
/// As libc's.
#[cfg(target_arch = "x86_64")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlopen() -> ! {
    // SAFETY: arguments, stack and return address are as the caller left them, for
    // nothing comes before this; it ends as `dlopen` does. What it pushes lies where
    // a function without variables has none.
    unsafe {
        asm!(
            // Weak: no static program gets a dynamic linker for this.
            ".weak dlsym",
            ".weak __dlopen",
            "and esi, {keep}",
            "mov rax, qword ptr [rip + dlsym@GOTPCREL]",
            "test rax, rax",
            "jz 2f",
            "push rdi",
            "push rsi",
            "sub rsp, 8",
            "mov rdi, {next}",
            "lea rsi, [rip + 5f]",
            "call rax",
            "add rsp, 8",
            "pop rsi",
            "pop rdi",
            "test rax, rax",
            "jnz 3f",
            "2:",
            "mov rax, qword ptr [rip + __dlopen@GOTPCREL]",
            "test rax, rax",
            "jz 4f",
            "mov rdx, qword ptr [rsp]",
            "3:",
            "jmp rax",
            "4:",
            "ret",
            "5:",
            ".asciz \"dlopen\"",
            keep = const !libc::RTLD_DEEPBIND,
            next = const NEXT,
            options(noreturn, nostack),
        )
    }
}

/// libc's `dlopen`, but that `RTLD_DEEPBIND` does not count.
///
/// # Safety
/// As libc's.
#[cfg(target_arch = "aarch64")]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dlopen() -> ! {
    // SAFETY: arguments, stack and return address are as the caller left them, for
    // nothing comes before this; it ends as `dlopen` does. What it pushes lies where
    // a function without variables has none.
    unsafe {
        asm!(
            // Weak: no static program gets a dynamic linker for this.
            ".weak dlsym",
            ".weak __dlopen",
            "and w1, w1, #{keep}",
            "adrp x9, :got:dlsym",
            "ldr x9, [x9, :got_lo12:dlsym]",
            "cbz x9, 2f",
            "stp x29, x30, [sp, #-32]!",
            "mov x29, sp",
            "stp x0, x1, [sp, #16]",
            "mov x0, #{next}",
            "adr x1, 5f",
            "blr x9",
            "mov x9, x0",
            "ldp x0, x1, [sp, #16]",
            "ldp x29, x30, [sp], #32",
            "cbnz x9, 3f",
            "2:",
            "adrp x9, :got:__dlopen",
            "ldr x9, [x9, :got_lo12:__dlopen]",
            "cbz x9, 4f",
            "mov x2, x30",
            "3:",
            "br x9",
            "4:",
            "mov x0, xzr",
            "ret",
            "5:",
            ".asciz \"dlopen\"",
            ".p2align 2",
            keep = const !libc::RTLD_DEEPBIND,
            next = const NEXT,
            options(noreturn, nostack),
        )
    }
}

/// `RTLD_NEXT`: a search that begins after the library that asks.
const NEXT: isize = -1;
