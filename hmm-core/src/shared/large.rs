//! Large blocks, on the floor of many owners: what a thread frees is kept for its next ones.
//!
//! ```text
//!   free   ──► the only run kept, or next to what it was cut from ──► kept
//!          ──► any other: as far as there is a licence            ──► kept, or the run layer
//!   alloc  ──► the only run kept, or the first, if as long        ──► taken
//!          ──► the shortest that fits                             ──► taken, or the run layer
//! ```
//!
//! The first lines are in line where they are called, and call nothing: they take no frame.

use super::kept::Kept;
use super::owner::Owner;
use super::seat::Seat;
use super::{Lock, Shared};
use crate::grow::HeapGrow;
use crate::heap::{Ground, collect, large};
use crate::pages::Pages;
use crate::pages::header::{Header, Mark};
use crate::slab::{Block, locate};
use crate::units::Geometry;

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Shared<G, L, SHIFT, C> {
    /// Takes a large block of `size` bytes, more than slabs serve, that the owner freed and kept, if one look
    /// finds it.
    ///
    /// # Safety
    ///
    /// As [`alloc`](Self::alloc).
    #[inline(always)]
    pub unsafe fn alloc_kept(&self, owner: &Owner<C>, size: usize) -> Option<*mut u8> {
        if size <= Geometry::<SHIFT>::SLAB_MAX {
            return None;
        }
        self.take_kept(owner, size, Kept::take_first)
    }

    /// A large block of `size` bytes, of those that the owner freed and kept, by way of `take`.
    #[inline(always)]
    pub(super) fn take_kept<'a>(
        &self,
        owner: &'a Owner<C>,
        size: usize,
        take: impl FnOnce(&'a Kept, u32, u32) -> Option<(*mut u8, &'a Header)>,
    ) -> Option<*mut u8> {
        if !owner.is_at_rest() {
            return None;
        }
        // (Aligned blocks may be large with no bytes.)
        let pages = Geometry::<SHIFT>::pages_for(size.max(1))?;
        owner.set_busy(true);
        let taken = take(&owner.kept, pages, SHIFT);
        owner.set_busy(false);
        let (start, header) = taken?;
        if header.has(Mark::Shrunk) {
            // That was another block.
            header.mark_only_moved(header.is_moved());
        }
        header.set_large_bytes(large::rounded(size));
        Some(start)
    }

    /// Makes the large block at `p`, which is live, hold `size` bytes, more than its pages do, where it stands, if
    /// the owner keeps right behind it what it lacks. What is too short goes back, so that the run layer can make it longer.
    pub(super) fn grow_into_kept(&self, owner: &Owner<C>, p: *mut u8, size: usize) -> bool {
        let Ok(Block::Large { header, .. }) = locate(&self.map, p) else { return false };
        let Some(want) = Geometry::<SHIFT>::pages_for(size).filter(|_| owner.is_at_rest()) else { return false };
        if !owner.kept.has_behind(header) {
            return false;
        }
        let lengthen = || {
            let grown = owner.kept.lengthen(header, want, SHIFT);
            if grown.is_ok() {
                header.set_large_bytes(large::rounded(size));
            }
            grown
        };
        owner.set_busy(true);
        // (Undisturbed: whoever vanishes would leave a live block that nobody can free.)
        let grown = self.lock.undisturbed(|| header.hold_large(lengthen)).unwrap_or(Err(None));
        if let Err(Some(short)) = grown {
            self.give_out(owner, short);
        }
        owner.set_busy(false);
        grown.is_ok()
    }

    /// No slab's page: keeps the large block that begins there, if one does.
    /// (What is common takes no frame.)
    #[inline(never)]
    pub(super) fn free_large(&self, header: &Header, offset: usize, p: *mut u8, owner: &Owner<C>) {
        if offset != 0 || !owner.is_at_rest() {
            return self.free_checked(p, owner);
        }
        owner.set_busy(true);
        let put = owner.kept.put_first(p, header);
        owner.set_busy(false);
        match put {
            Some(pages) => self.note_kept(pages, owner),
            None => self.free_large_slow(header, p, owner),
        }
    }

    /// As [`free_large`](Self::free_large), of a block that is none of the common ones.
    #[inline(never)]
    fn free_large_slow(&self, header: &Header, p: *mut u8, owner: &Owner<C>) {
        if !self.keep(header, p, owner) {
            self.free_checked(p, owner);
        }
    }

    /// Keeps the large block at `p`, which is freed, for the owner's next one, who is at rest;
    /// `false` if it is not to be kept.
    fn keep(&self, header: &Header, p: *mut u8, owner: &Owner<C>) -> bool {
        let pages = header.run();
        owner.set_busy(true);
        let put = owner.kept.put(|pages| self.license_kept(owner, pages), p, header);
        owner.set_busy(false);
        match put {
            Ok(Some(out)) => give_kept(self, out),
            Ok(None) => {}
            Err(()) => return false,
        }
        self.note_kept(pages, owner);
        true
    }

    /// A large block of so many pages was freed and kept.
    #[inline(always)]
    fn note_kept(&self, pages: u32, owner: &Owner<C>) {
        if let Some(pages) = owner.kept.passed(pages) {
            self.pass_kept(pages, owner);
        }
    }

    /// Large blocks of so many pages were freed and kept.
    #[cold]
    #[inline(never)]
    fn pass_kept(&self, pages: u32, owner: &Owner<C>) {
        let may_stay = self.with_pages(|run_layer| run_layer.pass_kept(&self.map, (pages as usize) << SHIFT));
        if may_stay == Some(false) {
            // The bound, or the limit, is lower than when the licences were given.
            if let Some(seat) = Seat::take(self, owner) {
                seat.give_all_kept();
                if owner.local.loose.has_licence() && seat.with_pages(|pages| pages.pass(&self.map, 0)) == Some(false) {
                    collect::collect(&seat);
                }
            }
        }
        self.tidy_if_much(owner);
    }

    /// Gives back a run that the owner does not keep any more, and what it does not need of its licence. What it
    /// keeps is whole meanwhile.
    #[cold]
    #[inline(never)]
    pub(super) fn give_out(&self, owner: &Owner<C>, header: &Header) {
        self.with_pages_for(owner, |run_layer| {
            run_layer.return_kept((owner.kept.end_unused() as usize) << SHIFT);
            if let Some(page) = self.map.page_of(header) {
                run_layer.give_run(&self.map, page, true);
            }
        });
    }

    /// Asks for a licence to keep large blocks of `pages` pages more. What the owner
    /// keeps is whole meanwhile.
    #[cold]
    #[inline(never)]
    fn license_kept(&self, owner: &Owner<C>, pages: u32) -> bool {
        let license = |run_layer: &mut Pages<G, SHIFT>| run_layer.license_kept(&self.map, (pages as usize) << SHIFT);
        self.with_pages_for(owner, license) == Some(true)
    }
}

/// Gives back a run that was kept.
#[cold]
#[inline(never)]
pub(super) fn give_kept<const SHIFT: u32>(ground: &impl Ground<SHIFT>, header: &Header) {
    if let Some(page) = ground.map().page_of(header) {
        ground.with_pages(|pages| pages.give_run(ground.map(), page, true));
    }
}
