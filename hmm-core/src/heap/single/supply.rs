//! What the floor works with where there is one owner: the heap's own pages, and nobody else.

use crate::sync::Ordering::Relaxed;

use super::{Heap, TOKEN};
use crate::check::{self, Owners};
use crate::grow::HeapGrow;
use crate::heap::local::Local;
use crate::heap::recent::Nothing;
use crate::heap::{FULL, Ground, Supply, collect};
use crate::misuse::{Misuse, What};
use crate::pages::Pages;
use crate::pages::header::Header;
use crate::pages::map::PageMap;
use crate::slab::{Bits, Slot};
use crate::units::{Class, PageNo};

impl<G: HeapGrow, const SHIFT: u32, const C: usize> Ground<SHIFT> for Heap<G, SHIFT, C> {
    type Grow = G;

    fn map(&self) -> &PageMap<SHIFT> {
        &self.map
    }

    fn with_pages<R>(&self, f: impl FnOnce(&mut Pages<G, SHIFT>) -> R) -> Option<R> {
        // SAFETY: the heap is not `Sync`, so this thread is the only one here,
        // and neither an `f` of this crate nor a backend (`HeapGrow`) calls `with_pages` again.
        let pages = unsafe { &mut *self.pages.get() };
        let result = f(pages);
        check::assert(check::look(|| check::runs(&self.map, pages, Owners::Rest)));
        Some(result)
    }
}

impl<G: HeapGrow, const SHIFT: u32, const C: usize> Supply<SHIFT, C> for Heap<G, SHIFT, C> {
    type Recent = Nothing;

    const SPARE: usize = 0;

    fn local(&self) -> &Local<C, Nothing> {
        &self.local
    }

    fn token(&self) -> usize {
        TOKEN
    }

    fn drain(&self, _: &Header, _: &Bits<'_>) -> usize {
        0
    }

    fn close(&self, header: &Header) -> bool {
        header.owner.store(TOKEN | FULL, Relaxed);
        true
    }

    fn reopen(&self, header: &Header) -> bool {
        header.owner.store(TOKEN, Relaxed);
        true
    }

    fn adopt(&self, _: Class) -> Option<PageNo> {
        None
    }

    fn before_growth(&self) {}

    fn reclaim(&self) {
        collect::collect(self);
    }

    fn free_remote(&self, slot: &Slot<'_>, p: *mut u8) -> Result<(), Misuse> {
        // Every slab is this owner's; what comes here is a slot of a FULL
        // slab that is free already.
        Err(slot.misuse(What::DoubleFree, p))
    }
}
