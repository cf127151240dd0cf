//! What all tests of many owners need: owners, and nobody.

use std::ptr;

use hmm_core::{HeapGrow, Misuse, Nobody, Owner, Shared};
use parking_lot::RawMutex;

/// The owner of threads without one.
pub(crate) static NOBODY: Nobody = Nobody::new();

pub(crate) fn on_misuse(misuse: Misuse) -> ! {
    panic!("{misuse}")
}

/// An owner, for this thread.
pub(crate) fn attach<G: HeapGrow, const SHIFT: u32, const CLASSES: usize>(
    heap: &Shared<G, RawMutex, SHIFT, CLASSES>,
) -> &Owner<CLASSES> {
    // SAFETY: owners are never unmapped.
    unsafe { heap.attach().expect("there is memory for it").as_ref() }
}

/// An owner, for this thread; nobody where there is no memory for one.
pub(crate) fn attach_or_nobody<G: HeapGrow>(heap: &Shared<G, RawMutex>) -> &Owner {
    // SAFETY: owners are never unmapped.
    heap.attach().map_or(&NOBODY, |owner| unsafe { owner.as_ref() })
}

pub(crate) fn is_nobody(owner: &Owner) -> bool {
    ptr::eq(owner, &raw const *NOBODY)
}

/// Ends an owner, if it is one.
///
/// # Safety
///
/// It is this thread's, which does not use it again.
pub(crate) unsafe fn detach<G: HeapGrow>(heap: &Shared<G, RawMutex>, owner: &Owner) {
    if !is_nobody(owner) {
        // SAFETY: the caller's promise.
        unsafe { heap.detach(owner.into()) };
    }
}
