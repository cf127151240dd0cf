//! Memory that fails at every call in turn under a heap of many owners, and memory
//! that is slow to come while many wait.

use std::ops::Range;
use std::ptr::NonNull;
use std::time::Duration;

use fastrand::Rng;
use hmm_core::{Grown, HeapGrow, Owner, Shared, Span};
use parking_lot::RawMutex;

use crate::backends::Scattered;
use crate::failing::Failing;
use crate::owners::{NOBODY, attach_or_nobody, detach, is_nobody, on_misuse};
use crate::shadow::{Block, Ownership};
use crate::{PAGE, rounds, size};

/// Owners that one thread plays in turn, each freeing what others allocated, ending
/// and beginning anew; returns how many calls were made of the backend.
fn scenario(window: Range<usize>) -> usize {
    let mut inner = Scattered::new(2);
    inner.refuses = false;
    let (failing, log) = Failing::new(inner, window);
    let heap: Shared<_, RawMutex> = Shared::new(failing, on_misuse);
    let attach = || attach_or_nobody(&heap);
    let mut owners: [&Owner; 3] = [attach(), attach(), &NOBODY];
    let mut rng = Rng::with_seed(1);
    let mut live: Vec<Block> = Vec::new();
    let mut owned = Ownership::default();
    for step in 0..2000 {
        let owner = owners[rng.usize(..owners.len())];
        match rng.u32(..100) {
            0..=54 => {
                let size = size(&mut rng, PAGE, 1 << 20);
                // SAFETY: the owner is this thread's.
                if let Some(start) = NonNull::new(unsafe { heap.alloc(owner, size) }) {
                    let block = Block { start, size, fill: rng.u64(..) };
                    owned.take(start, size);
                    block.write();
                    live.push(block);
                }
            }
            55..=94 if !live.is_empty() => {
                let block = live.swap_remove(rng.usize(..live.len()));
                block.verify(block.size, block.size);
                owned.give(block.start);
                // SAFETY: the block is live and forgotten here.
                unsafe { heap.free(owner, block.start.as_ptr()) };
            }
            95..=96 => {
                let place = rng.usize(..owners.len());
                let ended = std::mem::replace(&mut owners[place], &NOBODY);
                if is_nobody(ended) {
                    owners[place] = attach();
                }
                // SAFETY: this thread's own, replaced above.
                unsafe { detach(&heap, ended) };
            }
            // SAFETY: the owner is this thread's.
            97 => _ = unsafe { heap.trim(owner, 0) },
            _ => {}
        }
        if step % 50 == 0 {
            heap.check().unwrap_or_else(|violation| panic!("{violation}"));
        }
    }
    for block in live {
        block.verify(block.size, block.size);
        // SAFETY: the block is live and forgotten here.
        unsafe { heap.free(owners[0], block.start.as_ptr()) };
    }
    heap.check().unwrap_or_else(|violation| panic!("{violation}"));
    let made = log.end_failures();
    // SAFETY: the owner is this thread's.
    let there = |bytes| !unsafe { heap.alloc(owners[0], bytes) }.is_null();
    assert!((0..20).any(|_| there(5 << 20)), "there is memory again");
    log.assert_nothing_is_lost(&heap.stats());
    made
}

#[test]
fn every_call_fails_in_turn() {
    let calls = scenario(0..0);
    println!("{calls} calls of the backend");
    for call in (0..calls).step_by((calls / (40 * rounds())).max(1)) {
        scenario(call..call + 1);
        scenario(call..call + 5);
    }
    for call in 0..4 {
        scenario(call..call + 40);
    }
}

/// Takes its time for each call.
struct Slow(Scattered);

fn wait() {
    std::thread::sleep(Duration::from_micros(300));
}

// SAFETY: does what `Scattered` does.
unsafe impl HeapGrow for Slow {
    fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
        wait();
        self.0.grow(min, align)
    }

    unsafe fn shrink(&mut self, start: NonNull<u8>, bytes: usize) -> bool {
        wait();
        // SAFETY: the caller's promise.
        unsafe { self.0.shrink(start, bytes) }
    }

    unsafe fn purge(&mut self, span: Span) -> bool {
        wait();
        // SAFETY: the caller's promise.
        unsafe { self.0.purge(span) }
    }

    fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        wait();
        self.0.meta(bytes)
    }

    fn os_page(&self) -> usize {
        self.0.os_page()
    }
}

#[test]
fn memory_is_slow_to_come() {
    let heap: Shared<_, RawMutex> = Shared::new(Slow(Scattered::new(4)), on_misuse);
    heap.keep_free(Some(0));
    std::thread::scope(|scope| {
        let works = |seed| {
            let heap = &heap;
            move || {
                let mut rng = Rng::with_seed(seed);
                let owner = attach_or_nobody(heap);
                for _ in 0..300 {
                    let size = size(&mut rng, PAGE, 2 << 20);
                    // SAFETY: the owner is this thread's.
                    let Some(start) = NonNull::new(unsafe { heap.alloc(owner, size) }) else { continue };
                    let block = Block { start, size, fill: rng.u64(..) };
                    block.write();
                    block.verify(size, size);
                    // SAFETY: the block is live and forgotten here.
                    unsafe { heap.free(owner, start.as_ptr()) };
                }
                // SAFETY: this thread does not use it again.
                unsafe { detach(heap, owner) };
            }
        };
        let threads: Vec<_> = (0..6).map(|seed| scope.spawn(works(seed))).collect();
        threads.into_iter().for_each(|thread| thread.join().expect("no thread failed"));
    });
    heap.check().unwrap_or_else(|violation| panic!("{violation}"));
    assert_eq!(heap.stats().blocks, 0);
}
