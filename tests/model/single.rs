//! One owner: `Heap` and `TinyHeap`, on arenas and on scattered memory.

use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use fastrand::Rng;
use hmm_core::{HOSTED_CLASSES, HOSTED_SHIFT, Heap, HeapGrow, Limit, MIN_ALIGN, What};

use crate::backends::{Arena, Scattered};
use crate::shadow::{Block, Ownership};
use crate::{PAGE, each_seed, size};

/// A heap and its shadow.
struct Model<G: HeapGrow, const SHIFT: u32, const C: usize> {
    heap: Heap<G, SHIFT, C>,
    live: Vec<Block>,
    owned: Ownership,
    rng: Rng,
    /// The largest size to ask for.
    most: usize,
    /// Below so many live blocks nothing is freed but in bursts.
    grow_only: usize,
    refused: usize,
    /// The most that the heap may hold.
    limit: usize,
}

impl<G: HeapGrow, const SHIFT: u32, const C: usize> Model<G, SHIFT, C> {
    fn new(grow: G, seed: u64, most: usize) -> Self {
        let heap = Heap::new(grow);
        Self {
            heap,
            live: Vec::new(),
            owned: Ownership::default(),
            rng: Rng::with_seed(seed),
            most,
            grow_only: 0,
            refused: 0,
            limit: usize::MAX,
        }
    }

    fn size(&mut self) -> usize {
        size(&mut self.rng, 1 << SHIFT, self.most)
    }

    fn enter(&mut self, start: Option<NonNull<u8>>, size: usize, align: usize, zeroed: bool) {
        let Some(start) = start else {
            self.refused += 1;
            return;
        };
        assert_eq!(start.as_ptr().addr() % align.max(MIN_ALIGN), 0, "alignment");
        let block = Block { start, size, fill: self.rng.u64(..) };
        let usable = self.heap.usable_size(start).expect("a live block has a size");
        assert!(usable >= size);
        self.owned.take(start, usable);
        if zeroed {
            block.assert_zero();
        }
        block.write();
        self.live.push(block);
    }

    fn pick(&mut self) -> Option<Block> {
        let index = self.rng.usize(..self.live.len().max(1));
        (!self.live.is_empty()).then(|| self.live.swap_remove(index))
    }

    fn free(&mut self, block: Block) {
        block.verify(block.size, block.size);
        self.owned.give(block.start);
        // SAFETY: the block is live and forgotten here.
        unsafe { self.heap.free(block.start) }.expect("a live block can be freed");
    }

    fn realloc(&mut self, block: Block) {
        let wanted = self.size().max(1);
        block.verify(block.size, block.size);
        // SAFETY: the block is live; its old address is used only if it is
        // the new one.
        let moved = unsafe { self.heap.realloc(block.start, wanted) }.expect("a live block can be resized");
        let Some(start) = moved else {
            block.verify(block.size, block.size);
            self.refused += 1;
            self.live.push(block);
            return;
        };
        self.owned.give(block.start);
        let usable = self.heap.usable_size(start).expect("a live block has a size");
        assert!(usable >= wanted);
        self.owned.take(start, usable);
        let now = Block { start, size: wanted, ..block };
        now.verify(block.size, wanted.min(block.size));
        now.write();
        self.live.push(now);
    }

    /// Pointers that are no live block are refused and change nothing.
    fn misuse(&mut self) {
        let Some(block) = self.pick() else { return };
        if block.size > 1 {
            let offset = self.rng.usize(1..block.size);
            // SAFETY: the offset lies in the block.
            let inside = unsafe { block.start.add(offset) };
            // SAFETY: refused, or (if it were not) found right here.
            unsafe { self.heap.free(inside) }.expect_err("no block begins inside a block");
        }
        let start = block.start;
        let large = block.size > 1 << SHIFT;
        self.free(block);
        // SAFETY: as above: a second free must be refused.
        let twice = unsafe { self.heap.free(start) }.expect_err("freed twice");
        if !large {
            assert!(matches!(twice.what(), What::DoubleFree | What::InvalidFree), "{twice}");
        }
        let outside = NonNull::from(&mut self.refused).cast::<u8>();
        // SAFETY: a pointer to elsewhere must be refused.
        let foreign = unsafe { self.heap.free(outside) }.expect_err("not the heap's");
        assert_eq!(foreign.what(), What::ForeignFree);
    }

    fn step(&mut self) {
        let share = if self.live.len() < self.grow_only { 66 } else { 100 };
        match self.rng.u32(..share) {
            0..=39 => {
                let size = self.size();
                let start = self.heap.alloc(size);
                self.enter(start, size, 16, false);
            }
            40..=47 => {
                let size = self.size();
                let start = self.heap.alloc_zeroed(size);
                self.enter(start, size, 16, true);
            }
            48..=53 => {
                let align = 1 << self.rng.u32(..SHIFT + 3);
                let size = self.size();
                let start = self.heap.alloc_aligned(align, size);
                self.enter(start, size, align, false);
            }
            54..=64 => {
                if let Some(block) = self.pick() {
                    self.realloc(block);
                }
            }
            65 => self.misuse(),
            _ => {
                if let Some(block) = self.pick() {
                    self.free(block);
                }
            }
        }
    }

    fn check(&self) {
        self.heap.check().unwrap_or_else(|violation| panic!("{violation}"));
        let stats = self.heap.stats();
        assert_eq!(stats.blocks, self.live.len(), "blocks counted");
        assert!(stats.allocated <= stats.active && stats.active <= stats.mapped && stats.held <= self.limit);
    }

    /// Fills up and drains, over and over.
    fn run(&mut self, steps: usize, most_live: usize) {
        for step in 0..steps {
            self.step();
            while self.live.len() > most_live {
                let block = self.pick().expect("there are many");
                self.free(block);
            }
            if step % 5000 == 4999 && self.rng.bool() {
                // A burst of frees, then new life in other sizes.
                for _ in 0..self.live.len() * 9 / 10 {
                    let block = self.pick().expect("counted");
                    self.free(block);
                }
                self.heap.trim();
            }
            if step % 64 == 0 {
                self.check();
            }
        }
        while let Some(block) = self.pick() {
            self.free(block);
        }
        self.check();
        self.heap.trim();
        self.check();
        let stats = self.heap.stats();
        assert_eq!((stats.blocks, stats.active), (0, 0), "everything was freed and collected");
    }
}

#[test]
fn hosted_pages_on_scattered_memory() {
    each_seed(4, |seed| {
        let mut model: Model<_, HOSTED_SHIFT, HOSTED_CLASSES> = Model::new(Scattered::new(seed), seed, 3 << 20);
        model.run(12_000, 400);
    });
}

/// Where there are addresses for small tables only, ranges end early and others begin
/// within what would have been their room, also after all went back.
#[test]
fn ranges_whose_tables_are_small() {
    let refused = Cell::new(0);
    each_seed(16, |seed| {
        let mut grow = Scattered::new(seed);
        (grow.extra, grow.table) = (2, 1 << (10 + seed % 3));
        let mut model: Model<_, HOSTED_SHIFT, HOSTED_CLASSES> = Model::new(grow, seed, 1 << 20);
        for live in [3, 30, 6, 60, 10] {
            model.run(600, live);
        }
        refused.set(refused.get() + model.refused);
    });
    assert!(refused.get() > 0, "ranges were meant to be used up");
}

/// 6 MiB; where pages are smaller, 3: sizes lie around theirs, and all blocks together take less.
const LIMIT: usize = (2 << 20) + 64 * PAGE;

/// A limit that memory reaches again and again: the heap never holds more, and
/// works on. The backend takes back what it is given: what it refused would
/// still be held.
#[test]
fn hosted_pages_under_a_limit() {
    each_seed(4, |seed| {
        let mut grow = Limit::new(Scattered::new(seed), LIMIT);
        grow.inner().refuses = false;
        let mut model: Model<_, HOSTED_SHIFT, HOSTED_CLASSES> = Model::new(grow, seed, 1 << 20);
        model.limit = LIMIT;
        for _ in 0..10 {
            model.run(1_000, 3000);
        }
        assert!(model.refused > 0, "the limit was meant to be reached");
    });
}

/// Systems with pages of 16 and 64 KiB: memory goes back in no smaller pieces. Where a page is even
/// larger than the heap's, none does, but all goes on.
#[test]
fn hosted_pages_on_larger_ones_of_the_system() {
    for os_page in [16 << 10, 64 << 10, 2 << 20] {
        each_seed(1, |seed| {
            let mut grow = Scattered::new(seed);
            grow.os_page = os_page;
            let taken = Arc::clone(&grow.taken);
            let mut model: Model<_, HOSTED_SHIFT, HOSTED_CLASSES> = Model::new(grow, seed, 3 << 20);
            model.run(8_000, 400);
            let taken = taken.load(Relaxed);
            assert_eq!(taken > 0, os_page <= PAGE, "{taken} spans taken");
        });
    }
}

/// As above, under a limit: what can not be purged is held.
#[test]
fn a_limit_on_larger_pages_of_the_system() {
    for os_page in [16 << 10, 64 << 10, 2 << 20] {
        each_seed(1, |seed| {
            let mut grow = Limit::new(Scattered::new(seed), LIMIT);
            grow.inner().refuses = false;
            grow.inner().os_page = os_page;
            // What it adds to what is asked for may be dirty: it stays where it is not at the top when that is seen.
            let added = if os_page > PAGE { (grow.inner().extra - 1) * PAGE } else { 0 };
            let mut model: Model<_, HOSTED_SHIFT, HOSTED_CLASSES> = Model::new(grow, seed, 1 << 20);
            model.limit = LIMIT + added;
            for _ in 0..5 {
                model.run(1_000, 3000);
            }
            assert!(model.refused > 0, "the limit was meant to be reached");
        });
    }
}

/// Pages of 512 bytes and of 8 KiB, smaller than the system's.
#[test]
fn small_pages_on_larger_ones_of_the_system() {
    for os_page in [4 << 10, 16 << 10, 64 << 10] {
        each_seed(1, |seed| {
            let grow = |seed| {
                let mut grow = Scattered::new(seed);
                grow.os_page = os_page;
                grow
            };
            let mut tiny: Model<_, 9, 20> = Model::new(grow(seed), seed, 6000);
            tiny.run(6_000, 600);
            let mut small: Model<_, 13, 60> = Model::new(grow(seed), seed, 1 << 18);
            small.run(6_000, 400);
        });
    }
}

/// Slabs with many bitmap words, and many of them.
#[test]
fn hosted_pages_full_of_small_blocks() {
    each_seed(2, |seed| {
        let mut model: Model<_, HOSTED_SHIFT, HOSTED_CLASSES> = Model::new(Scattered::new(seed), seed, 700);
        model.grow_only = 12_000;
        model.run(60_000, 12_000);
    });
}

#[test]
fn tiny_pages_in_a_static_array() {
    each_seed(40, |seed| {
        let mut model: Model<_, 9, 20> = Model::new(Arena::new(64 << 10).region(), seed, 6000);
        model.run(6_000, 600);
        assert!(model.refused > 0, "64 KiB were meant to run out");
    });
}

#[test]
fn pages_of_256_bytes_in_a_small_array() {
    each_seed(40, |seed| {
        let mut model: Model<_, 8, 12> = Model::new(Arena::new(16 << 10).region(), seed, 2000);
        model.run(4_000, 300);
    });
}

#[test]
fn hosted_pages_in_an_array_that_runs_out() {
    each_seed(10, |seed| {
        let mut model: Model<_, HOSTED_SHIFT, HOSTED_CLASSES> = Model::new(Arena::new(8 << 20).region(), seed, 1 << 20);
        model.run(6_000, 3000);
        assert!(model.refused > 0, "8 MiB were meant to run out");
    });
}
