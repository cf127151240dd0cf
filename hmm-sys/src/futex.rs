//! Sleeping until a word changes: the kernel's futex.

#[cfg(target_os = "linux")]
use crate::errno::Errno;

/// Sleeps while the word at `word` is `value`, or for a shorter time: the caller looks again.
#[cfg(target_os = "linux")]
pub(crate) fn sleep_while(word: *const u32, value: u32) {
    let _errno = Errno::keep();
    let op = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    let forever = core::ptr::null::<libc::timespec>();
    // SAFETY: the kernel looks at the word, which it may find unreadable, and sleeps.
    // Any return, for whatever reason, is fine: the caller looks again.
    unsafe { libc::syscall(libc::SYS_futex, word, op, value, forever) };
}

/// Wakes up to `most` of those who sleep at the word.
#[cfg(target_os = "linux")]
pub(crate) fn wake(word: *const u32, most: libc::c_int) {
    let _errno = Errno::keep();
    let op = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the kernel uses the address as a key only.
    unsafe { libc::syscall(libc::SYS_futex, word, op, most) };
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn sleep_while(_: *const u32, _: u32) {
    // SAFETY: always callable.
    unsafe { libc::sched_yield() };
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn wake(_: *const u32, _: libc::c_int) {}
