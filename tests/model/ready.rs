//! What the common owner lays out for threads to take.

use hmm_core::{Limit, Owner, Shared};
use parking_lot::RawMutex;

use crate::backends::Scattered;
use crate::owners::{NOBODY, attach, on_misuse};
use crate::threads::Heap;

/// What the common owner laid out is free, and serves whoever needs the memory, also
/// a thread without an owner.
#[test]
fn what_lies_ready_goes_back_for_a_large_block() {
    const WANTED: usize = 4 << 20;
    let heap = Shared::<_, RawMutex>::new(Limit::new(Scattered::new(1), 6 << 20), on_misuse);
    heap.lend_first(Some(255));
    let owner = attach(&heap);
    for needy in [&*NOBODY, owner] {
        let sizes = (1..=128).map(|lines| 64 * lines);
        // SAFETY: the owner is this thread's.
        let blocks: Vec<_> = sizes.map(|size| unsafe { heap.alloc(owner, size) }).collect();
        for block in blocks {
            // SAFETY: the block is live.
            unsafe { heap.free(&NOBODY, block) };
        }
        // SAFETY: the owner is this thread's.
        let large = unsafe { heap.alloc(needy, WANTED) };
        assert!(!large.is_null(), "{:?}", heap.stats());
        // SAFETY: the block is live.
        unsafe { heap.free(needy, large) };
        heap.check().unwrap_or_else(|violation| panic!("{violation}"));
        assert_eq!(heap.stats().blocks, 0);
    }
}

/// A slab of the common owner's that fills up takes back what of it lies ready: another
/// owner may get it then, whose frees do not look there.
#[test]
fn what_lies_ready_does_not_change_hands() {
    let heap = Heap::new(Scattered::new(7), on_misuse);
    heap.lend_first(Some(255));
    let owner = attach(&heap);
    // SAFETY: the owner is this thread's, or nobody.
    let alloc = |owner: &Owner, count| -> Vec<_> { (0..count).map(|_| unsafe { heap.alloc(owner, 64) }).collect() };
    let free = |blocks: Vec<*mut u8>| {
        for block in blocks {
            // SAFETY: the block is live.
            unsafe { heap.free(&NOBODY, block) };
        }
    };
    free(alloc(owner, 9));
    let borrowed = alloc(owner, 1);
    // More than a slab has.
    let others = alloc(&NOBODY, 1100);
    heap.check().unwrap_or_else(|violation| panic!("{violation}"));
    free(borrowed);
    free(others);
    assert_eq!(heap.stats().blocks, 0);
}

/// Few threads borrow nothing: what lay ready for many goes back.
#[test]
fn nothing_lies_ready_for_few() {
    let heap = Heap::new(Scattered::new(9), on_misuse);
    let owners: Vec<_> = (0..24).map(|_| heap.attach().expect("memory")).collect();
    // SAFETY: owners are never unmapped.
    let last = unsafe { owners[23].as_ref() };
    // SAFETY: the owner is this thread's.
    let block = unsafe { heap.alloc(last, 64) };
    // SAFETY: the block is live.
    unsafe { heap.free(last, block) };
    assert!(heap.stats().active > 0, "it was borrowed");
    for owner in owners {
        // SAFETY: it is not used again.
        unsafe { heap.detach(owner) };
    }
    assert_eq!(heap.stats().active, 0);
}
