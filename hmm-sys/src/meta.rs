//! Memory for the heap's own tables, apart from all blocks.
//!
//! ```text
//!   | guard | opened so far ……… | not yet: no access | guard |
//! ```
//!
//! A table is reserved without access and opened piece by piece: a reserve of
//! addresses costs nothing even when all memory is locked.

use core::ptr::{self, NonNull};

use crate::errno::Errno;
use crate::limits::page_size;
use crate::reserve::map;

/// Sets aside `bytes` bytes of addresses, between guard pages.
pub(crate) fn set_aside(bytes: usize) -> Option<NonNull<u8>> {
    let _errno = Errno::keep();
    let page = page_size();
    let whole = bytes.checked_next_multiple_of(page)?.checked_add(2 * page)?;
    let start = map(ptr::null_mut(), whole, libc::PROT_NONE, libc::MAP_NORESERVE)?;
    // SAFETY: the mapping is longer than a page.
    Some(unsafe { start.add(page) })
}

/// Makes `bytes` bytes from `start` usable, and what shares their pages.
pub(crate) fn open(start: NonNull<u8>, bytes: usize) -> bool {
    let _errno = Errno::keep();
    let page = page_size();
    let before = start.addr().get() & (page - 1);
    let Some(length) = (before + bytes).checked_next_multiple_of(page) else { return false };
    let first = start.as_ptr().wrapping_sub(before);
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: the pages are of a mapping that `set_aside` made for us.
    unsafe { libc::mprotect(first.cast(), length, access) == 0 }
}
