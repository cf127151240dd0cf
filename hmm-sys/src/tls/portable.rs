//! The thread's word anywhere else: what the standard library offers.

extern crate std;

use core::cell::Cell;
use core::ptr;

use crate::process::Owner;

std::thread_local! {
    /// A constant start value and no destructor: reading it never allocates
    /// where the platform has thread-local storage of its own.
    static WORD: Cell<*const Owner> = const { Cell::new(ptr::null()) };
}

/// The calling thread's word.
#[inline]
pub(crate) fn get() -> *const Owner {
    WORD.try_with(Cell::get).unwrap_or(ptr::null())
}

/// Sets the calling thread's word.
pub(crate) fn set(word: *const Owner) {
    let _ = WORD.try_with(|place| place.set(word));
}
