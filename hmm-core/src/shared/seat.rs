//! An owner at work: what the heap floor needs of the shared one.
//!
//! ```text
//!   thread ─────────────────► Seat ─► the owner's lists
//!   its signal handler ──╳    taken: does without
//! ```

use crate::sync::Ordering::{Relaxed, SeqCst};

use super::large::give_kept;
use super::owner::{LISTED, Owner, Role};
use super::shelf::Shelf;
use super::sweep::Sweep;
use super::{Lock, Shared, remote};
use crate::check;
use crate::grow::HeapGrow;
use crate::heap::local::Local;
use crate::heap::stacks::Stacks;
use crate::heap::{Ground, Supply, bits_of, collect, spare};
use crate::misuse::{Misuse, What};
use crate::pages::Pages;
use crate::pages::header::Header;
use crate::pages::map::PageMap;
use crate::pages::pair::BitPair;
use crate::slab::parts::soiled_bytes;
use crate::slab::{Bits, Slot};
use crate::units::{Class, Geometry, PageNo, Word};

/// The calling thread's owner, whose lists it is about to change.
pub(super) struct Seat<'a, G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> {
    shared: &'a Shared<G, L, SHIFT, C>,
    owner: &'a Owner<C>,
    /// Whether leaving the seat ends the owner's being busy.
    leaves: bool,
}

impl<'a, G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Seat<'a, G, L, SHIFT, C> {
    /// The seat of `owner`, the calling thread's; `None` if that is nobody, or
    /// interrupted in the middle of something (this is a signal handler then).
    pub(super) fn take(shared: &'a Shared<G, L, SHIFT, C>, owner: &'a Owner<C>) -> Option<Self> {
        if owner.role() == Role::Nobody || owner.is_busy() {
            return None;
        }
        owner.set_busy(true);
        Some(Self { shared, owner, leaves: true })
    }

    /// Gives back all that the owner keeps.
    pub(super) fn give_all_kept(&self) {
        for header in self.owner.kept.empty() {
            give_kept(self, header);
        }
        let kept = &self.owner.kept;
        if kept.has_licence() {
            // Under the lock: a fork by another thread finds the licence in one place.
            self.with_pages(|pages| pages.return_kept((kept.end_licence() as usize) << SHIFT));
        }
    }

    /// Gives back what lies free in the common owner's slabs, if this is not that. The
    /// owner's lists are whole while it waits for it.
    fn collect_common(&self, parts: bool) {
        if self.owner.role() != Role::Common {
            self.owner.set_waiting(true);
            self.shared.collect_common(parts);
            self.owner.set_waiting(false);
        }
    }

    /// Sweeps the hand-over lists; whoever uses the common owner, whose lock is held, does not look for more then.
    fn sweep(&self, sweep: Sweep) {
        if self.owner.role() == Role::Common {
            self.shared.sweep_once(sweep);
        } else {
            self.owner.set_waiting(true);
            self.shared.sweep(sweep);
            self.owner.set_waiting(false);
        }
    }

    /// Where blocks of `class` lie ready.
    pub(super) fn shelf(&self, class: Class) -> &Shelf {
        self.shared.shelf(class)
    }

    /// The seat of somebody who rests, to look at.
    pub(super) fn watching(shared: &'a Shared<G, L, SHIFT, C>, owner: &'a Owner<C>) -> Self {
        Self { shared, owner, leaves: false }
    }
}

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Drop for Seat<'_, G, L, SHIFT, C> {
    fn drop(&mut self) {
        if self.leaves {
            check::assert(check::look(|| check::owner(self)));
            self.owner.local.note_range(&self.shared.map);
            self.owner.set_busy(false);
        }
    }
}

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Ground<SHIFT> for Shared<G, L, SHIFT, C> {
    type Grow = G;

    fn map(&self) -> &PageMap<SHIFT> {
        &self.map
    }

    fn with_pages<R>(&self, f: impl FnOnce(&mut Pages<G, SHIFT>) -> R) -> Option<R> {
        self.with_inner(|inner| f(&mut inner.pages))
    }
}

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Ground<SHIFT> for Seat<'_, G, L, SHIFT, C> {
    type Grow = G;

    fn map(&self) -> &PageMap<SHIFT> {
        self.shared.map()
    }

    fn with_pages<R>(&self, f: impl FnOnce(&mut Pages<G, SHIFT>) -> R) -> Option<R> {
        self.shared.with_pages_for(self.owner, f)
    }
}

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Supply<SHIFT, C> for Seat<'_, G, L, SHIFT, C> {
    type Recent = Stacks<C>;

    const SPARE: usize = 1024 * 1024;

    fn local(&self) -> &Local<C, Stacks<C>> {
        &self.owner.local
    }

    fn token(&self) -> usize {
        self.owner.token()
    }

    fn drain(&self, header: &Header, bits: &Bits<'_>) -> usize {
        let cur = self.local().cur(header.class());
        let lent = (self.owner.role() == Role::Common).then(|| self.shelf(header.class()));
        let ready_of = |word: &BitPair| lent.map_or(0, |shelf| shelf.ready_of(word));
        let slots = self.shared.drain_slab(header, bits, |word| cur.claimed_of(word) | ready_of(word));
        if slots == 0 {
            return 0;
        }
        let bytes = slots * header.class().size();
        self.local().loose.add(bytes);
        bytes
    }

    fn close(&self, header: &Header) -> bool {
        let bits = bits_of::<SHIFT>(header);
        // What lies ready stays with the common owner's slabs, where a second free is found.
        let is_lent = self.owner.role() == Role::Common && self.withdraw(header.class(), Some(&bits));
        !is_lent && remote::close(header, self.token(), &bits)
    }

    fn reopen(&self, header: &Header) -> bool {
        remote::reopen(header, self.token())
    }

    fn adopt(&self, class: Class) -> Option<PageNo> {
        let page = self.shared.hand_over.pop(&self.shared.map, class)?;
        let header = self.shared.map.header(page);
        header.owner.store(self.token(), SeqCst);
        let bits = bits_of::<SHIFT>(header);
        self.shared.drain_slab(header, &bits, |_| 0);
        // (Where no part holds memory, no free slot does.)
        let free = bits.count_free(usize::from(Geometry::<SHIFT>::info(class).slots)) * class.size();
        self.local().loose.add_counted(free.min(soiled_bytes::<SHIFT>(header)));
        Some(page)
    }

    fn before_large(&self, pages: u32) {
        if let Some(out) = self.owner.kept.take_longest(pages) {
            self.shared.give_out(self.owner, out);
        }
    }

    fn took_large(&self, start: *mut u8) {
        self.owner.kept.note_taken(start);
    }

    fn before_growth(&self) {
        self.shared.finish_frees(self);
        self.give_all_kept();
        spare::give_all(self);
        self.collect_common(false);
        self.sweep(Sweep::Empty);
    }

    fn reclaim(&self) {
        self.shared.finish_frees(self);
        self.give_all_kept();
        if self.owner.role() == Role::Common {
            self.clear_shelves();
        }
        self.collect_common(true);
        self.sweep(Sweep::Parts);
        collect::collect(self);
    }

    fn free_remote(&self, slot: &Slot<'_>, p: *mut u8) -> Result<(), Misuse> {
        self.shared.free_remote(slot, p)
    }
}

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Shared<G, L, SHIFT, C> {
    /// Frees a slot of a slab that is not, or not to be treated as, the
    /// calling thread's.
    pub(super) fn free_remote(&self, slot: &Slot<'_>, p: *mut u8) -> Result<(), Misuse> {
        if let Some(owner) = remote::free::<SHIFT>(slot, p)? {
            self.hand_over_full(slot.header, owner);
        }
        Ok(())
    }

    /// Hands over a FULL slab, whose owner word was `owner`, if nobody else does. Undisturbed: whoever has won it and
    /// vanishes has it for good.
    pub(super) fn hand_over_full(&self, header: &Header, owner: usize) {
        self.lock.undisturbed(|| {
            if remote::win(header, owner) {
                if let Some(page) = self.map.page_of(header) {
                    self.hand_over(page);
                }
            }
        });
    }

    /// Puts a LISTED slab, which is the caller's alone, on its class's list.
    /// The class is read only now: before the slab was won, its page may have
    /// begun another life.
    pub(super) fn hand_over(&self, page: PageNo) {
        self.hand_over.push(&self.map, self.map.header(page).class(), page);
    }

    /// Gives a slab of the owner's, which is in none of its lists, to whoever
    /// needs it.
    pub(super) fn give_up(&self, page: PageNo) {
        self.map.header(page).owner.store(LISTED, SeqCst);
        self.hand_over(page);
    }

    /// Moves the remote frees of a slab that is the caller's alone to its local
    /// bits. Returns how many there were. `claimed`: the slots of a word that its owner has
    /// claimed.
    #[inline]
    pub(super) fn drain_slab(&self, header: &Header, bits: &Bits<'_>, claimed: impl Fn(&BitPair) -> Word) -> usize {
        // What is not seen yet is found the next time.
        if bits.summary().load(Relaxed) == 0 {
            return 0;
        }
        let drained = remote::drain(bits, claimed);
        if let Some(index) = drained.twice {
            self.freed_twice(header, index);
        }
        drained.slots
    }

    /// Ends the program over a slot that was free locally and remotely.
    #[cold]
    pub(super) fn freed_twice(&self, header: &Header, index: usize) {
        if let Some(page) = self.map.page_of(header) {
            let slot = Slot { page, header, class: header.class(), index };
            let p = self.map.address(page).wrapping_add(index * slot.class.size());
            self.judge(Err(slot.misuse(What::DoubleFree, p)))
        }
    }
}
