//! Freeing, on the floor of many owners: whose the block is decides the way.
//!
//! ```text
//!   the thread's own small slot       fast path
//!   another owner's small slot        its remote bit
//!   the thread's own medium slot      as fast, out of line
//!   a large block                     kept, or the run layer
//!   everything else, and misuse       the checked door
//! ```

use crate::sync::AtomicUsize;
use crate::sync::Ordering::Relaxed;

use super::owner::Owner;
use super::remote::{self, Marked};
use super::seat::Seat;
use super::{Lock, Shared};
use crate::grow::HeapGrow;
use crate::heap::fast::{self, Freed, FreedMedium};
use crate::heap::{FULL, bits_of, free};
use crate::misuse::Misuse;
use crate::pages::header::{Header, Kind};
use crate::slab::{Block, Slot, locate};
use crate::units::{Class, GRANULE, Geometry, WORD_BITS};

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Shared<G, L, SHIFT, C> {
    /// Frees the block at `p`; null is fine, and costs the fast path nothing.
    /// Needs no owner: a thread may free before it has one and after it gave
    /// it up.
    ///
    /// # Safety
    ///
    /// `owner` is the calling thread's, or nobody. If `p` is a live block,
    /// nothing uses it any more.
    #[inline(always)]
    pub unsafe fn free(&self, owner: &Owner<C>, p: *mut u8) {
        match fast::free::<SHIFT, C, _>(&owner.local, owner.token(), p, None) {
            Freed::Done => {}
            Freed::DoneAndMore => self.after_free(p, owner),
            Freed::NotHere(header) => self.free_slow(p, owner, header),
            Freed::NotThere | Freed::Already => self.free_anywhere(p, owner),
        }
    }

    /// As [`free`](Self::free), after checking that the block may be one of
    /// `size` bytes and alignment `align`, a power of two.
    ///
    /// # Safety
    ///
    /// As [`free`](Self::free).
    #[inline(always)]
    pub unsafe fn free_sized(&self, owner: &Owner<C>, p: *mut u8, size: usize, align: usize) {
        if align > GRANULE || size > Geometry::<SHIFT>::TABLE_MAX {
            // SAFETY: the caller's promise.
            return unsafe { self.free_sized_slow(p, size, align, owner) };
        }
        let class = Geometry::<SHIFT>::class_by_table(size, align);
        match fast::free::<SHIFT, C, _>(&owner.local, owner.token(), p, Some(class)) {
            Freed::Done => {}
            Freed::DoneAndMore => self.after_free(p, owner),
            // Another owner's block of that size.
            Freed::NotHere(header) if header.is_small_of(class) => self.free_slow(p, owner, header),
            // SAFETY: likewise.
            Freed::NotHere(_) | Freed::NotThere => unsafe { self.free_sized_slow(p, size, align, owner) },
            Freed::Already => self.free_anywhere(p, owner),
        }
    }

    /// The slot at `p`, the owner's, was freed, as the last one of its bitmap
    /// word, or there was no room to remember it: it is not remembered. Mostly others of the slab are
    /// in use, and little is free: that must be seen quickly.
    #[cold]
    #[inline(never)]
    fn after_free(&self, p: *mut u8, owner: &Owner<C>) {
        owner.local.forget_freed();
        let Some((header, index)) = self.slot_of(p, owner) else { return };
        let seat = Seat::take(self, owner);
        if header.owner.load(Relaxed) != owner.token() {
            // A signal handler came first, and gave the slab back.
            return;
        }
        if seat.is_some() {
            owner.local.remember_more(header.class(), self.slack.load(Relaxed));
        }
        free::let_go::<SHIFT, C, _>(&owner.local, header, index, seat.is_some());
        if let Some(seat) = seat {
            if bits_of::<SHIFT>(header).all_free() {
                if let Some(page) = self.map.page_of(header) {
                    free::emptied(&seat, page, header);
                }
            }
        }
        self.tidy_if_much(owner);
    }

    /// The header of the slab that the slot at `p` is in, and the slot's number.
    #[inline]
    fn slot_of<'a>(&'a self, p: *mut u8, owner: &'a Owner<C>) -> Option<(&'a Header, usize)> {
        match owner.local.header_of::<SHIFT>(p) {
            Some((header, offset)) if header.recip() != 0 => {
                Some((header, Geometry::<SHIFT>::slot_of(header.class(), offset)?))
            }
            _ => match locate(&self.map, p) {
                Ok(Block::Slot(slot)) => Some((slot.header, slot.index)),
                _ => None,
            },
        }
    }

    /// Frees a block of which the owner does not know where it is: the first range may have
    /// grown since it last looked.
    #[inline(never)]
    fn free_anywhere(&self, p: *mut u8, owner: &Owner<C>) {
        match self.map.header_in_first(p) {
            Some(header) => self.free_slow(p, owner, header),
            None => self.free_checked(p, owner),
        }
    }

    /// What the fast path leaves, in the page of `header`: first what is common there, other
    /// owners' small slots.
    #[inline(never)]
    fn free_slow(&self, p: *mut u8, owner: &Owner<C>, header: &Header) {
        let offset = p.addr() & (Geometry::<SHIFT>::PAGE - 1);
        let recip = header.recip();
        if recip == 0 {
            return match header.is(Kind::Large) {
                true => self.free_large(header, offset, p, owner),
                false => self.free_medium(p, owner, header),
            };
        }
        let product = offset as u64 * u64::from(recip);
        if product as u32 >= recip || header.owner.load(Relaxed) & !FULL == owner.token() {
            return self.free_checked(p, owner);
        }
        let index = (product >> 32) as usize;
        match remote::mark(header, index) {
            Marked::More => {}
            Marked::First(summary) => self.announce(header, summary, index, owner),
            // (What would begin in the left-over bytes of a slab is no slot.)
            Marked::Twice if index < usize::from(Geometry::<SHIFT>::info(header.class()).slots) => {
                self.freed_twice(header, index);
            }
            Marked::Twice => self.free_checked(p, owner),
        }
    }

    #[inline(never)]
    fn announce(&self, header: &Header, summary: &AtomicUsize, index: usize, owner: &Owner<C>) {
        // (The slab may be gone by now. What is read here then is of its page's next life,
        // and means nothing: a FULL one may be handed over early.)
        let info = Geometry::<SHIFT>::info(header.class());
        let word = header.owner.load(Relaxed);
        if let Some(owner) = remote::announce(header, summary, usize::from(info.words), remote::bit_of(index)) {
            self.hand_over_full(header, owner);
        }
        // Others of the word may follow, unannounced.
        self.strew(owner, word, info.size as usize * usize::from(info.slots).min(WORD_BITS / 2));
    }

    /// No small slab's page: first the owner's medium slots.
    #[inline(never)]
    fn free_medium(&self, p: *mut u8, owner: &Owner<C>, header: &Header) {
        match fast::free_taken::<C, _>(&owner.local, p) {
            Some(false) => return,
            Some(true) => return self.after_free(p, owner),
            None => {}
        }
        match fast::free_medium::<SHIFT, C, _>(&owner.local, owner.token(), header, p) {
            FreedMedium::Done => {}
            FreedMedium::NotRemembered(class) => self.not_remembered(class, owner),
            FreedMedium::NotHere => self.free_checked(p, owner),
        }
    }

    /// A block of `class` was freed that there was no room to remember: it is in the books now. (Out
    /// of line: the common way takes no frame.)
    #[inline(never)]
    fn not_remembered(&self, class: Class, owner: &Owner<C>) {
        owner.local.loose.drop_remembered(class.size());
        owner.local.loose.add_whole(class.size());
        self.tidy_if_much(owner);
        if !owner.local.wants_room(class) {
            return;
        }
        if let Some(_seat) = Seat::take(self, owner) {
            owner.local.remember_more(class, self.slack.load(Relaxed));
        }
    }

    /// Frees the block at `p`, whatever it is, or names the misuse.
    #[cold]
    #[inline(never)]
    pub(super) fn free_checked(&self, p: *mut u8, owner: &Owner<C>) {
        if p.is_null() {
            return;
        }
        let freed = match locate(&self.map, p) {
            Ok(Block::Slot(slot)) => self.free_slot(owner, &slot, p),
            Ok(Block::Large { page, .. }) => free::free_large(self, page, p).map(|()| self.tidy_after_large(owner)),
            Err(misuse) => Err(misuse),
        };
        self.judge(freed);
    }

    /// As [`free_sized`](Self::free_sized), by the long way.
    ///
    /// # Safety
    ///
    /// As [`free_sized`](Self::free_sized).
    #[inline(never)]
    unsafe fn free_sized_slow(&self, p: *mut u8, size: usize, align: usize, owner: &Owner<C>) {
        if p.is_null() {
            return;
        }
        // Mostly the header names the very class.
        let header = owner.local.header_of::<SHIFT>(p).map(|(header, _)| header);
        let class = Geometry::<SHIFT>::class_of_aligned(size, align);
        let is_first = header.zip(class).is_some_and(|(header, class)| header.is_small_of(class));
        if !is_first {
            self.judge(free::check_sized(self, p, size, align));
        }
        // SAFETY: our caller's promise.
        unsafe { self.free(owner, p) };
    }

    /// Frees the slot at `p`, as the owner's if it is and can be now.
    fn free_slot(&self, owner: &Owner<C>, slot: &Slot<'_>, p: *mut u8) -> Result<(), Misuse> {
        if slot.header.owner.load(Relaxed) & !FULL == owner.token() {
            if let Some(seat) = Seat::take(self, owner) {
                free::free_slot(&seat, slot, p)?;
                drop(seat);
                self.tidy_if_much(owner);
                return Ok(());
            }
        }
        let word = slot.header.owner.load(Relaxed);
        self.free_remote(slot, p)?;
        self.strew(owner, word, slot.class.size());
        Ok(())
    }
}
