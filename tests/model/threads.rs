//! Many owners, at random: threads that allocate, pass blocks on, free each other's, end
//! and begin again, on one `Shared` heap.

use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use fastrand::Rng;
use hmm_core::{GRANULE, MIN_ALIGN, Owner, Shared};
use parking_lot::RawMutex;

use crate::backends::Scattered;
use crate::owners::{self, NOBODY, on_misuse};
use crate::shadow::{Block, Ownership};
use crate::{PAGE, each_seed, size};

pub(crate) type Heap = Shared<Scattered, RawMutex>;

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
        self.owner = owners::attach_or_nobody(self.heap);
    }

    fn detach(&mut self) {
        let owner = std::mem::replace(&mut self.owner, &NOBODY);
        // SAFETY: this thread's own, replaced above.
        unsafe { owners::detach(self.heap, owner) };
    }

    fn alloc(&mut self) {
        let size = size(&mut self.rng, PAGE, 400_000);
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
        let wanted = size(&mut self.rng, PAGE, 400_000).max(1);
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

    fn free_one(&mut self) {
        if let Some(block) = self.pick() {
            self.free(block);
        }
    }

    fn pass_one_on(&mut self) {
        let to = self.rng.usize(..self.others.len());
        if let Some(block) = self.pick() {
            // A worker that has ended takes no more: free it here.
            if let Err(back) = self.others[to].send(block) {
                self.free(back.0);
            }
        }
    }

    /// What others passed on is freed, or kept for a while.
    fn receive(&mut self) {
        while let Ok(block) = self.inbox.try_recv() {
            if self.rng.bool() {
                self.free(block);
            } else {
                self.live.push(block);
            }
        }
    }

    /// The thread ends and another begins; in between it works without an owner, as late
    /// destructors do.
    fn end_and_begin(&mut self) {
        self.detach();
        self.alloc();
        self.free_one();
        self.attach();
    }

    /// Bounds that make everything free go back at once, or nothing.
    fn change_bound(&mut self) {
        let bounds = [None, Some(0), Some(0), Some(100_000), Some(4 << 20), Some(usize::MAX)];
        self.heap.keep_free(bounds[self.rng.usize(..bounds.len())]);
    }

    fn step(&mut self) {
        match self.rng.u32(..1000) {
            0..=449 => self.alloc(),
            450..=549 => {
                if let Some(block) = self.pick() {
                    self.realloc(block);
                }
            }
            550..=749 => self.pass_one_on(),
            750 => self.end_and_begin(),
            751 => self.change_bound(),
            // SAFETY: the owner is this thread's.
            752 if self.rng.u32(..4) == 0 => _ = unsafe { self.heap.trim(self.owner, 0) },
            753 => self.burst(),
            _ => self.free_one(),
        }
    }

    fn run(&mut self, steps: usize, most_live: usize) {
        self.attach();
        for _ in 0..steps {
            self.step();
            self.receive();
            while self.live.len() > most_live {
                self.free_one();
            }
        }
        self.others.clear();
        while !self.live.is_empty() {
            self.free_one();
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
    let owner = owners::attach(&heap);
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
