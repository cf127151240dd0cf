//! What the heap must look like from outside.

use std::collections::BTreeMap;
use std::ptr::NonNull;

/// A live block as its user knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) start: NonNull<u8>,
    pub(crate) size: usize,
    /// Which bytes it is filled with.
    pub(crate) fill: u64,
}

// SAFETY: a block is an address and some numbers; whoever holds the value uses
// the memory alone.
unsafe impl Send for Block {}

/// The byte at `index` of a block filled with `fill`.
fn byte(fill: u64, index: usize) -> u8 {
    (fill.wrapping_add(index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8
}

/// Large blocks are written and read at some bytes of each page only.
fn indices(size: usize) -> impl Iterator<Item = usize> {
    let dense = size.min(4096);
    let sparse = (dense..size).step_by(1021);
    (0..dense).chain(sparse).chain(size.checked_sub(1))
}

impl Block {
    pub(crate) fn write(&self) {
        for index in indices(self.size) {
            let at = self.start.as_ptr().wrapping_add(index);
            // SAFETY: the block is ours and `size` bytes long.
            unsafe { at.write(byte(self.fill, index)) };
        }
    }

    /// Asserts that the first `bytes` bytes hold what was written when the
    /// block was `written` bytes long.
    pub(crate) fn verify(&self, written: usize, bytes: usize) {
        for index in indices(written).filter(|&index| index < bytes) {
            let at = self.start.as_ptr().wrapping_add(index);
            // SAFETY: as in `write`.
            let found = unsafe { at.read() };
            assert_eq!(found, byte(self.fill, index), "byte {index} of {self:x?} changed");
        }
    }

    pub(crate) fn assert_zero(&self) {
        for index in 0..self.size {
            let at = self.start.as_ptr().wrapping_add(index);
            // SAFETY: as in `write`.
            let found = unsafe { at.read() };
            assert_eq!(found, 0, "byte {index} of zeroed {self:x?}");
        }
    }
}

/// Who owns which bytes.
#[derive(Default)]
pub(crate) struct Ownership {
    /// End by start.
    ranges: BTreeMap<usize, usize>,
}

impl Ownership {
    /// Enters `bytes` bytes from `start` as owned; nobody else may own any.
    pub(crate) fn take(&mut self, start: NonNull<u8>, bytes: usize) {
        let (start, end) = (start.as_ptr().addr(), start.as_ptr().addr() + bytes.max(1));
        if let Some((&other, &other_end)) = self.ranges.range(..end).next_back() {
            assert!(other_end <= start, "{start:#x}..{end:#x} overlaps {other:#x}..{other_end:#x}");
        }
        self.ranges.insert(start, end);
    }

    pub(crate) fn give(&mut self, start: NonNull<u8>) {
        assert!(self.ranges.remove(&start.as_ptr().addr()).is_some());
    }
}
