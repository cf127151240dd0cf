//! What users may set: by the environment at the start, by calls later.
//!
//! | variable | value | means |
//! |---|---|---|
//! | `HMM_LIMIT` | a size | the heap holds no more than this: [`set_limit`] |
//! | `HMM_KEEP` | a size, also 0 | free memory is kept up to this: [`set_keep`] |
//! | `HMM_HUGE_PAGES` | 0 or 1 | no huge pages, or for all that is added to 32 MiB: [`set_huge_pages`] |
//! | `HMM_HOLD_SIGNALS` | 0 or 1 | handlers may leave the heap by `siglongjmp`: [`set_hold_signals`] |
//!
//! A size is a number of bytes, or with `K`, `M`, `G` or `T` of 1024 times as
//! many each. The environment is read once, when the process's heap is set up,
//! and not at all in set-user-ID programs. Nothing is allocated. A value that is
//! none is named on stderr and has no effect; an empty one has none either.

use core::ffi::{CStr, c_char};
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicBool, AtomicUsize};

use crate::heap;
use crate::huge;
use crate::message;
use crate::process::HEAP;
use crate::signals;

#[cfg(target_os = "linux")]
unsafe extern "C" {
    // In glibc and in musl; the libc crate leaves it out.
    #[link_name = "secure_getenv"]
    fn get(name: *const c_char) -> *const c_char;
}

/// Elsewhere nobody has such a function: no variable is trusted.
#[cfg(not(target_os = "linux"))]
unsafe fn get(_: *const c_char) -> *const c_char {
    core::ptr::null()
}

/// The value of the variable `name` in the environment; `None` if there is none, or
/// it is empty, or the program runs with more rights than its user has.
///
/// To be called while no other thread can be changing the environment.
pub fn variable(name: &CStr) -> Option<&'static CStr> {
    // SAFETY: the name ends with a 0.
    let value = unsafe { get(name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: not null, so a string of the environment.
    Some(unsafe { CStr::from_ptr(value) }).filter(|value| !value.is_empty())
}

/// Reads the environment.
pub(crate) fn read() {
    if let Some(bytes) = size(c"HMM_LIMIT") {
        set_limit(Some(bytes));
    }
    if let Some(bytes) = size(c"HMM_KEEP") {
        KEEP.store(bytes, Relaxed);
        HEAP.keep_free(Some(bytes));
    }
    if let Some(wanted) = flag(c"HMM_HUGE_PAGES") {
        set_huge_pages(wanted);
    }
    if let Some(wanted) = flag(c"HMM_HOLD_SIGNALS") {
        set_hold_signals(wanted);
    }
}

/// The size that the variable `name` has.
fn size(name: &CStr) -> Option<usize> {
    value(name, parse, "a size such as 512M")
}

/// Whether the variable `name` says yes.
fn flag(name: &CStr) -> Option<bool> {
    let parse = |text: &str| match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    };
    value(name, parse, "0 or 1")
}

/// What `parse` makes of the variable `name`. If that is nothing, says so: it
/// should be `what`.
fn value<T>(name: &CStr, parse: impl FnOnce(&str) -> Option<T>, what: &str) -> Option<T> {
    let text = variable(name)?.to_str().unwrap_or("?");
    let value = parse(text);
    if value.is_none() {
        let name = name.to_str().unwrap_or_default();
        message::report(format_args!("{name}={text} is ignored: not {what}"));
    }
    value
}

/// The bytes that `text` stands for: a number, or one with a unit.
fn parse(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let shift = match unit.as_bytes() {
        [] => 0,
        [b'k' | b'K'] => 10,
        [b'm' | b'M'] => 20,
        [b'g' | b'G'] => 30,
        [b't' | b'T'] => 40,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(1_usize.checked_shl(shift)?)
}

/// Limits what the heap holds, its own tables included, to `bytes` bytes; `None`
/// lifts the limit. Beyond it allocations fail, after everything that is free
/// was given back. A heap that holds more already gets no more until it holds
/// less.
pub fn set_limit(bytes: Option<usize>) {
    HEAP.with_grow(|system| system.limit = bytes.unwrap_or(usize::MAX));
}

/// Asks for huge pages behind whatever is added to a heap of 32 MiB and more, or has
/// no more of them, also behind what the heap has already; it begins with those made one
/// at a time, for small blocks that fill much memory. Where it had none, it asks for
/// them behind all of the heap.
pub fn set_huge_pages(wanted: bool) {
    if huge::set(wanted) {
        HEAP.each_piece(huge::advise_as_set);
    }
}

/// Has signals wait while the heap's lists are changed, or not; it begins
/// without. For programs whose signal handlers leave by `siglongjmp`. (Those that
/// allocate may still get a block that the interrupted thread gets, too.)
pub fn set_hold_signals(wanted: bool) {
    signals::set(wanted);
    HEAP.expect_jumps(wanted);
}

/// What [`set_keep`] or the environment said last; `usize::MAX` stands for the rule.
static KEEP: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Whether [`override_keep`] has something else hold at present.
static OVERRIDDEN: AtomicBool = AtomicBool::new(false);

/// Limits what the heap keeps of free memory to `bytes` bytes, and to an eighth
/// of that, but no more than 256 KiB, inside the pages of each thread; `None`
/// restores the rule by which it begins: 8 MiB, an eighth of what is in use, or
/// what the program took again lately of what had been given back, whichever is
/// the most.
pub fn set_keep(bytes: Option<usize>) {
    KEEP.store(bytes.unwrap_or(usize::MAX), Relaxed);
    OVERRIDDEN.store(false, Relaxed);
    keep(bytes);
}

/// As [`set_keep`], but with `None` what was set before this was first called holds again: for a program's
/// own `mallopt`, which knows nothing of what its user set.
pub fn override_keep(bytes: Option<usize>) {
    let was_overridden = OVERRIDDEN.swap(bytes.is_some(), Relaxed);
    if bytes.is_some() || was_overridden {
        let before = KEEP.load(Relaxed);
        keep(bytes.or((before != usize::MAX).then_some(before)));
    }
}

fn keep(bytes: Option<usize>) {
    HEAP.keep_free(bytes);
    // What this thread has a licence for, it got by another rule.
    heap::trim(0);
}
