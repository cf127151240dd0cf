//! Floor 5, **shared**: many owners on the same pages.
//!
//! ```text
//!   thread A ──► Owner A ── slabs of A ◄── remote frees ── thread B ──► Owner B
//!                              │ full
//!                              ▼ enough was freed by others
//!                        hand-over list of the class ──► whoever needs a slab
//!   ended threads' owners ──► pool ──► new threads
//! ```
//!
//! Each thread has an [`Owner`]: a heap as on the floor below. Only a slab's
//! owner touches its local bits; everybody else frees into the remote ones.
//! The life of a slab, as its owner word tells it:
//!
//! ```text
//!             refill                  no free slot left
//!   (fresh) ────────► token (in use) ───────────────────► token | FULL
//!                       ▲   ▲  owner frees one of its slots   │   │
//!                       │   └──────────────── CAS ────────────┘   │ CAS, by who
//!                       │ adopt                                   ▼ freed enough
//!                       └──────────────────────────────────── LISTED
//! ```

mod fork;
mod hand_over;
mod life;
mod lock;
mod owner;
mod remote;
mod seat;

pub use lock::Lock;
pub use owner::Owner;

use core::cell::UnsafeCell;
use core::ptr::{self, NonNull};
use core::sync::atomic::AtomicPtr;

use self::hand_over::HandOver;
use self::life::Registry;
use self::seat::Seat;
use crate::check::{self, Violation};
use crate::grow::HeapGrow;
use crate::heap::fast::{self, Freed};
use crate::heap::{Supply, alloc, free, resize};
use crate::misuse::Misuse;
use crate::pages::Pages;
use crate::pages::map::PageMap;
use crate::slab::{Block, locate};
use crate::stats::Stats;
use crate::units::{Geometry, HOSTED_CLASSES, HOSTED_SHIFT};

/// A heap for many threads, over any backend and any [`Lock`].
///
/// Stands in a `static`. The functions take the calling thread's [`Owner`],
/// which the caller keeps in thread-local memory: null before the thread has
/// one. `hmm-sys` shows all that a hosted system needs around it.
///
/// Misuse (double, interior, wild or foreign frees) ends in `on_misuse`, which
/// must not return.
#[derive(Debug)]
pub struct Shared<G: HeapGrow, L: Lock, const SHIFT: u32 = HOSTED_SHIFT, const C: usize = HOSTED_CLASSES> {
    map: PageMap<SHIFT>,
    on_misuse: fn(Misuse) -> !,
    hand_over: [HandOver; C],
    /// Guards `inner`.
    lock: L,
    inner: UnsafeCell<Inner<G, SHIFT, C>>,
    /// Guards the late owner. Taken before `lock`.
    late_lock: L,
    /// Serves threads that have no owner of their own.
    late: AtomicPtr<Owner<C>>,
    /// What the word of a thread that gave its owner up points to: an owner
    /// that never has a free slot.
    done: AtomicPtr<Owner<C>>,
}

/// What the lock guards.
#[derive(Debug)]
struct Inner<G, const SHIFT: u32, const C: usize> {
    pages: Pages<G, SHIFT>,
    registry: Registry<C>,
}

// SAFETY: `inner` is only reached under `lock` and the late owner under
// `late_lock`; everything else is atomic. An `Owner` is used by one thread at a
// time, which the callers of the unsafe functions promise.
unsafe impl<G: HeapGrow + Send, L: Lock + Sync, const SHIFT: u32, const C: usize> Sync for Shared<G, L, SHIFT, C> {}

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Shared<G, L, SHIFT, C> {
    /// An empty heap over `grow`. Takes no memory until the first block.
    pub const fn new(grow: G, on_misuse: fn(Misuse) -> !) -> Self {
        const { assert!(C == Geometry::<SHIFT>::CLASSES, "C must be the class count of SHIFT") };
        Self {
            map: PageMap::new(),
            on_misuse,
            hand_over: [const { HandOver::new() }; C],
            lock: L::NEW,
            inner: UnsafeCell::new(Inner { pages: Pages::new(grow), registry: Registry::new() }),
            late_lock: L::NEW,
            late: AtomicPtr::new(ptr::null_mut()),
            done: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Takes a block of at least `size` bytes the quick way; `None` if that
    /// would take more than the current word of its class.
    ///
    /// # Safety
    ///
    /// `owner` is the calling thread's, or null.
    #[inline(always)]
    pub unsafe fn alloc_fast(&self, owner: *const Owner<C>, size: usize) -> Option<*mut u8> {
        // SAFETY: the caller's promise; owners are never unmapped.
        let owner = unsafe { owner.as_ref() }?;
        fast::alloc::<SHIFT, C>(&owner.local, size)
    }

    /// A block of at least `size` bytes, aligned to 16; null when memory has
    /// run out.
    ///
    /// # Safety
    ///
    /// `owner` is the calling thread's, or null.
    pub unsafe fn alloc(&self, owner: *const Owner<C>, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { self.seated(owner, |seat| alloc::alloc(seat, size)) }.unwrap_or(ptr::null_mut())
    }

    /// As [`alloc`](Self::alloc), at a multiple of `align`, a power of two.
    ///
    /// # Safety
    ///
    /// As [`alloc`](Self::alloc).
    pub unsafe fn alloc_aligned(&self, owner: *const Owner<C>, align: usize, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { self.seated(owner, |seat| alloc::alloc_aligned(seat, align, size)) }.unwrap_or(ptr::null_mut())
    }

    /// As [`alloc_aligned`](Self::alloc_aligned), with the first `size` bytes
    /// zero.
    ///
    /// # Safety
    ///
    /// As [`alloc`](Self::alloc).
    pub unsafe fn alloc_zeroed(&self, owner: *const Owner<C>, align: usize, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { self.seated(owner, |seat| alloc::alloc_zeroed(seat, align, size)) }.unwrap_or(ptr::null_mut())
    }

    /// Frees the block at `p`; null is fine, and costs the fast path nothing.
    /// Needs no owner: a thread may free before it has one and after it gave
    /// it up.
    ///
    /// # Safety
    ///
    /// `owner` is the calling thread's, or null. If `p` is a live block,
    /// nothing uses it any more.
    #[inline(always)]
    pub unsafe fn free(&self, owner: *const Owner<C>, p: *mut u8) {
        match fast::free::<SHIFT, C>(&self.map, owner.cast(), owner.addr(), p) {
            Freed::Done => {}
            // SAFETY: the slab is this owner's, so there is one.
            Freed::MaybeEmpty => unsafe { self.maybe_emptied(owner, p) },
            // SAFETY: the caller's promise.
            Freed::NotHere => unsafe { self.free_slow(owner, p) },
        }
    }

    #[cold]
    #[inline(never)]
    unsafe fn maybe_emptied(&self, owner: *const Owner<C>, p: *mut u8) {
        // SAFETY: the caller's promise.
        let Some(seat) = (unsafe { Seat::take(self, owner) }) else { return };
        if let Ok(Block::Slot(slot)) = locate(&self.map, p) {
            free::emptied(&seat, slot.page, slot.header);
        }
    }

    #[cold]
    #[inline(never)]
    unsafe fn free_slow(&self, owner: *const Owner<C>, p: *mut u8) {
        if p.is_null() {
            return;
        }
        // SAFETY: the caller's promise.
        let freed = match unsafe { Seat::take(self, owner) } {
            Some(seat) => free::free(&seat, p),
            None => free::unless_slot(self, p).and_then(|slot| match slot {
                Some(slot) => self.free_remote(&slot),
                None => Ok(()),
            }),
        };
        self.judge(freed);
    }

    /// Checks that the block at `p` may be freed as one of `size` bytes and
    /// alignment `align`, a power of two.
    pub fn check_sized(&self, p: *mut u8, size: usize, align: usize) {
        self.judge(free::check_sized(self, p, size, align));
    }

    /// Makes the block at `p` hold `size` bytes at a multiple of `align`, a
    /// power of two; returns where it is now. Null when memory has run out;
    /// the block is then as it was.
    ///
    /// # Safety
    ///
    /// As [`free`](Self::free); the old address is not used again if another
    /// is returned.
    pub unsafe fn realloc(&self, owner: *const Owner<C>, p: *mut u8, align: usize, size: usize) -> *mut u8 {
        let resize = |seat: &Seat<'_, G, L, SHIFT, C>| {
            // SAFETY: the caller's promise.
            unsafe { resize::realloc(seat, p, align, size) }
        };
        // SAFETY: the caller's promise.
        let new = unsafe { self.seated(owner, resize) };
        new.map_or(ptr::null_mut(), |new| self.judge(new))
    }

    /// The bytes that the block at `p` holds.
    pub fn usable_size(&self, p: *const u8) -> usize {
        self.judge(resize::usable_size(self, p))
    }

    /// Gives all free memory back to the backend but `pad` bytes at the top.
    /// Says whether any went back.
    ///
    /// # Safety
    ///
    /// As [`alloc`](Self::alloc).
    pub unsafe fn trim(&self, owner: *const Owner<C>, pad: usize) -> bool {
        // SAFETY: the caller's promise.
        if let Some(seat) = unsafe { Seat::take(self, owner) } {
            seat.reclaim();
        }
        self.with_inner(|inner| inner.pages.trim(&self.map, pad)).unwrap_or(false)
    }

    /// What the heap holds, by a walk over it; exact while no thread
    /// allocates or frees.
    pub fn stats(&self) -> Stats {
        self.with_inner(|inner| {
            let heaps = inner.registry.count();
            Stats { heaps, ..Stats::collect(&self.map, &inner.pages) }
        })
        .unwrap_or_default()
    }

    /// Walks the heap and asserts the invariants of `docs/design.md`.
    ///
    /// # Errors
    ///
    /// The first one that does not hold. Meant for quiet moments: what other
    /// threads do meanwhile may look like a violation.
    pub fn check(&self) -> Result<(), Violation> {
        self.with_inner(|inner| check::pages(&self.map, &inner.pages)).unwrap_or(Ok(()))?;
        let mut next = self.with_inner(|inner| inner.registry.first()).flatten();
        while let Some(owner) = next {
            // SAFETY: owners are never unmapped; what is read of them are
            // atomics.
            let owner = unsafe { owner.as_ref() };
            check::owner(&Seat::watching(self, owner))?;
            next = owner.next();
        }
        self.check_hand_over()
    }

    /// Runs `f` on the backend, under the lock; `None`, and `f` is not run, in a
    /// signal handler that interrupted the holder of the lock.
    pub fn with_grow<R>(&self, f: impl FnOnce(&mut G) -> R) -> Option<R> {
        self.with_inner(|inner| f(inner.pages.grow()))
    }

    fn with_inner<R>(&self, f: impl FnOnce(&mut Inner<G, SHIFT, C>) -> R) -> Option<R> {
        if !self.lock.lock() {
            return None;
        }
        // SAFETY: the lock is held, and no `f` of this crate takes it again.
        let result = f(unsafe { &mut *self.inner.get() });
        // SAFETY: it was taken above. (Nothing unwinds in this crate.)
        unsafe { self.lock.unlock() };
        Some(result)
    }

    /// Runs `f` for the calling thread's owner, or under a lock for the late
    /// owner if the thread has none it may use now. `None` if there is no
    /// memory for that one either, or this is a signal handler that interrupted
    /// its use.
    ///
    /// # Safety
    ///
    /// `owner` is the calling thread's, or null.
    unsafe fn seated<R>(&self, owner: *const Owner<C>, f: impl FnOnce(&Seat<'_, G, L, SHIFT, C>) -> R) -> Option<R> {
        // SAFETY: the caller's promise.
        if let Some(seat) = unsafe { Seat::take(self, owner) } {
            return Some(f(&seat));
        }
        if !self.late_lock.lock() {
            return None;
        }
        let result = self.late_owner().and_then(|late: NonNull<Owner<C>>| {
            // SAFETY: `late_lock` is held, so this thread is its only user.
            let seat = unsafe { Seat::take(self, late.as_ptr()) };
            seat.map(|seat| f(&seat))
        });
        // SAFETY: it was taken above.
        unsafe { self.late_lock.unlock() };
        result
    }

    /// Passes on what went well; ends the program over what did not.
    fn judge<R>(&self, result: Result<R, Misuse>) -> R {
        match result {
            Ok(result) => result,
            Err(misuse) => (self.on_misuse)(misuse),
        }
    }
}
