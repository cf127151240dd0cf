//! Many owners, case by case: what random threads would seldom come to.

use hmm_core::{MIN_ALIGN, Shared};
use parking_lot::RawMutex;

use crate::PAGE;
use crate::backends::Scattered;
use crate::owners::{NOBODY, attach, on_misuse};
use crate::threads::Heap;

#[test]
fn the_pool_hands_heaps_to_new_threads() {
    let heap = Heap::new(Scattered::new(3), on_misuse);
    for _ in 0..1000 {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let owner = heap.attach().expect("memory");
                // SAFETY: owners are never unmapped.
                let mine = unsafe { owner.as_ref() };
                // SAFETY: the owner is this thread's until it is detached.
                let p = unsafe { heap.alloc(mine, 100) };
                assert!(!p.is_null());
                // SAFETY: this thread does not use it again.
                unsafe { heap.detach(owner) };
                // SAFETY: the block is live, and the thread has no owner.
                unsafe { heap.free(&NOBODY, p) };
            });
        });
    }
    let stats = heap.stats();
    assert_eq!((stats.heaps, stats.blocks), (1, 0));
    assert!(stats.active <= 2 * PAGE, "{stats:?}");
}

/// Slabs that were emptied wait for their class, but not while another needs memory.
#[test]
fn what_one_class_left_serves_others() {
    let heap = Heap::new(Scattered::new(5), on_misuse);
    let owner = attach(&heap);
    let active_with = |size: usize| {
        // Of pages of 64 KiB; of smaller ones as many, and as many blocks in them.
        let [all, size] = [900_000, size].map(|bytes| bytes / (65_536 / PAGE));
        // SAFETY: the owner is this thread's.
        let blocks: Vec<_> = (0..all / size).map(|_| unsafe { heap.alloc(owner, size) }).collect();
        let active = heap.stats().active;
        for block in blocks {
            // SAFETY: the block is live.
            unsafe { heap.free(owner, block) };
        }
        active
    };
    let first = active_with(1000);
    for size in [96, 500, 640, 1280, 4000, 12_000, 20_000, 40_000] {
        let active = active_with(size);
        assert!(active <= first + 12 * PAGE, "{active} bytes with {size}, {first} before");
    }
}

/// The last block of a slab is taken and freed again, while frees that empty their bitmap words, and so are not
/// remembered, come in between: that the slab is empty then must be seen.
#[test]
fn a_block_that_is_freed_again_may_empty_its_slab() {
    // So many that their slab has two words.
    const SIZE: usize = PAGE / (2 * usize::BITS as usize);
    const SLOTS: usize = PAGE / SIZE;
    let heap = Heap::new(Scattered::new(7), on_misuse);
    let owner = attach(&heap);
    // SAFETY: the owner is this thread's.
    let take = |size: usize| unsafe { heap.alloc(owner, size) };
    // SAFETY: likewise, and the block is live.
    let free = |block: *mut u8| unsafe { heap.free(owner, block) };
    let blocks: Vec<_> = (0..6 * SLOTS).map(|_| take(SIZE)).collect();
    let page = |block: &*mut u8| block.addr() / PAGE;
    let slab: Vec<_> = blocks.iter().filter(|block| page(block) == page(&blocks[SLOTS])).copied().collect();
    assert_eq!(slab.len(), SLOTS);
    // Of the first word two are left, of the second one.
    let [first, second, other] = [slab[0], slab[1], slab[SLOTS - 1]];
    slab[2..SLOTS - 1].iter().for_each(|&block| free(block));
    // (The only slab that waits is kept in any case.)
    free(blocks[3 * SLOTS]);
    let active = heap.stats().active;
    free(first);
    free(second);
    assert_eq!(take(SIZE), first);
    free(other);
    free(first);
    // What is empty goes back before another class gets new memory.
    assert!(!take(640).is_null());
    assert_eq!(heap.stats().active, active);
}

/// The slabs of the smallest blocks have more words than the word that sums up what others freed has bits.
#[test]
fn what_others_free_of_the_smallest_blocks_is_taken_again() {
    const BLOCKS: usize = 3 * PAGE / MIN_ALIGN;
    let heap = Heap::new(Scattered::new(6), on_misuse);
    let [mine, other] = [0; 2].map(|_| attach(&heap));
    let take_all = || {
        // SAFETY: the owner is this thread's.
        let take = || unsafe { heap.alloc_aligned(mine, MIN_ALIGN, MIN_ALIGN) };
        let mut blocks: Vec<_> = (0..BLOCKS).map(|_| take()).collect();
        blocks.sort_unstable();
        assert!(blocks.windows(2).all(|pair| pair[1].addr() - pair[0].addr() >= MIN_ALIGN));
        (blocks, heap.stats().active)
    };
    let (blocks, active) = take_all();
    for block in blocks {
        // SAFETY: the block is live.
        unsafe { heap.free(other, block) };
    }
    heap.check().unwrap_or_else(|violation| panic!("{violation}"));
    let (blocks, active_again) = take_all();
    assert_eq!((blocks.len(), active_again), (BLOCKS, active));
    heap.check().unwrap_or_else(|violation| panic!("{violation}"));
    assert_eq!(heap.stats().blocks, BLOCKS);
}

/// An aligned block may take whole pages for no bytes, and is no part of a run that is kept.
#[test]
fn no_bytes_at_a_page_are_a_block() {
    const SMALL: u32 = 12;
    let heap: Shared<Scattered, RawMutex, SMALL, 44> = Shared::new(Scattered::new(8), on_misuse);
    let owner = attach(&heap);
    // SAFETY: the owner is this thread's.
    let large = || unsafe { heap.alloc(owner, 40_000) };
    let first = large();
    // SAFETY: the block is live.
    unsafe { heap.free(owner, first) };
    // SAFETY: the owner is this thread's.
    let none = unsafe { heap.alloc_aligned(owner, 1 << SMALL, 0) };
    assert!(!none.is_null() && none != large());
    heap.check().unwrap_or_else(|violation| panic!("{violation}"));
    assert_eq!(heap.stats().blocks, 2);
}
