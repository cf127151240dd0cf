//! A heap for many threads, with up to four owners. One thread plays them all, in
//! the order that the input gives: what one operation leaves half done by
//! protocol (remote frees, slabs on their way) the next may find.

#![no_main]

use std::panic::{self, AssertUnwindSafe};
use std::ptr::NonNull;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use arbitrary::Arbitrary;
use hmm_core::{Limit, Misuse, Nobody, Owner, Shared};
use hmm_fuzz::{Blocks, Memory, Refusals, Size};
use libfuzzer_sys::fuzz_target;
use parking_lot::RawMutex;

const SHIFT: u32 = 12;
const CLASSES: usize = 44;
const MOST: usize = 1 << 19;

type Heap = Shared<Limit<Memory>, RawMutex, SHIFT, CLASSES>;

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Op {
    Alloc { who: u8, size: Size, count: u8 },
    Zeroed { who: u8, align: u8, size: Size },
    Aligned { who: u8, align: u8, size: Size },
    Free { who: u8, index: u16, stride: u8, count: u8 },
    FreeSized { who: u8, index: u16 },
    Realloc { who: u8, index: u16, align: u8, size: Size },
    Detach { who: u8 },
    Attach { who: u8 },
    Fork { who: u8 },
    Trim { who: u8, pad: u16 },
    KeepFree { bytes: Option<u16> },
    Limit { units: Option<u16> },
    Refuse { calls: u16 },
}

/// How an input may end: by something that must be found out.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum End {
    Well,
    Twice { first: u8, second: u8, index: u16 },
    Inside { who: u8, index: u16, offset: u16 },
    Foreign { who: u8 },
    WrongSize { who: u8, index: u16 },
}

#[derive(Arbitrary, Debug)]
struct Input {
    os_page: u8,
    ops: Vec<Op>,
    end: End,
}

/// What is thrown for a misuse that was found.
struct Found;

/// Whether the misuse is being done.
static MISUSE: AtomicBool = AtomicBool::new(false);

fn on_misuse(misuse: Misuse) -> ! {
    assert!(MISUSE.load(Relaxed), "of a live block: {misuse}");
    panic::resume_unwind(Box::new(Found))
}

struct Run {
    heap: Heap,
    nobody: Nobody<CLASSES>,
    owners: [Option<NonNull<Owner<CLASSES>>>; 4],
    blocks: Blocks,
    refusals: Refusals,
}

impl Run {
    fn new(os_page: usize) -> Self {
        let refusals = Refusals::default();
        let grow = Limit::new(Memory::new(os_page, refusals.clone()), usize::MAX);
        let heap = Heap::new(grow, on_misuse);
        Self { heap, nobody: Nobody::new(), owners: [None; 4], blocks: Blocks::default(), refusals }
    }

    fn owner(&self, who: u8) -> &Owner<CLASSES> {
        // SAFETY: owners are not unmapped before the heap is dropped.
        self.owners[usize::from(who) % 4].map_or(&*self.nobody, |owner| unsafe { owner.as_ref() })
    }

    fn enter(&mut self, start: *mut u8, size: usize, align: usize, zeroed: bool) {
        if let Some(start) = NonNull::new(start) {
            // SAFETY: owners are played by this thread, and the block is live; likewise below.
            let usable = unsafe { self.heap.usable_size(self.owner(0), start.as_ptr()) };
            self.blocks.enter(start, size, align, usable, zeroed);
        }
    }

    fn free(&mut self, who: u8, index: u16) {
        if let Some(block) = self.blocks.pick(index) {
            // SAFETY: the owner is this thread's as long as it plays it; the block is live
            // and forgotten.
            unsafe { self.heap.free(self.owner(who), block.start().as_ptr()) };
        }
    }

    fn realloc(&mut self, who: u8, index: u16, align: usize, size: usize) {
        let Some(old) = self.blocks.pick(index) else { return };
        let align = align.min(old.align());
        // SAFETY: as above; the old address is used only if it is the new one.
        let start = unsafe { self.heap.realloc(self.owner(who), old.start().as_ptr(), align, size) };
        match NonNull::new(start) {
            Some(start) => {
                // SAFETY: as above.
                let usable = unsafe { self.heap.usable_size(self.owner(0), start.as_ptr()) };
                self.blocks.reenter(old, start, size, align, usable);
            }
            None => {
                // SAFETY: as above.
                let usable = unsafe { self.heap.usable_size(self.owner(0), old.start().as_ptr()) };
                self.blocks.put_back(old, usable);
            }
        }
    }

    fn step(&mut self, op: Op) {
        let bytes = |size: Size| size.bytes(1 << SHIFT, MOST);
        let align = |align: u8| 8 << (align % 12);
        match op {
            Op::Alloc { who, size, count } => {
                let size = bytes(size);
                for _ in 0..=if size < 2048 { count } else { 0 } {
                    // SAFETY: as in `free`.
                    let fast = unsafe { self.heap.alloc_fast(self.owner(who), hmm_core::GRANULE, size) };
                    // SAFETY: likewise.
                    let start = fast.unwrap_or_else(|| unsafe { self.heap.alloc(self.owner(who), size) });
                    self.enter(start, size, 16, false);
                }
            }
            Op::Zeroed { who, align: exponent, size } => {
                let (align, size) = (align(exponent), bytes(size));
                // SAFETY: likewise.
                let start = unsafe { self.heap.alloc_zeroed(self.owner(who), align, size) };
                self.enter(start, size, align, true);
            }
            Op::Aligned { who, align: exponent, size } => {
                let (align, size) = (align(exponent), bytes(size));
                // SAFETY: likewise.
                let start = unsafe { self.heap.alloc_aligned(self.owner(who), align, size) };
                self.enter(start, size, align, false);
            }
            Op::Free { who, index, stride, count } => {
                for nth in 0..=u16::from(count) {
                    self.free(who, index.wrapping_add(nth.wrapping_mul(stride.into())));
                }
            }
            Op::FreeSized { who, index } => {
                if let Some(block) = self.blocks.pick(index) {
                    // SAFETY: likewise.
                    unsafe {
                        self.heap.free_sized(self.owner(who), block.start().as_ptr(), block.size(), block.align())
                    };
                }
            }
            Op::Realloc { who, index, align: exponent, size } => {
                self.realloc(who, index, align(exponent), bytes(size).max(1));
            }
            Op::Detach { who } => {
                if let Some(owner) = self.owners[usize::from(who) % 4].take() {
                    // SAFETY: it is not used again before it is attached.
                    unsafe { self.heap.detach(owner) };
                }
            }
            Op::Attach { who } => {
                let owner = &mut self.owners[usize::from(who) % 4];
                *owner = owner.or_else(|| self.heap.attach());
            }
            Op::Fork { who } => {
                let stays = self.owners[usize::from(who) % 4];
                // SAFETY: no other thread is there; the other owners are not used again.
                unsafe { self.heap.pool_others(self.owner(who)) };
                self.owners = [None; 4];
                self.owners[usize::from(who) % 4] = stays;
            }
            // SAFETY: as in `free`.
            Op::Trim { who, pad } => _ = unsafe { self.heap.trim(self.owner(who), pad.into()) },
            Op::KeepFree { bytes } => self.heap.keep_free(bytes.map(|units| usize::from(units) << 6)),
            Op::Limit { units } => {
                let bytes = units.map_or(usize::MAX, |units| usize::from(units) << 8);
                self.heap.with_grow(|grow| grow.set(bytes));
            }
            Op::Refuse { calls } => self.refusals.plan(calls.into()),
        }
    }

    fn check(&self) {
        self.heap.check().unwrap_or_else(|violation| panic!("{violation}"));
        let stats = self.heap.stats();
        assert_eq!(stats.blocks, self.blocks.count(), "blocks counted");
        assert!(stats.allocated <= stats.active && stats.active <= stats.mapped, "{stats:?}");
    }

    /// Does something that must not go unnoticed; `false` if there is no block to do it to.
    fn misuse(&mut self, end: End) -> bool {
        // SAFETY (of all of it): the heap must refuse, and nothing uses it any more then.
        match end {
            End::Well => return false,
            End::Twice { first, second, index } => {
                let Some(block) = self.blocks.look(index) else { return false };
                self.free(first, index);
                // Another owner's frees wait for the owner; it then finds both.
                // SAFETY: see above.
                unsafe { self.heap.free(self.owner(second), block.start().as_ptr()) };
            }
            End::Inside { who, index, offset } => {
                let Some(block) = self.blocks.look(index).filter(|block| block.size() > 1) else { return false };
                let inside = block.start().as_ptr().wrapping_add(1 + usize::from(offset) % (block.size() - 1));
                // SAFETY: see above.
                unsafe { self.heap.free(self.owner(who), inside) };
            }
            // SAFETY: see above.
            End::Foreign { who } => unsafe {
                self.heap.free(self.owner(who), std::ptr::from_ref(&self.refusals).cast_mut().cast())
            },
            End::WrongSize { who, index } => {
                let Some(block) = self.blocks.look(index) else { return false };
                // SAFETY: as above.
                let wrong = unsafe { self.heap.usable_size(self.owner(0), block.start().as_ptr()) } + 1;
                // SAFETY: see above.
                unsafe { self.heap.free_sized(self.owner(who), block.start().as_ptr(), wrong, 16) };
            }
        }
        true
    }

    fn end(mut self, end: End) {
        self.refusals.plan(0);
        self.heap.with_grow(|grow| grow.set(usize::MAX));
        MISUSE.store(true, Relaxed);
        let done = panic::catch_unwind(AssertUnwindSafe(|| self.misuse(end)));
        MISUSE.store(false, Relaxed);
        match done {
            Ok(false) => {}
            Ok(true) => panic!("not noticed: {end:?}"),
            Err(thrown) if thrown.is::<Found>() => return,
            Err(thrown) => panic::resume_unwind(thrown),
        }
        for who in 0..4 {
            self.step(Op::Attach { who });
        }
        while self.blocks.count() > 0 {
            self.free(0, 0);
        }
        self.check();
        for who in 0..4 {
            self.step(Op::Trim { who, pad: 0 });
            self.step(Op::Detach { who });
        }
        self.check();
        assert_eq!(self.heap.stats().blocks, 0);
    }
}

fuzz_target!(|input: Input| {
    let mut run = Run::new([256, 4096, 16384][usize::from(input.os_page) % 3]);
    // Whether the owners take their first blocks from one that they share.
    run.heap.lend_first([None, Some(3), Some(255)][usize::from(input.os_page) / 3 % 3]);
    for &op in &input.ops {
        run.step(op);
        run.check();
    }
    run.end(input.end);
});
