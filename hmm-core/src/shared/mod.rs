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
//! Each thread has an [`Owner`]: a heap as on the floor below. What it needs little of
//! it takes from one that all share ([`common`]). Only a slab's
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

mod common;
mod fork;
mod free;
mod hand_over;
mod kept;
mod life;
mod lock;
mod owner;
mod quiet;
mod remote;
mod seat;
mod sweep;

pub use lock::Lock;
pub use owner::{Nobody, Owner};

use crate::sync::Ordering::Relaxed;
use crate::sync::{AtomicPtr, AtomicUsize};
use core::cell::UnsafeCell;
use core::ptr;

use self::hand_over::HandOver;
use self::life::Registry;
use self::seat::Seat;
use crate::check::{self, Owners, Violation};
use crate::grow::HeapGrow;
use crate::heap::fast;
use crate::heap::{Ground, Supply, alloc, fit, refill, resize};
use crate::misuse::Misuse;
use crate::pages::Pages;
use crate::pages::map::PageMap;
use crate::stats::Stats;
use crate::units::{Class, GRANULE, Geometry, HOSTED_CLASSES, HOSTED_SHIFT};

/// What may lie free inside the slabs of a small owner, in bytes.
const SLACK: usize = 256 * 1024;

/// A heap for many threads, over any backend and any [`Lock`].
///
/// Stands in a `static`. The functions take the calling thread's [`Owner`],
/// which the caller keeps in thread-local memory; a [`Nobody`] before the thread
/// has one. `hmm-sys` shows all that a hosted system needs around it.
///
/// Misuse (double, interior, wild or foreign frees) ends in `on_misuse`, which
/// must not return.
#[derive(Debug)]
pub struct Shared<G: HeapGrow, L: Lock, const SHIFT: u32 = HOSTED_SHIFT, const C: usize = HOSTED_CLASSES> {
    map: PageMap<SHIFT>,
    on_misuse: fn(Misuse) -> !,
    hand_over: HandOver<C>,
    /// Guards `inner`.
    lock: L,
    inner: UnsafeCell<Inner<G, SHIFT, C>>,
    /// Bytes that may become free inside an owner's slabs before they are looked
    /// through.
    slack: AtomicUsize,
    /// Bytes that may have become free in slabs without an owner since the last
    /// sweep.
    strewn: AtomicUsize,
    /// Bytes that those slabs held then.
    listed: AtomicUsize,
    /// Bytes of their pages that held no memory.
    hollow: AtomicUsize,
    /// Owners (threads' heaps) made so far.
    heaps: AtomicUsize,
    /// Those that threads have now. Written under `lock`.
    threads: AtomicUsize,
    /// Blocks of a class that a thread takes from the common owner at first, if not as
    /// the rule says.
    lent: AtomicUsize,
    /// Guards the common owner. Taken before `lock`.
    common_lock: L,
    /// See [`common`].
    common: AtomicPtr<Owner<C>>,
}

/// What it takes to resize a block, as far as one look tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resize {
    /// Nothing: it stays where it is.
    Stays,
    /// A larger block: it holds so many bytes.
    Grows {
        /// Bytes.
        have: usize,
    },
    /// A closer look.
    Unknown,
}

/// What the lock guards.
#[derive(Debug)]
struct Inner<G, const SHIFT: u32, const C: usize> {
    pages: Pages<G, SHIFT>,
    registry: Registry<C>,
}

// SAFETY: `inner` is only reached under `lock` and the common owner under
// `common_lock`; everything else is atomic. An `Owner` is used by one thread at a
// time, which the callers of the unsafe functions promise.
unsafe impl<G: HeapGrow + Send, L: Lock + Sync, const SHIFT: u32, const C: usize> Sync for Shared<G, L, SHIFT, C> {}

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Shared<G, L, SHIFT, C> {
    /// An empty heap over `grow`. Takes no memory until the first block.
    pub const fn new(grow: G, on_misuse: fn(Misuse) -> !) -> Self {
        const { assert!(C == Geometry::<SHIFT>::CLASSES, "C must be the class count of SHIFT") };
        Self {
            map: PageMap::new(),
            on_misuse,
            hand_over: HandOver::new(),
            lock: L::NEW,
            inner: UnsafeCell::new(Inner { pages: Pages::new(grow), registry: Registry::new() }),
            slack: AtomicUsize::new(SLACK),
            strewn: AtomicUsize::new(0),
            listed: AtomicUsize::new(0),
            hollow: AtomicUsize::new(0),
            heaps: AtomicUsize::new(0),
            threads: AtomicUsize::new(0),
            lent: AtomicUsize::new(common::BY_RULE),
            common_lock: L::NEW,
            common: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Takes a block of at least `size` bytes the quick way; `None` if that
    /// would take more than a look at its class.
    ///
    /// # Safety
    ///
    /// `owner` is the calling thread's, or nobody.
    #[inline(always)]
    pub unsafe fn alloc_fast(&self, owner: &Owner<C>, size: usize) -> Option<*mut u8> {
        fast::alloc::<SHIFT, C, _>(&owner.local, size)
    }

    /// As [`alloc_fast`](Self::alloc_fast), of larger sizes, as far as slabs serve them.
    ///
    /// # Safety
    ///
    /// As [`alloc_fast`](Self::alloc_fast).
    #[inline(always)]
    pub unsafe fn alloc_beyond(&self, owner: &Owner<C>, size: usize) -> Option<*mut u8> {
        fast::alloc_beyond::<SHIFT, C, _>(&owner.local, size)
    }

    /// A block of at least `size` bytes, aligned to 16; null when memory has
    /// run out.
    ///
    /// # Safety
    ///
    /// `owner` is the calling thread's, or nobody.
    pub unsafe fn alloc(&self, owner: &Owner<C>, size: usize) -> *mut u8 {
        match fast::alloc_slot::<SHIFT, C, _>(&owner.local, size) {
            Some(p) => p,
            // SAFETY: the caller's promise.
            None => unsafe { self.alloc_slow(owner, size) },
        }
    }

    /// As [`alloc`](Self::alloc), the long way: for those who have tried the quick ones, or
    /// what is large.
    ///
    /// # Safety
    ///
    /// As [`alloc`](Self::alloc).
    #[inline(never)]
    pub unsafe fn alloc_slow(&self, owner: &Owner<C>, size: usize) -> *mut u8 {
        let at_hand = match size <= Geometry::<SHIFT>::SLAB_MAX {
            true => self.take_next(owner, Geometry::<SHIFT>::class_of(size)),
            false => self.take_kept(owner, size),
        };
        match at_hand {
            Some(p) => p,
            None => self.alloc_anew(owner, size),
        }
    }

    /// A block from another word of the owner's current slab of `class`.
    fn take_next(&self, owner: &Owner<C>, class: Class) -> Option<*mut u8> {
        owner.local.bin(class).current()?;
        let seat = Seat::take(self, owner)?;
        let taken = refill::take_next(&seat, class);
        self.rise(seat, owner);
        taken
    }

    /// A block of at least `size` bytes, where there is none at hand.
    #[cold]
    #[inline(never)]
    fn alloc_anew(&self, owner: &Owner<C>, size: usize) -> *mut u8 {
        self.borrow(owner, 1, size)
            .or_else(|| {
                let p = self.seated(owner, |seat| alloc::alloc(seat, size))?;
                if size > Geometry::<SHIFT>::SLAB_MAX && owner.is_at_rest() {
                    owner.kept.note_taken(p);
                }
                Some(p)
            })
            .unwrap_or(ptr::null_mut())
    }

    /// As [`alloc`](Self::alloc), at a multiple of `align`, a power of two.
    ///
    /// # Safety
    ///
    /// As [`alloc`](Self::alloc).
    pub unsafe fn alloc_aligned(&self, owner: &Owner<C>, align: usize, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { self.alloc_aligned_fast(owner, align, size) }
            .or_else(|| self.borrow(owner, align, size))
            .or_else(|| self.seated(owner, |seat| alloc::alloc_aligned(seat, align, size)))
            .unwrap_or(ptr::null_mut())
    }

    /// As [`alloc_fast`](Self::alloc_fast), at a multiple of `align`, a power of two, and
    /// of any size.
    ///
    /// # Safety
    ///
    /// As [`alloc_fast`](Self::alloc_fast).
    #[inline(always)]
    pub unsafe fn alloc_aligned_fast(&self, owner: &Owner<C>, align: usize, size: usize) -> Option<*mut u8> {
        fast::alloc_aligned::<SHIFT, C, _>(&owner.local, align, size)
    }

    /// As [`alloc_aligned`](Self::alloc_aligned), with the first `size` bytes
    /// zero.
    ///
    /// # Safety
    ///
    /// As [`alloc`](Self::alloc).
    pub unsafe fn alloc_zeroed(&self, owner: &Owner<C>, align: usize, size: usize) -> *mut u8 {
        if align <= GRANULE {
            if let Some(p) = fast::alloc::<SHIFT, C, _>(&owner.local, size) {
                // SAFETY: the block is ours and at least `size` bytes long.
                unsafe { p.write_bytes(0, size) };
                return p;
            }
        }
        if let Some(p) = self.borrow(owner, align, size) {
            // SAFETY: the block is ours and at least `size` bytes long.
            unsafe { alloc::clear(self, p, size) };
            return p;
        }
        self.seated(owner, |seat| alloc::alloc_zeroed(seat, align, size)).unwrap_or(ptr::null_mut())
    }

    /// Makes the block at `p` hold `size` bytes at a multiple of `align`, a
    /// power of two of which it is one already; returns where it is now. Null when
    /// memory has run out; the block is then as it was.
    ///
    /// # Safety
    ///
    /// As [`free`](Self::free); the old address is not used again if another
    /// is returned.
    pub unsafe fn realloc(&self, owner: &Owner<C>, p: *mut u8, align: usize, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        match unsafe { self.resize(owner, p, align, size) } {
            Resize::Stays => p,
            // SAFETY: likewise.
            Resize::Grows { have } => unsafe { self.grow(owner, p, have, size) },
            // SAFETY: likewise.
            Resize::Unknown => unsafe { self.realloc_any(owner, p, align, size) },
        }
    }

    /// [`realloc`](Self::realloc) of any block.
    ///
    /// # Safety
    ///
    /// As [`realloc`](Self::realloc).
    #[inline(never)]
    unsafe fn realloc_any(&self, owner: &Owner<C>, p: *mut u8, align: usize, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        if let Some(to) = unsafe { self.realloc_to_borrowed(owner, p, align, size) } {
            return to;
        }
        let resize = |seat: &Seat<'_, G, L, SHIFT, C>| {
            // SAFETY: the caller's promise.
            unsafe { resize::realloc(seat, p, align, size) }
        };
        let new = self.seated(owner, resize);
        new.map_or(ptr::null_mut(), |new| self.judge(new))
    }

    /// What resizing the block at `p` to `size` bytes takes: one look tells for the owner's small
    /// blocks, which most calls of `realloc` are about.
    ///
    /// # Safety
    ///
    /// As [`realloc`](Self::realloc).
    #[inline(always)]
    pub unsafe fn resize(&self, owner: &Owner<C>, p: *const u8, align: usize, size: usize) -> Resize {
        match fast::small::<SHIFT, C, _>(&owner.local, owner.token(), p) {
            Some(have) if align <= GRANULE && size > have => Resize::Grows { have },
            Some(have) if align <= GRANULE && fit::keeps(have, size) => Resize::Stays,
            _ => Resize::Unknown,
        }
    }

    /// [`realloc`](Self::realloc) of a block that [grows](Resize::Grows).
    ///
    /// # Safety
    ///
    /// As [`realloc`](Self::realloc); [`resize`](Self::resize) of the same block to `size` bytes has
    /// just told what it has.
    #[inline(always)]
    pub unsafe fn grow(&self, owner: &Owner<C>, p: *mut u8, have: usize, size: usize) -> *mut u8 {
        let roomy = fit::with_headroom::<SHIFT>(have, size, 1);
        let to = match fast::alloc::<SHIFT, C, _>(&owner.local, roomy) {
            Some(to) => to,
            // SAFETY: the owner is the calling thread's.
            None => unsafe { self.alloc(owner, roomy) },
        };
        if to.is_null() {
            // SAFETY: the caller's promise.
            return unsafe { self.realloc_any(owner, p, 1, size) };
        }
        // SAFETY: both blocks are the caller's, disjoint, and at least this
        // long.
        unsafe { to.copy_from_nonoverlapping(p, have) };
        // SAFETY: the caller gives the old block up.
        unsafe { self.free(owner, p) };
        to
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
    pub unsafe fn trim(&self, owner: &Owner<C>, pad: usize) -> bool {
        let before = self.with_pages(|pages| pages.gone());
        if let Some(seat) = Seat::take(self, owner) {
            seat.reclaim();
        }
        let trim = |pages: &mut Pages<G, SHIFT>| pages.trim(&self.map, pad) || before != Some(pages.gone());
        self.with_pages(trim).unwrap_or(false)
    }

    /// Bounds what the heap holds without using it to `bytes`, and, inside the
    /// slabs of each owner, to an eighth of that; with `None`, to the rule of
    /// `docs/design.md` again, by which it begins.
    pub fn keep_free(&self, bytes: Option<usize>) {
        self.slack.store(bytes.map_or(SLACK, |bytes| SLACK.min(bytes / 8)), Relaxed);
        self.with_inner(|inner| inner.pages.keep_free(&self.map, bytes));
    }

    /// Lets each thread share its first `blocks` blocks of a size with others, before it
    /// takes a slab of its own: that saves memory where many threads do little, and time
    /// where few do much. With `None`, as at first, 8 for each thread beyond the 16th, up
    /// to 64.
    pub fn lend_first(&self, blocks: Option<u8>) {
        self.lent.store(blocks.map_or(common::BY_RULE, usize::from), Relaxed);
    }

    /// What the heap holds, by a walk over it; exact while no thread
    /// allocates or frees.
    pub fn stats(&self) -> Stats {
        let heaps = self.heaps.load(Relaxed);
        let collect = |inner: &mut Inner<_, SHIFT, C>| Stats::collect(&self.map, &mut inner.pages);
        self.with_inner(collect).map_or_else(Stats::default, |stats| Stats { heaps, ..stats })
    }

    /// Walks the heap and asserts the invariants of `docs/design.md`.
    ///
    /// # Errors
    ///
    /// The first one that does not hold. Meant for quiet moments: what other
    /// threads do meanwhile may look like a violation.
    pub fn check(&self) -> Result<(), Violation> {
        let pages = |inner: &mut Inner<_, SHIFT, C>| {
            check::runs(&self.map, &inner.pages, Owners::Rest)?;
            check::slabs(&self.map)
        };
        self.with_inner(pages).unwrap_or(Ok(()))?;
        let owners = self.with_inner(|inner| inner.registry.iter());
        // What a fork found torn is left alone for good, and may be in any state.
        for owner in owners.into_iter().flatten().filter(|owner| !owner.is_torn()) {
            check::owner(&Seat::watching(self, owner))?;
        }
        self.check_hand_over()?;
        self.check_remote()
    }

    /// Runs `f` on the backend, under the lock; `None`, and `f` is not run, in a
    /// signal handler that interrupted the holder of the lock.
    pub fn with_grow<R>(&self, f: impl FnOnce(&mut G) -> R) -> Option<R> {
        self.with_inner(|inner| f(inner.pages.grow()))
    }

    /// Runs `f` on the run layer for `owner`, whose lists are being changed, but
    /// whole at this moment.
    fn with_pages_for<R>(&self, owner: &Owner<C>, f: impl FnOnce(&mut Pages<G, SHIFT>) -> R) -> Option<R> {
        owner.set_waiting(true);
        let result = self.with_inner(|inner| {
            owner.set_waiting(false);
            f(&mut inner.pages)
        });
        owner.set_waiting(false);
        result
    }

    fn with_inner<R>(&self, f: impl FnOnce(&mut Inner<G, SHIFT, C>) -> R) -> Option<R> {
        if !self.lock.lock() {
            return None;
        }
        // SAFETY: the lock is held, and no `f` of this crate takes it again.
        let inner = unsafe { &mut *self.inner.get() };
        let result = f(inner);
        let seen = check::look(|| check::runs(&self.map, &inner.pages, Owners::Work));
        // SAFETY: it was taken above. (Nothing unwinds in this crate.)
        unsafe { self.lock.unlock() };
        check::assert(seen);
        Some(result)
    }

    /// Passes on what went well; ends the program over what did not.
    fn judge<R>(&self, result: Result<R, Misuse>) -> R {
        match result {
            Ok(result) => result,
            Err(misuse) => (self.on_misuse)(misuse),
        }
    }
}
