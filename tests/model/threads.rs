//! Many owners: threads that allocate, pass blocks on, free each other's, end
//! and begin again, on one `Shared` heap.

use std::ptr::{self, NonNull};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use fastrand::Rng;
use hmm_core::{GRANULE, Limit, MIN_ALIGN, Misuse, Nobody, Owner, Shared};
use parking_lot::RawMutex;

use crate::backends::Scattered;
use crate::shadow::{Block, Ownership};
use crate::{each_seed, size};

/// The owner of threads without one.
static NOBODY: Nobody = Nobody::new();

type Heap = Shared<Scattered, RawMutex>;

fn on_misuse(misuse: Misuse) -> ! {
    panic!("{misuse}")
}

/// One thread's part: its owner, its blocks, and the other threads.
struct Worker<'a> {
    heap: &'a Heap,
    owned: &'a Mutex<Ownership>,
    owner: &'a Owner,
    live: Vec<Block>,
    rng: Rng,
    inbox: Receiver<Block>,
    others: Vec<Sender<Block>>,
}

// SAFETY: a worker starts without an owner and gets one on its own thread.
unsafe impl Send for Worker<'_> {}

impl Worker<'_> {
    fn lock(&self) -> std::sync::MutexGuard<'_, Ownership> {
        self.owned.lock().expect("no other worker failed")
    }

    fn attach(&mut self) {
        // SAFETY: owners are never unmapped.
        self.owner = self.heap.attach().map_or(&NOBODY, |owner| unsafe { owner.as_ref() });
    }

    fn detach(&mut self) {
        let owner = std::mem::replace(&mut self.owner, &NOBODY);
        if !ptr::eq(owner, &raw const *NOBODY) {
            // SAFETY: this thread's own, replaced above.
            unsafe { self.heap.detach(owner.into()) };
        }
    }

    fn alloc(&mut self) {
        let size = size(&mut self.rng, 65_536, 400_000);
        let zeroed = self.rng.u32(..8) == 0;
        let align = match self.rng.u32(..16) {
            0 => 1 << self.rng.u32(..14),
            1..=5 => MIN_ALIGN,
            _ => GRANULE,
        };
        let start = if zeroed {
            // SAFETY: the owner is this thread's.
            unsafe { self.heap.alloc_zeroed(self.owner, align, size) }
        } else if align != GRANULE {
            // SAFETY: likewise.
            unsafe { self.heap.alloc_aligned(self.owner, align, size) }
        } else {
            // SAFETY: likewise.
            let quick = unsafe { self.heap.alloc_fast(self.owner, GRANULE, size) };
            // SAFETY: likewise.
            quick.unwrap_or_else(|| unsafe { self.heap.alloc(self.owner, size) })
        };
        let Some(start) = NonNull::new(start) else {
            return;
        };
        assert_eq!(start.as_ptr().addr() % align.max(MIN_ALIGN), 0);
        let block = Block { start, size, fill: self.rng.u64(..) };
        self.lock().take(start, size);
        if zeroed {
            block.assert_zero();
        }
        block.write();
        self.live.push(block);
    }

    fn free(&self, block: Block) {
        block.verify(block.size, block.size);
        self.lock().give(block.start);
        // SAFETY: the block is live and forgotten here.
        unsafe { self.heap.free(self.owner, block.start.as_ptr()) };
    }

    fn realloc(&mut self, block: Block) {
        let wanted = size(&mut self.rng, 65_536, 400_000).max(1);
        block.verify(block.size, block.size);
        self.lock().give(block.start);
        // SAFETY: the block is live; from here on it is where realloc says.
        let start = unsafe { self.heap.realloc(self.owner, block.start.as_ptr(), 1, wanted) };
        let now = match NonNull::new(start) {
            Some(start) => Block { start, size: wanted, ..block },
            None => block,
        };
        self.lock().take(now.start, now.size);
        now.verify(block.size, now.size.min(block.size));
        now.write();
        self.live.push(now);
    }

    fn pick(&mut self) -> Option<Block> {
        let index = self.rng.usize(..self.live.len().max(1));
        (!self.live.is_empty()).then(|| self.live.swap_remove(index))
    }

    /// Many small blocks come and most of them go, so that parts of slabs become
    /// free.
    fn burst(&mut self) {
        let from = self.live.len();
        for _ in 0..1500 {
            let size = 1 + self.rng.usize(..600);
            // SAFETY: the owner is this thread's.
            let Some(start) = NonNull::new(unsafe { self.heap.alloc(self.owner, size) }) else { break };
            let block = Block { start, size, fill: self.rng.u64(..) };
            self.lock().take(start, size);
            block.write();
            self.live.push(block);
        }
        while self.live.len() > from + 20 {
            let block = self.live.swap_remove(self.rng.usize(from..self.live.len()));
            self.free(block);
        }
    }

    fn run(&mut self, steps: usize, most_live: usize) {
        self.attach();
        for _ in 0..steps {
            match self.rng.u32(..1000) {
                0..=449 => self.alloc(),
                450..=549 => {
                    if let Some(block) = self.pick() {
                        self.realloc(block);
                    }
                }
                550..=749 => {
                    let to = self.rng.usize(..self.others.len());
                    if let Some(block) = self.pick() {
                        // A worker that has ended takes no more: free it here.
                        if let Err(back) = self.others[to].send(block) {
                            self.free(back.0);
                        }
                    }
                }
                750 => {
                    // The thread ends and another begins; in between it works
                    // without an owner, as late destructors do.
                    self.detach();
                    self.alloc();
                    if let Some(block) = self.pick() {
                        self.free(block);
                    }
                    self.attach();
                }
                751 => {
                    // Bounds that make everything free go back at once, or nothing.
                    let bounds = [None, Some(0), Some(0), Some(100_000), Some(4 << 20), Some(usize::MAX)];
                    self.heap.keep_free(bounds[self.rng.usize(..bounds.len())]);
                }
                // SAFETY: the owner is this thread's.
                752 if self.rng.u32(..4) == 0 => _ = unsafe { self.heap.trim(self.owner, 0) },
                753 => self.burst(),
                _ => {
                    if let Some(block) = self.pick() {
                        self.free(block);
                    }
                }
            }
            while let Ok(block) = self.inbox.try_recv() {
                if self.rng.bool() {
                    self.free(block);
                } else {
                    self.live.push(block);
                }
            }
            while self.live.len() > most_live {
                let block = self.pick().expect("there are many");
                self.free(block);
            }
        }
        self.others.clear();
        for block in std::mem::take(&mut self.live) {
            self.free(block);
        }
        while let Ok(block) = self.inbox.recv() {
            self.free(block);
        }
        self.detach();
    }
}

fn run(seed: u64, threads: usize, steps: usize) {
    let mut grow = Scattered::new(seed);
    grow.odd = seed % 2 == 0;
    // Pages of the system's: 4, 16 and 64 KiB.
    grow.os_page = 4096 << (2 * (seed / 2 % 3));
    let heap = Heap::new(grow, on_misuse);
    // The common owner serves nearly all, or only threads without an owner, or as usual.
    heap.lend_first([Some(64), Some(255), None][(seed % 3) as usize]);
    let owned = Mutex::new(Ownership::default());
    let (senders, inboxes): (Vec<_>, Vec<_>) = (0..threads).map(|_| channel()).unzip();
    std::thread::scope(|scope| {
        for (index, inbox) in inboxes.into_iter().enumerate() {
            let mut worker = Worker {
                heap: &heap,
                owned: &owned,
                owner: &NOBODY,
                live: Vec::new(),
                rng: Rng::with_seed(seed * 1000 + index as u64),
                inbox,
                others: senders.clone(),
            };
            scope.spawn(move || worker.run(steps, 200));
        }
        drop(senders);
    });
    heap.check().unwrap_or_else(|violation| panic!("{violation}"));
    let stats = heap.stats();
    assert_eq!(stats.blocks, 0, "{stats:?}");
    // SAFETY: owners are never unmapped.
    let owner = unsafe { heap.attach().expect("a pooled owner").as_ref() };
    // SAFETY: the owner is this thread's.
    unsafe { heap.trim(owner, 0) };
    heap.check().unwrap_or_else(|violation| panic!("{violation}"));
}

#[test]
fn two_threads() {
    each_seed(4, |seed| run(seed, 2, 20_000));
}

#[test]
fn eight_threads() {
    each_seed(4, |seed| run(seed, 8, 8_000));
}

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
    assert!(stats.active <= 2 * 65536, "{stats:?}");
}

/// Slabs that were emptied wait for their class, but not while another needs memory.
#[test]
fn what_one_class_left_serves_others() {
    let heap = Heap::new(Scattered::new(5), on_misuse);
    // SAFETY: owners are never unmapped.
    let owner = unsafe { heap.attach().expect("memory").as_ref() };
    let active_with = |size: usize| {
        // SAFETY: the owner is this thread's.
        let blocks: Vec<_> = (0..900_000 / size).map(|_| unsafe { heap.alloc(owner, size) }).collect();
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
        assert!(active <= first + 12 * 65_536, "{active} bytes with {size}, {first} before");
    }
}

/// The last block of a slab is taken and freed again, while frees that empty their bitmap words, and so are not
/// remembered, come in between: that the slab is empty then must be seen.
#[test]
fn a_block_that_is_freed_again_may_empty_its_slab() {
    const SIZE: usize = 512;
    const SLOTS: usize = 65_536 / SIZE;
    let heap = Heap::new(Scattered::new(7), on_misuse);
    // SAFETY: owners are never unmapped.
    let owner = unsafe { heap.attach().expect("memory").as_ref() };
    // SAFETY: the owner is this thread's.
    let take = |size: usize| unsafe { heap.alloc(owner, size) };
    // SAFETY: likewise, and the block is live.
    let free = |block: *mut u8| unsafe { heap.free(owner, block) };
    let blocks: Vec<_> = (0..6 * SLOTS).map(|_| take(SIZE)).collect();
    let page = |block: &*mut u8| block.addr() / 65_536;
    let slab: Vec<_> = blocks.iter().filter(|block| page(block) == page(&blocks[SLOTS])).copied().collect();
    assert_eq!(slab.len(), SLOTS);
    // Two words: of the first one two are left, of the second one.
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
    const BLOCKS: usize = 3 * 65_536 / MIN_ALIGN;
    let heap = Heap::new(Scattered::new(6), on_misuse);
    // SAFETY: owners are never unmapped.
    let [mine, other] = [0; 2].map(|_| unsafe { heap.attach().expect("memory").as_ref() });
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
    // SAFETY: owners are never unmapped.
    let owner = unsafe { heap.attach().expect("memory").as_ref() };
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

/// What the common owner laid out is free, and serves whoever needs the memory, also
/// a thread without an owner.
#[test]
fn what_lies_ready_goes_back_for_a_large_block() {
    const WANTED: usize = 4 << 20;
    let heap = Shared::<_, RawMutex>::new(Limit::new(Scattered::new(1), 6 << 20), on_misuse);
    heap.lend_first(Some(255));
    // SAFETY: owners are never unmapped.
    let owner = unsafe { heap.attach().expect("memory").as_ref() };
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
    // SAFETY: owners are never unmapped.
    let owner = unsafe { heap.attach().expect("memory").as_ref() };
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
