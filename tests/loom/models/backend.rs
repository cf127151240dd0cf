//! What lies below the heap under test: zeroed memory, a lock that loom knows.

use std::ptr::NonNull;

use hmm_core_twin::{FixedRegion, Grown, HeapGrow, Lock, Span};
use hmm_twins::Gate;

/// Zeroed memory in one piece, which can be purged.
#[derive(Debug)]
pub(crate) struct Zeroed(FixedRegion);

impl Zeroed {
    /// The `bytes` bytes at `start`.
    ///
    /// # Safety
    /// They are zero, and nobody else uses them.
    pub(crate) const unsafe fn new(start: *mut u8, bytes: usize) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { FixedRegion::from_raw(start, bytes) })
    }
}

// SAFETY: the region keeps the promises; what it took back is zeroed.
unsafe impl HeapGrow for Zeroed {
    fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
        self.0.grow(min, align).map(|grown| Grown { zeroed: true, ..grown })
    }

    unsafe fn shrink(&mut self, start: NonNull<u8>, bytes: usize) -> bool {
        // SAFETY: the caller's promise.
        let shrunk = unsafe { self.0.shrink(start, bytes) };
        if shrunk {
            // SAFETY: nothing lives there.
            unsafe { start.write_bytes(0, bytes) };
        }
        shrunk
    }

    unsafe fn purge(&mut self, span: Span) -> bool {
        // SAFETY: the caller's promise.
        unsafe { span.start.write_bytes(0, span.bytes) };
        true
    }

    fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        self.0.meta(bytes)
    }

    fn os_page(&self) -> usize {
        self.0.os_page()
    }
}

/// A lock that loom knows.
#[derive(Debug)]
pub(crate) struct Door(Gate);

// SAFETY: a gate lets one thread in at a time.
unsafe impl Lock for Door {
    const NEW: Self = Self(Gate::new());

    fn lock(&self) -> bool {
        self.0.shut();
        true
    }

    unsafe fn unlock(&self) {
        self.0.open();
    }
}
