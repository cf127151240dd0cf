//! Owners' lives: threads come and go, their heaps stay.

use core::ptr::{self, NonNull};
use core::sync::atomic::AtomicPtr;
use core::sync::atomic::Ordering::{Acquire, Release};

use super::owner::{Owner, Role};
use super::seat::Seat;
use super::{Inner, Lock, Shared};
use crate::grow::HeapGrow;
use crate::heap::{Ground, Supply, bits_of, refill};
use crate::units::{Class, Geometry, PageNo};

/// All owners ever made, and those that wait for a thread.
#[derive(Debug)]
pub(super) struct Registry<const C: usize> {
    all: Option<NonNull<Owner<C>>>,
    pool: Option<NonNull<Owner<C>>>,
    count: usize,
}

impl<const C: usize> Registry<C> {
    pub(super) const fn new() -> Self {
        Self { all: None, pool: None, count: 0 }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn first(&self) -> Option<NonNull<Owner<C>>> {
        self.all
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
    fn make(&mut self, role: Role) -> Option<NonNull<Owner<C>>> {
        let owner = self.pages.take_meta(size_of::<Owner<C>>())?.cast::<Owner<C>>();
        // SAFETY: metadata is aligned to 64, as an owner is, and this piece of
        // it has just become ours.
        unsafe { owner.write(Owner::new(role, self.registry.all)) };
        self.registry.all = Some(owner);
        self.registry.count += usize::from(role == Role::Thread);
        Some(owner)
    }
}

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Shared<G, L, SHIFT, C> {
    /// An owner for the calling thread, from the pool if one waits there.
    /// `None` when there is no memory for one; the heap works without.
    pub fn attach(&self) -> Option<NonNull<Owner<C>>> {
        self.with_inner(|inner| inner.registry.unpool().or_else(|| inner.make(Role::Thread))).flatten()
    }

    /// Ends the calling thread's use of `owner`: its slabs with free slots go
    /// to whoever needs them, its full ones stay and wait with it for the next
    /// thread.
    ///
    /// # Safety
    ///
    /// `owner` came from [`attach`](Self::attach) on this thread, whose word
    /// is [`done`](Self::done) already: it does not use the owner again.
    pub unsafe fn detach(&self, owner: NonNull<Owner<C>>) {
        // SAFETY: the caller's promise.
        let Some(seat) = (unsafe { Seat::take(self, owner.as_ptr()) }) else {
            // Interrupted in the middle of something by its own end: the
            // owner's lists are not to be trusted. It is left alone.
            return;
        };
        for number in 0..C {
            self.disband(&seat, Class::from_number(number as u8));
        }
        drop(seat);
        self.with_inner(|inner| inner.registry.pool(owner));
    }

    /// Gives away all slabs of `class` that have free slots.
    fn disband(&self, seat: &Seat<'_, G, L, SHIFT, C>, class: Class) {
        let bin = seat.local().bin(class);
        if let Some(page) = bin.current() {
            seat.local().cur(class).clear();
            bin.set_current(None);
            refill::settle(seat, page, self.map.header(page));
        }
        while let Some(page) = bin.pop_front(&self.map) {
            self.part_with(seat, page);
        }
    }

    fn part_with(&self, seat: &Seat<'_, G, L, SHIFT, C>, page: PageNo) {
        let header = self.map.header(page);
        let bits = bits_of::<SHIFT>(header);
        seat.drain(header, &bits);
        if bits.all_free() {
            seat.with_pages(|pages| pages.give_slab(&self.map, page));
        } else {
            debug_assert!(bits.any_free(usize::from(Geometry::<SHIFT>::info(header.class()).slots)));
            self.give_up(page);
        }
    }

    /// The owner that serves threads without one; made when first needed.
    pub(super) fn late_owner(&self) -> Option<NonNull<Owner<C>>> {
        self.special(&self.late, Role::Late)
    }

    /// The word of a thread that gave its owner up; null if there is no memory
    /// for even that, and the thread then looks as if it had not begun.
    pub fn done(&self) -> *const Owner<C> {
        self.special(&self.done, Role::Done).map_or(ptr::null(), |owner| owner.as_ptr().cast_const())
    }

    fn special(&self, place: &AtomicPtr<Owner<C>>, role: Role) -> Option<NonNull<Owner<C>>> {
        NonNull::new(place.load(Acquire)).or_else(|| {
            let make = |inner: &mut Inner<G, SHIFT, C>| {
                // Two threads may come for it at once.
                let made = NonNull::new(place.load(Acquire)).or_else(|| inner.make(role))?;
                place.store(made.as_ptr(), Release);
                Some(made)
            };
            self.with_inner(make).flatten()
        })
    }
}
