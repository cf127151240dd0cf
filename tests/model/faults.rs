//! Memory that fails at every call in turn: nothing is lost, and the heap
//! works on when there is memory again. `HMM_ROUNDS=20` goes through all calls.

use std::ops::Range;

use fastrand::Rng;
use hmm_core::Heap;

use crate::backends::Scattered;
use crate::failing::Failing;
use crate::shadow::{Block, Ownership};
use crate::{PAGE, rounds, size};

/// A fixed scenario, on memory that comes piece after piece, or scattered in odd
/// sizes with others' between; returns how many calls it made of the backend and
/// how many requests were refused.
fn scenario(odd: bool, window: Range<usize>) -> (usize, usize) {
    let mut inner = Scattered::new(1);
    inner.odd = odd;
    let (failing, log) = Failing::new(inner, window);
    let mut heap: Heap<_> = Heap::new(failing);
    let mut rng = Rng::with_seed(1);
    let mut live: Vec<Block> = Vec::new();
    let mut owned = Ownership::default();
    let mut refused = 0;
    for _ in 0..1500 {
        let size = size(&mut rng, PAGE, 4 << 20);
        let fill = rng.u64(..);
        match rng.u32(..10) {
            0..=5 => match heap.alloc(size) {
                Some(start) => {
                    owned.take(start, heap.usable_size(start).expect("live"));
                    let block = Block { start, size, fill };
                    block.write();
                    live.push(block);
                }
                None => refused += 1,
            },
            6..=7 if !live.is_empty() => {
                let index = rng.usize(..live.len());
                let old = live[index];
                // SAFETY: the block is live.
                match unsafe { heap.realloc(old.start, size.max(1)) }.expect("live") {
                    Some(start) => {
                        owned.give(old.start);
                        owned.take(start, heap.usable_size(start).expect("live"));
                        let new = Block { start, size: size.max(1), ..old };
                        new.verify(old.size, old.size.min(new.size));
                        new.write();
                        live[index] = new;
                    }
                    None => {
                        old.verify(old.size, old.size);
                        refused += 1;
                    }
                }
            }
            8 if live.len() > 100 => {
                for block in live.drain(..90) {
                    block.verify(block.size, block.size);
                    owned.give(block.start);
                    // SAFETY: the block is live and forgotten here.
                    unsafe { heap.free(block.start) }.expect("live");
                }
                heap.trim();
            }
            _ => {}
        }
        if rng.u32(..16) == 0 {
            heap.check().unwrap_or_else(|violation| panic!("{violation}"));
        }
    }
    for block in live.drain(..) {
        block.verify(block.size, block.size);
        // SAFETY: the block is live and forgotten here.
        unsafe { heap.free(block.start) }.expect("live");
    }
    heap.check().unwrap_or_else(|violation| panic!("{violation}"));
    heap.trim();
    assert_eq!(heap.stats().blocks, 0);
    let made = log.end_failures();
    // (The odd one may refuse now and then.)
    assert!((0..20).any(|_| heap.alloc(10 << 20).is_some()), "there is memory again");
    log.assert_nothing_is_lost(&heap.stats());
    (made, refused)
}

/// So many calls, or as many times that as `HMM_ROUNDS` says, spread over all.
fn spread(calls: usize, most: usize) -> impl Iterator<Item = usize> {
    (0..calls).step_by((calls / (most * rounds())).max(1))
}

#[test]
fn every_call_fails_in_turn() {
    for (odd, most) in [(false, 300), (true, 60)] {
        let (calls, refused) = scenario(odd, 0..0);
        assert!(odd || refused == 0);
        println!("{calls} calls of the backend");
        for call in spread(calls, most) {
            scenario(odd, call..call + 1);
        }
    }
}

#[test]
fn memory_is_gone_for_a_while() {
    for (odd, most) in [(false, 20), (true, 10)] {
        let (calls, _) = scenario(odd, 0..0);
        for first in spread(calls, most) {
            let (_, refused) = scenario(odd, first..first + 40);
            println!("calls {first}.. fail: {refused} requests refused");
        }
    }
}

/// Memory that came, could not be entered, and was not taken back is used later.
#[test]
fn nothing_is_lost_when_tables_fail_after_growth() {
    for (odd, most) in [(false, 50), (true, 15)] {
        let (calls, _) = scenario(odd, 0..0);
        for call in spread(calls, most) {
            // The call, and those right after it: the table, and the way back.
            scenario(odd, call..call + 2);
            scenario(odd, call..call + 3);
        }
        // And the table in each smaller size that is tried.
        for call in 0..4 {
            scenario(odd, call..call + 40);
        }
    }
}
