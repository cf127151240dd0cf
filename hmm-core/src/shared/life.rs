//! Owners' lives: threads come and go, their heaps stay.
//!
//! ```text
//!   attach   pool, or a new one ─► owner ─► thread
//!   detach   slabs with free slots ─► hand-over lists
//!            the owner, and its full slabs ─► pool
//! ```

use crate::sync::Ordering::Relaxed;
use core::ptr::NonNull;

use super::owner::{Owner, Role};
use super::seat::Seat;
use super::{Inner, Lock, Shared};
use crate::grow::HeapGrow;
use crate::heap::found::Found;
use crate::heap::{Ground, Supply, bits_of, refill};
use crate::pages::Pages;
use crate::pages::map::PageMap;
use crate::slab::parts::soiled_bytes;
use crate::units::{Class, Geometry, PageNo};

/// All owners ever made, and those that wait for a thread.
#[derive(Debug)]
pub(super) struct Registry<const C: usize> {
    all: Option<NonNull<Owner<C>>>,
    pool: Option<NonNull<Owner<C>>>,
}

impl<const C: usize> Registry<C> {
    pub(super) const fn new() -> Self {
        Self { all: None, pool: None }
    }

    /// All owners ever made. (What is read of those at work are atomics; the validator reads more, and is for quiet moments.)
    pub(super) fn iter(&self) -> impl Iterator<Item = &'static Owner<C>> + use<C> {
        // SAFETY: owners are never unmapped.
        let owner = |at: Option<NonNull<Owner<C>>>| at.map(|at| unsafe { at.as_ref() });
        core::iter::successors(owner(self.all), move |last| owner(last.next()))
    }

    /// Lets `owner`, which no thread uses any more, wait for the next thread.
    pub(super) fn pool(&mut self, owner: NonNull<Owner<C>>) {
        // SAFETY: owners are never unmapped; nobody else uses this one.
        unsafe { owner.as_ref() }.pool(self.pool);
        self.pool = Some(owner);
    }

    fn unpool(&mut self) -> Option<NonNull<Owner<C>>> {
        let owner = self.pool?;
        // SAFETY: as in `pool`.
        self.pool = unsafe { owner.as_ref() }.unpool();
        Some(owner)
    }
}

impl<G: HeapGrow, const SHIFT: u32, const C: usize> Inner<G, SHIFT, C> {
    pub(super) fn make(&mut self, map: &PageMap<SHIFT>, role: Role) -> Option<NonNull<Owner<C>>> {
        let owner = self.pages.take_meta(map, size_of::<Owner<C>>())?.cast::<Owner<C>>();
        // SAFETY: metadata is zero and aligned to 64, as an owner is, and this
        // piece of it has just become ours.
        unsafe { Owner::begin(owner, role, self.registry.all) };
        self.registry.all = Some(owner);
        Some(owner)
    }
}

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Shared<G, L, SHIFT, C> {
    /// An owner for the calling thread, from the pool if one waits there.
    /// `None` when there is no memory for one; the heap works without, by one that all such threads share. (An owner
    /// takes some 70 to 100 KB of addresses, by the size of pages and the number of classes, and what is touched of it of
    /// memory: a heap that cannot have one gives no block.)
    pub fn attach(&self) -> Option<NonNull<Owner<C>>> {
        let attach = |inner: &mut Inner<G, SHIFT, C>| {
            let owner = inner.registry.unpool().or_else(|| {
                let made = inner.make(&self.map, Role::Thread)?;
                self.heaps.fetch_add(1, Relaxed);
                Some(made)
            })?;
            self.set_threads(inner, self.threads.load(Relaxed) + 1);
            Some(owner)
        };
        self.with_inner(attach).flatten()
    }

    /// Ends the calling thread's use of `owner`: its slabs with free slots go
    /// to whoever needs them, its full ones stay and wait with it for the next
    /// thread.
    ///
    /// # Safety
    ///
    /// `owner` came from [`attach`](Self::attach) on this thread, whose word
    /// names another already: it does not use the owner again.
    pub unsafe fn detach(&self, owner: NonNull<Owner<C>>) {
        // SAFETY: the caller's promise.
        let Some(seat) = Seat::take(self, unsafe { owner.as_ref() }) else {
            // Interrupted in the middle of something by its own end: the
            // owner's lists are not to be trusted. It is left alone.
            self.with_inner(|inner| self.count_out(inner));
            return;
        };
        seat.give_all_kept();
        let left = (0..C).map(|number| self.disband(&seat, Class::nth(number))).sum();
        seat.with_pages(|pages| {
            let (licence, hollow) = seat.local().loose.settle(&Found::default());
            pages.gave_parts(0, licence, hollow);
        });
        drop(seat);
        let ends_crowd = self.with_inner(|inner| {
            inner.registry.pool(owner);
            self.count_out(inner)
        });
        if ends_crowd == Some(true) {
            // Those that are left borrow nothing.
            self.collect_common(true);
        }
        self.sweep_if_much(left);
    }

    /// A thread's heap of its own ends. Says whether that ends a crowd.
    fn count_out(&self, inner: &mut Inner<G, SHIFT, C>) -> bool {
        self.set_threads(inner, self.threads.load(Relaxed).saturating_sub(1))
    }

    /// Gives away all slabs of `class` that have free slots. Returns how much
    /// may be free in them, in bytes.
    fn disband(&self, seat: &Seat<'_, G, L, SHIFT, C>, class: Class) -> usize {
        let bin = seat.local().bin(class);
        bin.set_borrowed(0);
        seat.local().narrow(class);
        // Nothing is remembered then either, and most classes' memory was never used.
        if bin.is_empty() {
            return 0;
        }
        seat.local().forget(class);
        refill::retire(seat, class);
        bin.set_spares(0);
        let mut left = 0;
        while let Some(page) = bin.head() {
            left += soiled_bytes::<SHIFT>(self.map.header(page));
            self.part_with(seat, page);
        }
        left
    }

    fn part_with(&self, seat: &Seat<'_, G, L, SHIFT, C>, page: PageNo) {
        let header = self.map.header(page);
        let bits = bits_of::<SHIFT>(header);
        seat.drain(header, &bits);
        let bin = seat.local().bin(header.class());
        // (In its queue until then: a fork's child takes those over whose owners wait for the lock.)
        let give = |pages: &mut Pages<G, SHIFT>| {
            bin.unlink(&self.map, page);
            pages.give_slab(&self.map, page);
        };
        if bits.all_free() && seat.with_pages(give).is_some() {
            return;
        }
        bin.unlink(&self.map, page);
        if bits.any_free(usize::from(Geometry::<SHIFT>::info(header.class()).slots)) || !seat.close(header) {
            self.give_up(page);
        }
    }
}
