//! The thread's word anywhere else: what the standard library offers.

extern crate std;

use core::cell::Cell;

use crate::process::{NO_MORE, NOT_YET, Owner};

std::thread_local! {
    /// None until it is set. A constant start value and no destructor: reading it
    /// never allocates where the platform has thread-local storage of its own.
    static WORD: Cell<Option<&'static Owner>> = const { Cell::new(None) };
}

/// The calling thread's word.
#[inline]
pub(crate) fn get() -> &'static Owner {
    WORD.try_with(|place| place.get().unwrap_or(&NOT_YET)).unwrap_or(&NO_MORE)
}

/// Sets the calling thread's word.
pub(crate) fn set(word: &'static Owner) {
    let _ = WORD.try_with(|place| place.set(Some(word)));
}
