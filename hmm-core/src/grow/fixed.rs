//! A heap's memory in one fixed array.

use core::mem::MaybeUninit;
use core::ptr::NonNull;

use super::{Grown, HeapGrow, Span, TABLE_BYTES};

/// A backend over one fixed range of memory, for machines without an
/// operating system: pages come from its bottom, tables from its top.
///
/// ```text
///   start                low              high              end
///     | pages handed out  |  still free    |  the heap's tables |
/// ```
///
/// ```
/// use core::mem::MaybeUninit;
/// use hmm_core::{FixedRegion, TinyHeap};
///
/// let arena = Box::leak(Box::new([MaybeUninit::<u8>::uninit(); 32 * 1024]));
/// let mut heap = TinyHeap::new(FixedRegion::new(arena));
/// let block = heap.alloc(100).unwrap();
/// // SAFETY: `block` came from this heap and is freed once.
/// unsafe { heap.free(block) }.unwrap();
/// ```
#[derive(Debug)]
pub struct FixedRegion {
    start: *mut u8,
    low: usize,
    high: usize,
}

// SAFETY: the region owns its memory exclusively; nothing in it is tied to
// the thread that made it.
unsafe impl Send for FixedRegion {}

impl FixedRegion {
    /// A region over `memory`, which it owns from now on.
    pub const fn new(memory: &'static mut [MaybeUninit<u8>]) -> Self {
        let high = memory.len();
        Self { start: memory.as_mut_ptr().cast(), low: 0, high }
    }

    /// A region over the `bytes` bytes at `start`: for a `static` array, or
    /// for memory that a linker script sets aside.
    ///
    /// # Safety
    ///
    /// The range is valid for reads and writes for as long as the region is
    /// used, and nothing else uses it.
    pub const unsafe fn from_raw(start: *mut u8, bytes: usize) -> Self {
        Self { start, low: 0, high: bytes }
    }

    /// The bytes that neither pages nor tables use yet.
    pub const fn remaining(&self) -> usize {
        self.high - self.low
    }

    /// The first offset `>= low` whose address is a multiple of `align`.
    fn aligned_low(&self, align: usize) -> Option<usize> {
        let at = self.start.addr().checked_add(self.low)?;
        let pad = at.wrapping_neg() & (align - 1);
        self.low.checked_add(pad).filter(|&low| low <= self.high)
    }
}

// SAFETY: `low` only passes memory below `high` and `high` only passes memory
// above `low`, so spans and tables are disjoint parts of the array.
unsafe impl HeapGrow for FixedRegion {
    fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
        let low = self.aligned_low(align)?;
        let bytes = min.checked_next_multiple_of(align)?;
        if bytes > self.high - low {
            return None;
        }
        self.low = low + bytes;
        // SAFETY: `low + bytes <= high`, so the pointer stays in the array.
        let start = NonNull::new(unsafe { self.start.add(low) })?;
        // What the tables take of the array will be no pages.
        let room = (self.high - low) / (align + TABLE_BYTES) * align;
        Some(Grown { span: Span { start, bytes }, room: room.max(bytes), zeroed: false })
    }

    unsafe fn shrink(&mut self, start: NonNull<u8>, bytes: usize) -> bool {
        if start.as_ptr().addr().wrapping_add(bytes) != self.start.addr() + self.low {
            return false;
        }
        self.low -= bytes;
        true
    }

    fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        let top = self.start.addr().checked_add(self.high)?.checked_sub(bytes)? & !63;
        let high = top.checked_sub(self.start.addr())?;
        if high < self.low {
            return None;
        }
        self.high = high;
        // SAFETY: `low <= high < len`, so the pointer stays in the array.
        let start = unsafe { self.start.add(high) };
        // SAFETY: the `bytes` bytes at `start` end at or below the old
        // `high`; nobody else has them.
        unsafe { start.write_bytes(0, bytes) };
        NonNull::new(start)
    }

    fn os_page(&self) -> usize {
        1
    }
}
