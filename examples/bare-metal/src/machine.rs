//! The machine below: a Linux kernel, by two system calls.

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
compile_error!("this example knows one machine: Linux on x86-64");

use core::arch::{asm, global_asm};
use core::fmt;

// The kernel leaves a stack and jumps here. It is to be aligned at a call, and the outermost
// frame to have no other below it.
global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "and rsp, -16",
    "call {start}",
    "ud2",
    start = sym start,
);

extern "C" fn start() -> ! {
    crate::main();
    stop(0)
}

const WRITE: usize = 1;
const EXIT: usize = 231;

fn system_call(number: usize, a: usize, b: usize, c: usize) -> isize {
    let result;
    // SAFETY: the kernel changes the result and two registers, and of memory at most what the
    // calls used here let it: none.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// Standard output.
pub struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let written = system_call(WRITE, 1, rest.as_ptr().expose_provenance(), rest.len());
            rest = usize::try_from(written).ok().and_then(|n| rest.get(n..)).ok_or(fmt::Error)?;
        }
        Ok(())
    }
}

/// Ends the program.
pub fn stop(code: i32) -> ! {
    loop {
        system_call(EXIT, code as usize, 0, 0);
    }
}

/// Prints a line.
#[macro_export]
macro_rules! say {
    ($($what:tt)*) => {{
        use core::fmt::Write as _;
        // There is nobody to tell that nobody could be told.
        let _ = writeln!($crate::machine::Console, $($what)*);
    }};
}
