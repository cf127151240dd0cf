//! Floor 6, **shared**: many owners on the same pages.
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
//!
//! In the order to read them:
//!
//! ```text
//!   lock                     what guards the floors below
//!   kept, hand_over          large blocks that wait; slabs that nobody owns
//!   owner                    a thread's heap
//!   remote, sweep, shelf     what others freed; what nobody owns; what lies ready for all
//!   seat, tidy               an owner at work; what it may have free
//!   alloc, free              where a block is sought, and where it goes
//!   large, resize            the same of whole pages; a block is wanted longer or shorter
//!   common                   what many threads have together
//!   life, fork, unfinished   threads come and go; processes double; threads vanish
//!   validator                what is asserted of many owners together
//! ```

mod alloc;
mod common;
mod fork;
mod free;
mod hand_over;
mod kept;
mod large;
mod life;
mod lock;
mod owner;
mod remote;
mod resize;
mod seat;
mod shelf;
mod sweep;
#[cfg(test)]
mod tests;
mod tidy;
mod unfinished;
mod validator;

pub use lock::Lock;
pub use owner::{Nobody, Owner};

use crate::sync::Ordering::Relaxed;
use crate::sync::{AtomicPtr, AtomicUsize};
use core::cell::UnsafeCell;
use core::ptr;

use self::hand_over::HandOver;
use self::life::Registry;
use self::seat::Seat;
use self::shelf::Shelf;
use crate::check::{self, Owners, Violation};
use crate::grow::{HeapGrow, Span};
use crate::heap::{Ground, Supply};
use crate::misuse::Misuse;
use crate::pages::Pages;
use crate::pages::map::PageMap;
use crate::stats::Stats;
use crate::units::{Geometry, HOSTED_CLASSES, HOSTED_SHIFT};

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
    /// How many must be before there is the next one.
    least_strewn: AtomicUsize,
    /// What threads without an owner strewed of that, before they say so.
    strewn_by_nobody: AtomicUsize,
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
    /// Whether threads may have vanished: see [`unfinished`].
    vanishing: AtomicUsize,
    /// Guards the common owner. Taken before `lock`.
    common_lock: L,
    /// See [`common`].
    common: AtomicPtr<Owner<C>>,
    /// Blocks of its that lie ready, by class.
    shelves: [Shelf; C],
}

/// What the lock guards.
#[derive(Debug)]
struct Inner<G, const SHIFT: u32, const C: usize> {
    pages: Pages<G, SHIFT>,
    registry: Registry<C>,
}

// SAFETY: `inner` is only reached under `lock` and the common owner under
// `common_lock`; everything else is atomic. An `Owner` is used by one thread at a
// time, which the callers of the unsafe functions promise; what the validator and those who
// hand something to an owner read of it, or write, is atomic, too.
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
            least_strewn: AtomicUsize::new(sweep::LEAST_STREWN),
            strewn_by_nobody: AtomicUsize::new(0),
            listed: AtomicUsize::new(0),
            hollow: AtomicUsize::new(0),
            heaps: AtomicUsize::new(0),
            threads: AtomicUsize::new(0),
            lent: AtomicUsize::new(common::BY_RULE),
            vanishing: AtomicUsize::new(0),
            common_lock: L::NEW,
            common: AtomicPtr::new(ptr::null_mut()),
            shelves: [const { Shelf::new() }; C],
        }
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
    /// `docs/memory.md` again, by which it begins.
    pub fn keep_free(&self, bytes: Option<usize>) {
        self.slack.store(bytes.map_or(SLACK, |bytes| SLACK.min(bytes / 8)), Relaxed);
        let least = bytes.map_or(sweep::LEAST_STREWN, |bytes| (bytes / 2).clamp(1, sweep::LEAST_STREWN));
        self.least_strewn.store(least, Relaxed);
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
        let counts = self.counts();
        let resident = self.with_inner(|inner| inner.pages.resident(&self.map)).flatten();
        Stats { resident: resident.unwrap_or(counts.held), ..counts }
    }

    /// As [`stats`](Self::stats), in much less time: the backend is not asked what is
    /// resident, and that is `held` here.
    pub fn counts(&self) -> Stats {
        let heaps = self.heaps.load(Relaxed);
        let collect = |inner: &mut Inner<_, SHIFT, C>| {
            let claimed = inner.registry.iter().flat_map(|owner| owner.local.claimed());
            Stats::collect(&self.map, &inner.pages, claimed.chain(self.count_ready()))
        };
        self.with_inner(collect).map_or_else(Stats::default, |stats| Stats { heaps, ..stats })
    }

    /// Walks the heap and asserts the invariants of `docs/design.md`.
    ///
    /// # Errors
    ///
    /// The first one that does not hold. Meant for quiet moments: what other
    /// threads do meanwhile may look like a violation.
    pub fn check(&self) -> Result<(), Violation> {
        self.finish_frees(self);
        let pages = |inner: &mut Inner<_, SHIFT, C>| {
            check::runs(&self.map, &inner.pages, Owners::Rest)?;
            check::slabs(&self.map)
        };
        self.with_inner(pages).unwrap_or(Ok(()))?;
        let owners = self.with_inner(|inner| inner.registry.iter());
        let mut listed = 0;
        // What a fork found torn is left alone for good, and may be in any state.
        for owner in owners.into_iter().flatten().filter(|owner| !owner.is_torn()) {
            let seat = Seat::watching(self, owner);
            check::owner(&seat)?;
            listed += check::listed(&seat);
        }
        check::none_is_lost(&self.map, listed, |word| Owner::<C>::of_word(word).is_some_and(|owner| !owner.is_torn()))?;
        self.check_hand_over()?;
        self.check_shelves()?;
        self.check_remote()
    }

    /// Runs `f` on the backend, under the lock; `None`, and `f` is not run, in a
    /// signal handler that interrupted the holder of the lock.
    pub fn with_grow<R>(&self, f: impl FnOnce(&mut G) -> R) -> Option<R> {
        self.with_inner(|inner| f(inner.pages.grow()))
    }

    /// Runs `f` on each unbroken piece of what the backend handed out, and has not taken back, under the lock; as
    /// [`with_grow`](Self::with_grow), it may not.
    pub fn each_piece(&self, f: impl FnMut(Span)) {
        self.with_inner(|inner| inner.pages.each_piece(&self.map, f));
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
        // SAFETY: the lock is held, and neither an `f` of this crate nor a backend (`HeapGrow`) comes here again.
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
