//! Sized frees name what was asked for, whatever slot the block was given: of a class, of
//! whole cache lines, with room ahead, or, where memory ran out, any that would do.

use std::ptr;

use fastrand::Rng;
use hmm_core::{Limit, Owner, Shared};
use parking_lot::RawMutex;

use crate::backends::Scattered;
use crate::owners::{attach, on_misuse};

type Heap = Shared<Limit<Scattered>, RawMutex>;

/// A block, and what it was asked for last.
#[derive(Clone, Copy)]
struct Asked {
    start: *mut u8,
    size: usize,
    align: usize,
}

fn some_size(rng: &mut Rng) -> usize {
    let most = 16 << rng.usize(..13);
    1 + rng.usize(..most)
}

/// Takes blocks until `most` are there or there is no memory, makes some a little longer,
/// and frees all by their sizes.
fn round(heap: &Heap, owner: &Owner, rng: &mut Rng, most: usize) {
    let mut live = Vec::new();
    while live.len() < most {
        let align = if rng.u32(..8) == 0 { 1 << rng.u32(..18) } else { 8 };
        let size = some_size(rng);
        // SAFETY: the owner is this thread's.
        let start = unsafe { heap.alloc_aligned(owner, align, size) };
        if start.is_null() {
            break;
        }
        live.push(Asked { start, size, align });
    }
    for block in &mut live {
        for _ in 0..rng.usize(..4) {
            let size = block.size + 1 + rng.usize(..=block.size / 12);
            // SAFETY: the block is live, and the old address is not used again.
            let start = unsafe { heap.realloc(owner, block.start, block.align, size) };
            if !start.is_null() {
                (block.start, block.size) = (start, size);
            }
        }
    }
    rng.shuffle(&mut live);
    for Asked { start, size, align } in live {
        // SAFETY: the block is live and forgotten here.
        unsafe { heap.free_sized(owner, start, size, align) };
    }
}

/// What outgrew its slot by little and gets room ahead, in a slot of whole lines that no one has taken of yet.
#[test]
fn sized_frees_fit_what_grew_into_a_borrowed_slot() {
    for size in (8..=1024).step_by(8) {
        let heap = Heap::new(Limit::new(Scattered::new(1), 8 << 20), on_misuse);
        let owner = attach(&heap);
        for align in [8, 16] {
            // None is borrowed of the class that the block begins in.
            heap.lend_first(Some(0));
            // SAFETY: the owner is this thread's.
            let start = unsafe { heap.alloc_aligned(owner, align, size) };
            heap.lend_first(Some(255));
            // SAFETY: the block is live, and the old address is not used again.
            let start = unsafe { heap.realloc(owner, start, align, size + 1) };
            // SAFETY: the block is live and forgotten here.
            unsafe { heap.free_sized(owner, start, size + 1, align) };
        }
    }
}

#[test]
fn sized_frees_fit_whatever_memory_there_is() {
    for seed in 0..6 {
        let mut rng = Rng::with_seed(seed);
        let heap = Heap::new(Limit::new(Scattered::new(seed), (2 + seed as usize) << 20), on_misuse);
        heap.lend_first([Some(255), Some(3), None][seed as usize % 3]);
        let owners = [0; 3].map(|_| attach(&heap));
        assert!(!ptr::eq(owners[0], owners[1]));
        for turn in 0..6 {
            round(&heap, owners[turn % 3], &mut rng, if turn % 2 == 0 { usize::MAX } else { 300 });
            heap.check().unwrap_or_else(|violation| panic!("{violation}"));
        }
        assert_eq!(heap.stats().blocks, 0);
    }
}
