use core::mem::MaybeUninit;
use core::ptr::NonNull;
use std::vec::Vec;

use crate::grow::{FixedRegion, Grown, HeapGrow, Moved, Span};
use crate::{Stats, TinyHeap};

const SIZE: usize = 600 * 1024;

/// Loses where pages are to be moved.
struct Loses {
    region: FixedRegion,
    lost: Vec<Span>,
}

// SAFETY: passes on what a sound one does; moves nothing.
unsafe impl HeapGrow for Loses {
    fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
        self.region.grow(min, align)
    }

    unsafe fn move_pages(&mut self, from: Span, to: NonNull<u8>, _: bool) -> Moved {
        // SAFETY: nothing lives there.
        unsafe { to.write_bytes(0xDD, from.bytes) };
        self.lost.push(Span { start: to, ..from });
        Moved::Lost
    }

    fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        self.region.meta(bytes)
    }

    fn os_page(&self) -> usize {
        512
    }
}

/// A heap with a block of `SIZE` bytes that is to grow to twice as many, and what became of that, in so many bytes
/// of memory.
fn grown_in(bytes: usize) -> (TinyHeap<Loses>, NonNull<u8>, Option<NonNull<u8>>, [Stats; 2]) {
    let memory = std::vec![MaybeUninit::uninit(); bytes].leak();
    let mut heap = TinyHeap::new(Loses { region: FixedRegion::new(memory), lost: Vec::new() });
    let [Some(block), Some(_)] = [SIZE, 2000].map(|size| heap.alloc(size)) else { panic!("there is memory") };
    // SAFETY: a live block of so many bytes.
    unsafe { block.write_bytes(0xA5, SIZE) };
    let before = heap.stats();
    // SAFETY: likewise.
    let Ok(grown) = (unsafe { heap.realloc(block, 2 * SIZE) }) else { panic!("a live block") };
    let now = grown.unwrap_or(block);
    // SAFETY: likewise; it was filled.
    let kept = unsafe { core::slice::from_raw_parts(now.as_ptr(), SIZE) };
    assert!(kept.iter().all(|&byte| byte == 0xA5));
    assert_eq!((heap.grow_mut().lost.len(), heap.check()), (1, Ok(())));
    let stats = [before, heap.stats()];
    (heap, block, grown, stats)
}

#[test]
fn a_block_goes_elsewhere_if_its_target_is_lost() {
    let (mut heap, block, grown, _) = grown_in(8 * SIZE);
    assert!(grown.is_some_and(|grown| grown != block));
    let lost = heap.grow_mut().lost[0];
    let lost = lost.start.addr().get()..lost.start.addr().get() + lost.bytes;
    // What is left of it serves, and nothing of what is lost.
    let mut taken = 0;
    while let Some(block) = heap.alloc(1000) {
        assert!(!lost.contains(&block.addr().get()));
        taken += 1000;
    }
    assert!(taken > 7 * SIZE / 2, "{taken}");
    assert_eq!(heap.check(), Ok(()));
}

#[test]
fn a_block_stays_if_its_target_is_lost_and_there_is_no_other() {
    let (mut heap, block, grown, [before, after]) = grown_in(4 * SIZE);
    assert_eq!((grown, before.active, before.allocated), (None, after.active, after.allocated));
    // SAFETY: a live block, not used again.
    assert_eq!(unsafe { heap.free(block) }, Ok(()));
    assert_eq!(heap.check(), Ok(()));
}

/// Has room for two blocks and little more, and moves pages or not.
struct Narrow {
    region: FixedRegion,
    moves: bool,
}

const ROOM: usize = 2 * SIZE + 400 * 1024;

// SAFETY: passes on what a sound one does; what is purged or moved away is zero.
unsafe impl HeapGrow for Narrow {
    fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
        let grown = self.region.grow(min, align)?;
        // SAFETY: nobody has it yet.
        unsafe { grown.span.start.write_bytes(0, grown.span.bytes) };
        Some(Grown { zeroed: true, ..grown })
    }

    unsafe fn purge(&mut self, span: Span) -> bool {
        // SAFETY: nothing lives there.
        unsafe { span.start.write_bytes(0, span.bytes) };
        true
    }

    unsafe fn move_pages(&mut self, from: Span, to: NonNull<u8>, _: bool) -> Moved {
        if !self.moves {
            // SAFETY: nothing lives there.
            unsafe { to.write_bytes(0xDD, from.bytes) };
            return Moved::No;
        }
        // SAFETY: likewise; the caller's, and disjoint.
        unsafe { to.copy_from_nonoverlapping(from.start, from.bytes) };
        // SAFETY: it was moved.
        unsafe { from.start.write_bytes(0, from.bytes) };
        Moved::Yes
    }

    fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        self.region.meta(bytes)
    }

    fn os_page(&self) -> usize {
        512
    }

    fn limit(&self) -> usize {
        ROOM
    }
}

#[test]
fn a_block_that_moves_counts_once() {
    for moves in [true, false] {
        let memory = std::vec![MaybeUninit::uninit(); 6 * SIZE].leak();
        let mut heap = TinyHeap::new(Narrow { region: FixedRegion::new(memory), moves });
        let [Some(block), Some(_)] = [SIZE, 2000].map(|size| heap.alloc(size)) else { panic!("there is memory") };
        // SAFETY: a live block of so many bytes.
        unsafe { block.write_bytes(0xA5, SIZE) };
        // SAFETY: likewise.
        let Ok(grown) = (unsafe { heap.realloc(block, 2 * SIZE) }) else { panic!("a live block") };
        assert_eq!((grown.is_some(), heap.check()), (moves, Ok(())));
        let now = grown.unwrap_or(block);
        // SAFETY: likewise; it was filled.
        let kept = unsafe { core::slice::from_raw_parts(now.as_ptr(), SIZE) };
        assert!(kept.iter().all(|&byte| byte == 0xA5), "moves: {moves}");
        assert!(heap.stats().held <= ROOM, "moves: {moves}, {} bytes", heap.stats().held);
        // SAFETY: live, and not used again.
        assert_eq!(unsafe { heap.free(now) }, Ok(()));
        // What was to serve and did not holds anything: it is zero again.
        let Some(clean) = heap.alloc_zeroed(2 * SIZE) else { panic!("there is room") };
        // SAFETY: a live block of so many bytes.
        assert!(unsafe { core::slice::from_raw_parts(clean.as_ptr(), 2 * SIZE) }.iter().all(|&byte| byte == 0));
    }
}
