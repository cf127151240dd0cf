//! Memory that fails at every call in turn: nothing is lost, and the heap
//! works on when there is memory again.

use std::cell::Cell;
use std::ptr::NonNull;
use std::rc::Rc;

use fastrand::Rng;
use hmm_core::{Grown, Heap, HeapGrow, Span};

use crate::backends::Scattered;
use crate::shadow::{Block, Ownership};
use crate::size;

/// Refuses the calls whose numbers lie in a window.
struct Failing {
    inner: Scattered,
    calls: Rc<Cell<usize>>,
    /// Bytes handed out and not taken back.
    out: Rc<Cell<usize>>,
    window: std::ops::Range<usize>,
}

impl Failing {
    fn refuses(&self) -> bool {
        let call = self.calls.get();
        self.calls.set(call + 1);
        self.window.contains(&call)
    }
}

// SAFETY: passes on what `Scattered` does, or does nothing and says so.
unsafe impl HeapGrow for Failing {
    fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
        if self.refuses() {
            return None;
        }
        let grown = self.inner.grow(min, align)?;
        self.out.set(self.out.get() + grown.span.bytes);
        Some(grown)
    }

    unsafe fn shrink(&mut self, start: NonNull<u8>, bytes: usize) -> bool {
        // SAFETY: the caller's promise.
        let taken = !self.refuses() && unsafe { self.inner.shrink(start, bytes) };
        self.out.set(self.out.get() - if taken { bytes } else { 0 });
        taken
    }

    unsafe fn purge(&mut self, span: Span) -> bool {
        // SAFETY: the caller's promise.
        !self.refuses() && unsafe { self.inner.purge(span) }
    }

    unsafe fn move_pages(&mut self, from: Span, to: NonNull<u8>, again: bool) -> bool {
        // SAFETY: the caller's promise.
        !self.refuses() && unsafe { self.inner.move_pages(from, to, again) }
    }

    fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        if self.refuses() { None } else { self.inner.meta(bytes) }
    }

    fn open_meta(&mut self, start: NonNull<u8>, bytes: usize) -> bool {
        !self.refuses() && self.inner.open_meta(start, bytes)
    }

    fn os_page(&self) -> usize {
        self.inner.os_page()
    }
}

/// A fixed scenario; returns how many calls it made of the backend and how
/// many requests were refused.
fn scenario(window: std::ops::Range<usize>) -> (usize, usize) {
    let (calls, out) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let mut inner = Scattered::new(1);
    inner.odd = false;
    let mut heap: Heap<_> = Heap::new(Failing { inner, calls: Rc::clone(&calls), out: Rc::clone(&out), window });
    let mut rng = Rng::with_seed(1);
    let mut live: Vec<Block> = Vec::new();
    let mut owned = Ownership::default();
    let mut refused = 0;
    for _ in 0..1500 {
        let size = size(&mut rng, 131_072, 4 << 20);
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
    let made = calls.replace(usize::MAX / 2);
    assert!(heap.alloc(10 << 20).is_some(), "there is memory again");
    assert_eq!(heap.stats().mapped, out.get(), "nothing that the backend gave is lost");
    (made, refused)
}

#[test]
fn every_call_fails_in_turn() {
    let (calls, refused) = scenario(0..0);
    assert_eq!(refused, 0);
    println!("{calls} calls of the backend");
    for call in 0..calls.min(400) {
        scenario(call..call + 1);
    }
}

#[test]
fn memory_is_gone_for_a_while() {
    let (calls, _) = scenario(0..0);
    for first in (0..calls).step_by(calls / 20 + 1) {
        let (_, refused) = scenario(first..first + 40);
        println!("calls {first}.. fail: {refused} requests refused");
    }
}

/// Memory that came, could not be entered, and was not taken back is used later.
#[test]
fn nothing_is_lost_when_tables_fail_after_growth() {
    let (calls, _) = scenario(0..0);
    for call in 0..calls.min(60) {
        // The call, and those right after it: the table, and the way back.
        scenario(call..call + 2);
        scenario(call..call + 3);
    }
}
