//! What happens should HMM itself fail: one line, and the end.
//!
//! The core does not panic by design; what remains is the arithmetic that a
//! debug build checks.

use core::panic::PanicInfo;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let message = info.message();
    match info.location() {
        Some(at) => hmm_sys::report(format_args!("internal error at {at}: {message}")),
        None => hmm_sys::report(format_args!("internal error: {message}")),
    }
    // SAFETY: takes nothing and does not return.
    unsafe { libc::abort() }
}
