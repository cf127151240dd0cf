//! A small heap with everything around it, at the same place every time.

use std::array;
use std::cell::{Cell, RefCell, UnsafeCell};
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::{self, NonNull};

use hmm_core_twin::{Misuse, Nobody, Owner, Shared};
use hmm_twins::{touch, vanish_after};

use crate::backend::{Door, Zeroed};

/// Threads, and one more who sets up.
pub(crate) const THREADS: usize = 4;

/// Misuse that was found where it was looked for.
struct Found;

thread_local! {
    static LOOKED_FOR: Cell<bool> = const { Cell::new(false) };
}

fn on_misuse(misuse: Misuse) -> ! {
    assert!(LOOKED_FOR.get(), "{misuse}");
    resume_unwind(Box::new(Found))
}

/// The largest page's worth of memory.
#[derive(Clone, Copy)]
#[repr(align(65536))]
struct Frame(#[allow(dead_code, reason = "a place")] [MaybeUninit<u8>; 1 << 16]);

/// Bytes of a medium block where pages are of 16 KiB: a slab of two has four slots.
pub(crate) const MEDIUM: usize = 8192;

/// How many frames a heap with pages of `1 << shift` bytes gets.
const fn frames(shift: u32) -> usize {
    if shift < 12 { 6 } else { 16 }
}

/// What one thread has.
struct Desk<const C: usize> {
    owner: Cell<Option<NonNull<Owner<C>>>>,
    /// Its live blocks, the last one allocated last.
    blocks: RefCell<Vec<*mut u8>>,
}

/// The heap under test, with pages of `1 << SHIFT` bytes, and its threads' desks.
pub(crate) struct World<const SHIFT: u32, const C: usize> {
    memory: *mut Frame,
    heap: Box<UnsafeCell<Shared<Zeroed, Door, SHIFT, C>>>,
    nobody: Nobody<C>,
    desks: [Desk<C>; THREADS],
    told: Cell<usize>,
}

// SAFETY: loom's threads take turns on one. Each keeps to its own desk.
unsafe impl<const SHIFT: u32, const C: usize> Send for World<SHIFT, C> {}
// SAFETY: likewise.
unsafe impl<const SHIFT: u32, const C: usize> Sync for World<SHIFT, C> {}

impl<const SHIFT: u32, const C: usize> World<SHIFT, C> {
    /// A heap without memory, to be made anew.
    pub(crate) fn new() -> Self {
        // SAFETY: there are no bytes.
        let nowhere = unsafe { Zeroed::new(ptr::dangling_mut(), 0) };
        Self {
            memory: vec![Frame([MaybeUninit::uninit(); 1 << 16]); frames(SHIFT)].leak().as_mut_ptr(),
            heap: Box::new(UnsafeCell::new(Shared::new(nowhere, on_misuse))),
            nobody: Nobody::new(),
            desks: array::from_fn(|_| Desk { owner: Cell::new(None), blocks: RefCell::default() }),
            told: Cell::new(0),
        }
    }

    /// Makes the heap anew, with owners for the first `owners` threads.
    pub(crate) fn renew(&self, owners: usize) {
        // The backend zeroes tables when it hands them out, but their words have twins by
        // then.
        // SAFETY: it is ours, and the heap that used it until now is about to go.
        unsafe { self.memory.write_bytes(0, frames(SHIFT)) };
        // SAFETY: likewise; the memory stays.
        let region = unsafe { Zeroed::new(self.memory.cast(), frames(SHIFT) * size_of::<Frame>()) };
        // SAFETY: no thread of the model runs; the old heap needs no drop.
        unsafe { self.heap.get().write(Shared::new(region, on_misuse)) };
        // Each thread's slabs are its own, but where the common owner is what is tested.
        self.heap().lend_first(Some(0));
        self.told.set(0);
        for desk in &self.desks {
            desk.owner.set(None);
            desk.blocks.take();
        }
        (0..owners).for_each(|who| self.attach(who));
    }

    pub(crate) fn heap(&self) -> &Shared<Zeroed, Door, SHIFT, C> {
        // SAFETY: it is written while no thread of the model runs.
        unsafe { &*self.heap.get() }
    }

    fn owner(&self, who: usize) -> &Owner<C> {
        // SAFETY: owners stay in the world's memory.
        self.desks[who].owner.get().map_or(&*self.nobody, |owner| unsafe { owner.as_ref() })
    }

    /// Gives thread `who` an owner.
    pub(crate) fn attach(&self, who: usize) {
        let owner = self.heap().attach();
        self.desks[who].owner.set(Some(owner.expect("there is memory for an owner")));
    }

    /// Takes the owner of thread `who` away, if it has one.
    pub(crate) fn detach(&self, who: usize) {
        if let Some(owner) = self.desks[who].owner.take() {
            // SAFETY: the desk names it no more.
            unsafe { self.heap().detach(owner) };
        }
    }

    /// Thread `who` takes a block.
    pub(crate) fn alloc(&self, who: usize, size: usize) {
        // SAFETY: the owner is the thread's.
        let block = unsafe { self.heap().alloc(self.owner(who), size) };
        self.use_new(who, block);
    }

    /// Thread `who` takes a block that is zero.
    pub(crate) fn alloc_zeroed(&self, who: usize, size: usize) {
        // SAFETY: the owner is the thread's.
        let block = unsafe { self.heap().alloc_zeroed(self.owner(who), 1, size) };
        // SAFETY: it is ours.
        assert_eq!(unsafe { block.read() }, 0, "a zeroed block");
        self.use_new(who, block);
    }

    /// Thread `who` makes its block `index` longer, which stays where it is.
    pub(crate) fn grow(&self, who: usize, index: usize, size: usize) {
        let block = self.desks[who].blocks.borrow()[index];
        touch(block);
        // SAFETY: it is live.
        assert_eq!(unsafe { self.heap().realloc(self.owner(who), block, 1, size) }, block);
    }

    /// Thread `who` resizes its block `index`, which another one frees.
    pub(crate) fn resize_in_vain(&self, who: usize, index: usize, size: usize) {
        let block = self.desks[who].blocks.borrow_mut().remove(index);
        // SAFETY: it is live, or the heap finds out.
        self.notice(|| _ = unsafe { self.heap().realloc(self.owner(who), block, 1, size) });
    }

    fn use_new(&self, who: usize, block: *mut u8) {
        assert!(!block.is_null(), "there is memory");
        touch(block);
        // SAFETY: it is ours.
        unsafe { block.write(0xA5) };
        self.desks[who].blocks.borrow_mut().push(block);
    }

    /// Thread `who` takes `count` blocks.
    pub(crate) fn alloc_many(&self, who: usize, size: usize, count: usize) {
        (0..count).for_each(|_| self.alloc(who, size));
    }

    /// Thread `who`, which has no block yet, takes all slots of a slab of several pages.
    pub(crate) fn fill_medium(&self, who: usize) {
        self.alloc_many(who, MEDIUM, 4);
        let blocks = self.desks[who].blocks.borrow();
        let (low, high) = (blocks.iter().min(), blocks.iter().max());
        let span = low.zip(high).map_or(0, |(low, high)| high.addr() - low.addr());
        assert!(span == 3 * MEDIUM && span >= 1 << SHIFT, "one slab, of several pages");
    }

    /// Moves a live block of `from` to `to`, while no model runs.
    pub(crate) fn pass(&self, from: usize, index: usize, to: usize) {
        let block = self.desks[from].blocks.borrow_mut().remove(index);
        self.desks[to].blocks.borrow_mut().push(block);
    }

    /// Lets `to` have block `index` of `from` as well, while no model runs.
    pub(crate) fn pass_twice(&self, from: usize, index: usize, to: usize) {
        let block = self.desks[from].blocks.borrow()[index];
        self.desks[to].blocks.borrow_mut().push(block);
    }

    /// Thread `who` frees its block `index`.
    pub(crate) fn free(&self, who: usize, index: usize) {
        let block = self.desks[who].blocks.borrow_mut().remove(index);
        touch(block);
        // SAFETY: it is live, but where misuse is looked for.
        unsafe { self.heap().free(self.owner(who), block) };
    }

    /// As `free`, but the thread vanishes after so many changes, as if by a jump.
    pub(crate) fn free_and_vanish(&self, who: usize, index: usize, changes: usize) {
        vanish_after(changes, || self.free(who, index));
    }

    /// As `free`, of a block that another thread frees as well.
    pub(crate) fn free_twice(&self, who: usize, index: usize) {
        let block = self.desks[who].blocks.borrow_mut().remove(index);
        // SAFETY: the heap finds out.
        self.notice(|| unsafe { self.heap().free(self.owner(who), block) });
    }

    /// Counts misuse that is found meanwhile.
    pub(crate) fn notice(&self, act: impl FnOnce()) {
        LOOKED_FOR.set(true);
        match catch_unwind(AssertUnwindSafe(act)) {
            Err(other) if !other.is::<Found>() => resume_unwind(other),
            ended => self.told.set(self.told.get() + usize::from(ended.is_err())),
        }
    }

    /// How often misuse was found.
    pub(crate) fn told(&self) -> usize {
        LOOKED_FOR.set(false);
        self.told.get()
    }

    /// Gives free memory back.
    pub(crate) fn trim(&self, who: usize) {
        // SAFETY: the owner is the thread's.
        unsafe { self.heap().trim(self.owner(who), 0) };
    }

    /// Asserts that no block was lost or handed out twice, in a quiet moment; frees all.
    pub(crate) fn assert_counted(&self) {
        let mut live: Vec<_> = self.desks.iter().flat_map(|desk| desk.blocks.borrow().clone()).collect();
        assert_eq!(self.heap().check(), Ok(()));
        assert_eq!(self.heap().stats().blocks, live.len(), "live blocks");
        live.sort_unstable();
        live.dedup();
        assert_eq!(self.heap().stats().blocks, live.len(), "no block has two owners");
        for who in 0..THREADS {
            while !self.desks[who].blocks.borrow().is_empty() {
                self.free(who, 0);
            }
        }
        assert_eq!(self.heap().check(), Ok(()));
        assert_eq!(self.heap().stats().blocks, 0);
    }

    /// As `assert_counted`, and that no slab is out of reach; takes all owners away.
    pub(crate) fn assert_whole(&self) {
        self.assert_counted();
        for who in 0..THREADS {
            self.trim(who);
            self.detach(who);
        }
        self.attach(0);
        self.trim(0);
        assert_eq!(self.heap().check(), Ok(()));
        assert_eq!(self.heap().stats().active, 0, "slabs that nobody can reach");
    }
}
