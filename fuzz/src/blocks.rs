//! The live blocks, as their user knows them.

use std::ptr::NonNull;

use arbitrary::Arbitrary;

use crate::shadow::{Block, Ownership};

/// A size that two bytes of the input stand for: small, middling, around whole
/// pages, or anything up to the largest.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Size(u16);

impl Size {
    /// The size in bytes, `most` at most, on a heap with pages of `page` bytes.
    pub fn bytes(self, page: usize, most: usize) -> usize {
        let value = usize::from(self.0 & 0x3FFF);
        let size = match self.0 >> 14 {
            0 => value & 0x1FF,
            1 => value,
            2 => (page * (value & 15) + (value >> 4 & 31)).saturating_sub(16),
            _ => value * (most / 0x3FFF).max(1),
        };
        size.min(most)
    }
}

/// A block, and the alignment that was asked for.
#[derive(Clone, Copy)]
pub struct Live(Block, usize);

impl Live {
    /// Where it begins.
    pub fn start(&self) -> NonNull<u8> {
        self.0.start
    }

    /// The bytes that were asked for.
    pub fn size(&self) -> usize {
        self.0.size
    }

    /// What it is aligned to, in bytes.
    pub fn align(&self) -> usize {
        self.1
    }
}

/// All live blocks: each byte of them is owned once, and holds what was written.
#[derive(Default)]
pub struct Blocks {
    live: Vec<Live>,
    owned: Ownership,
    written: u64,
}

impl Blocks {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.live.len()
    }

    /// Enters a block of `size` bytes at a multiple of `align`, of which `usable` may
    /// be used.
    ///
    /// # Panics
    /// If some byte of it belongs to another, or should be zero and is not.
    pub fn enter(&mut self, start: NonNull<u8>, size: usize, align: usize, usable: usize, zeroed: bool) {
        assert_eq!(start.addr().get() % align, 0, "alignment");
        assert!(usable >= size);
        self.owned.take(start, usable);
        let block = self.named(start, size);
        if zeroed {
            block.assert_zero();
        }
        block.write();
        self.live.push(Live(block, align));
    }

    /// A block that was `old` and has been resized, to `size` bytes at `start`, a
    /// multiple of `align`.
    ///
    /// # Panics
    /// If it lost what it held, or overlaps another.
    pub fn reenter(&mut self, Live(old, _): Live, start: NonNull<u8>, size: usize, align: usize, usable: usize) {
        let kept = Block { start, size, ..old };
        kept.verify(old.size, size.min(old.size));
        self.enter(start, size, align, usable, false);
    }

    /// A block that stays, after all.
    pub fn put_back(&mut self, Live(block, align): Live, usable: usize) {
        block.verify(block.size, block.size);
        self.owned.take(block.start, usable);
        self.live.push(Live(block, align));
    }

    /// Some block, which is forgotten here; its contents are whole.
    ///
    /// # Panics
    /// If they are not.
    pub fn pick(&mut self, index: u16) -> Option<Live> {
        let index = usize::from(index).checked_rem(self.live.len())?;
        let Live(block, align) = self.live.swap_remove(index);
        block.verify(block.size, block.size);
        self.owned.give(block.start);
        Some(Live(block, align))
    }

    /// Some block, which stays.
    pub fn look(&self, index: u16) -> Option<Live> {
        let index = usize::from(index).checked_rem(self.live.len())?;
        Some(self.live[index])
    }

    fn named(&mut self, start: NonNull<u8>, size: usize) -> Block {
        self.written += 1;
        Block { start, size, fill: self.written.wrapping_mul(0x9E37_79B9_7F4A_7C15) }
    }
}
