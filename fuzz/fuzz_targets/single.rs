//! A heap for one owner, on pages of three sizes, over memory that is scattered,
//! refused, and limited.

#![no_main]

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use arbitrary::Arbitrary;
use hmm_core::{FixedRegion, Heap, HeapGrow, Limit, What};
use hmm_fuzz::{Blocks, Memory, Refusals, Size};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Op {
    Alloc { size: Size },
    Zeroed { size: Size },
    Aligned { align: u8, size: Size },
    Many { size: Size, count: u8 },
    Free { index: u16 },
    FreeMany { index: u16, stride: u8, count: u8 },
    Realloc { index: u16, size: Size },
    Trim,
    Refuse { calls: u16 },
    Misuse { index: u16, offset: u16 },
}

#[derive(Arbitrary, Debug)]
enum Place {
    /// A static array, tiny pages.
    Array { page_256: bool },
    /// Pages of 4 KiB in a range of addresses, over system pages of 256 bytes, 4 or
    /// 16 KiB.
    Range { os_page: u8, limit: Option<u16> },
    /// Pages of 64 KiB.
    Hosted { os_page: u8 },
}

#[derive(Arbitrary, Debug)]
struct Input {
    place: Place,
    ops: Vec<Op>,
}

struct Run<G: HeapGrow, const SHIFT: u32, const C: usize> {
    heap: Heap<G, SHIFT, C>,
    blocks: Blocks,
    refusals: Refusals,
    most: usize,
    limit: usize,
}

impl<G: HeapGrow, const SHIFT: u32, const C: usize> Run<G, SHIFT, C> {
    fn new(grow: G, most: usize) -> Self {
        let heap = Heap::new(grow);
        Self { heap, blocks: Blocks::default(), refusals: Refusals::default(), most, limit: usize::MAX }
    }

    fn usable(&self, start: NonNull<u8>) -> usize {
        self.heap.usable_size(start).expect("a live block has a size")
    }

    fn enter(&mut self, start: Option<NonNull<u8>>, size: usize, align: usize, zeroed: bool) {
        if let Some(start) = start {
            let usable = self.usable(start);
            self.blocks.enter(start, size, align, usable, zeroed);
        }
    }

    fn free(&mut self, index: u16) {
        if let Some(block) = self.blocks.pick(index) {
            // SAFETY: the block is live and forgotten.
            unsafe { self.heap.free(block.start()) }.expect("a live block can be freed");
        }
    }

    fn realloc(&mut self, index: u16, size: usize) {
        let Some(old) = self.blocks.pick(index) else { return };
        // SAFETY: the block is live; its old address is used only if it is the new one.
        match unsafe { self.heap.realloc(old.start(), size) }.expect("a live block can be resized") {
            Some(start) => {
                let usable = self.usable(start);
                self.blocks.reenter(old, start, size, 16, usable);
            }
            None => {
                let usable = self.usable(old.start());
                self.blocks.put_back(old, usable);
            }
        }
    }

    fn misuse(&mut self, index: u16, offset: u16) {
        let Some(block) = self.blocks.look(index) else { return };
        if block.size() > 1 {
            let offset = 1 + usize::from(offset) % (block.size() - 1);
            // SAFETY: the offset lies in the block.
            let inside = unsafe { block.start().add(offset) };
            // SAFETY: must be refused.
            unsafe { self.heap.free(inside) }.expect_err("no block begins inside a block");
        }
        self.free(index);
        // SAFETY: must be refused.
        unsafe { self.heap.free(block.start()) }.expect_err("freed twice");
        let outside = NonNull::from(&mut self.limit).cast::<u8>();
        // SAFETY: must be refused.
        let foreign = unsafe { self.heap.free(outside) }.expect_err("not the heap's");
        assert_eq!(foreign.what(), What::ForeignFree);
    }

    fn step(&mut self, op: &Op) {
        let bytes = |size: Size| size.bytes(1 << SHIFT, self.most);
        match *op {
            Op::Alloc { size } => {
                let size = bytes(size);
                let start = self.heap.alloc(size);
                self.enter(start, size, 16, false);
            }
            Op::Zeroed { size } => {
                let size = bytes(size);
                let start = self.heap.alloc_zeroed(size);
                self.enter(start, size, 16, true);
            }
            Op::Aligned { align, size } => {
                let (align, size) = (1 << (u32::from(align) % (SHIFT + 3)), bytes(size));
                let start = self.heap.alloc_aligned(align, size);
                self.enter(start, size, align, false);
            }
            Op::Many { size, count } => {
                let size = bytes(size) % 2048;
                for _ in 0..count {
                    let start = self.heap.alloc(size);
                    self.enter(start, size, 16, false);
                }
            }
            Op::Free { index } => self.free(index),
            Op::FreeMany { index, stride, count } => {
                for nth in 0..u16::from(count) {
                    self.free(index.wrapping_add(nth.wrapping_mul(stride.into())));
                }
            }
            Op::Realloc { index, size } => {
                let size = bytes(size).max(1);
                self.realloc(index, size);
            }
            Op::Trim => _ = self.heap.trim(),
            Op::Refuse { calls } => self.refusals.plan(calls.into()),
            Op::Misuse { index, offset } => self.misuse(index, offset),
        }
    }

    fn check(&self) {
        self.heap.check().unwrap_or_else(|violation| panic!("{violation}"));
        let stats = self.heap.stats();
        assert_eq!(stats.blocks, self.blocks.count(), "blocks counted");
        assert!(stats.allocated <= stats.active && stats.active <= stats.mapped, "{stats:?}");
    }

    fn run(mut self, ops: &[Op]) {
        for op in ops {
            self.step(op);
            self.check();
        }
        self.refusals.plan(0);
        while self.blocks.count() > 0 {
            self.free(0);
        }
        self.heap.trim();
        self.check();
        let stats = self.heap.stats();
        assert_eq!((stats.blocks, stats.active), (0, 0), "everything was freed and collected");
    }
}

fn with_memory<const SHIFT: u32, const C: usize>(os_page: usize, limit: usize, ops: &[Op]) {
    let refusals = Refusals::default();
    let grow = Limit::new(Memory::new(os_page, refusals.clone()), limit);
    let mut run: Run<_, SHIFT, C> = Run::new(grow, 1 << 20);
    (run.refusals, run.limit) = (refusals, limit);
    run.run(ops);
}

fuzz_target!(|input: Input| {
    match input.place {
        Place::Array { page_256 } => {
            let mut array = vec![MaybeUninit::new(0xA5); 32 << 10];
            // SAFETY: the heap is gone before the array is.
            let array: &'static mut [MaybeUninit<u8>] = unsafe { &mut *std::ptr::from_mut(array.as_mut_slice()) };
            match page_256 {
                true => Run::<_, 8, 12>::new(FixedRegion::new(array), 2000).run(&input.ops),
                false => Run::<_, 9, 20>::new(FixedRegion::new(array), 6000).run(&input.ops),
            }
        }
        Place::Range { os_page, limit } => {
            let os_page = [256, 4096, 16384][usize::from(os_page) % 3];
            let limit = limit.map_or(usize::MAX, |units| usize::from(units) << 7);
            with_memory::<12, 44>(os_page, limit, &input.ops);
        }
        Place::Hosted { os_page } => {
            let os_page = [4096, 16384, 65536][usize::from(os_page) % 3];
            with_memory::<16, 72>(os_page, usize::MAX, &input.ops);
        }
    }
});
