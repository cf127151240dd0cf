//! The slabs of one class: the current one and the queue of the others that have
//! free slots, linked through their headers.
//!
//! ```text
//!   current ──► the slab that blocks are taken from
//!   head ──► slab ⇄ slab ⇄ slab ⇄ slab ◄── tail
//!            next in turn   └─ spares ─┘ every slot free
//! ```

use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicU8, AtomicU16};

use crate::pages::header::Link;
use crate::pages::map::PageMap;
use crate::sync::AtomicU32;
use crate::units::PageNo;

/// The slabs of one class that have free slots.
#[derive(Debug)]
pub(crate) struct Bin {
    /// The slab of the current word.
    current: AtomicU32,
    /// Where in the current slab the sweep for single free slots has come to.
    cursor: AtomicU8,
    /// Blocks that the owner took from one that it shares with others, before it had
    /// slabs of its own.
    borrowed: AtomicU8,
    /// Slabs at the queue's end whose every slot is free, at most.
    spares: AtomicU16,
    head: AtomicU32,
    tail: AtomicU32,
}

impl Bin {
    pub(super) const fn new() -> Self {
        Self {
            current: AtomicU32::new(0),
            cursor: AtomicU8::new(0),
            borrowed: AtomicU8::new(0),
            spares: AtomicU16::new(0),
            head: AtomicU32::new(0),
            tail: AtomicU32::new(0),
        }
    }

    pub(crate) fn current(&self) -> Option<PageNo> {
        self.current.page()
    }

    pub(crate) fn set_current(&self, page: Option<PageNo>) {
        self.current.set_page(page);
        self.cursor.store(0, Relaxed);
    }

    pub(crate) fn cursor(&self) -> usize {
        usize::from(self.cursor.load(Relaxed))
    }

    pub(crate) fn set_cursor(&self, word: usize) {
        self.cursor.store(word as u8, Relaxed);
    }

    pub(crate) fn borrowed(&self) -> u8 {
        self.borrowed.load(Relaxed)
    }

    pub(crate) fn set_borrowed(&self, blocks: u8) {
        self.borrowed.store(blocks, Relaxed);
    }

    pub(super) fn spares(&self) -> u16 {
        self.spares.load(Relaxed)
    }

    pub(crate) fn set_spares(&self, spares: u16) {
        self.spares.store(spares, Relaxed);
    }

    /// The last slab of the queue.
    pub(crate) fn tail(&self) -> Option<PageNo> {
        self.tail.page()
    }

    /// Whether there is no slab at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.current().is_none() && self.head().is_none()
    }

    /// The first slab of the queue.
    pub(crate) fn head(&self) -> Option<PageNo> {
        self.head.page()
    }

    /// The current slab and those of the queue.
    pub(crate) fn slabs<const SHIFT: u32>(&self, map: &PageMap<SHIFT>) -> impl Iterator<Item = PageNo> {
        let queued = core::iter::successors(self.head(), |&page| map.header(page).next.page());
        self.current().into_iter().chain(queued)
    }

    /// Whether the queue holds more than one slab.
    pub(crate) fn has_several(&self) -> bool {
        self.head.page() != self.tail.page()
    }

    pub(crate) fn push_back<const SHIFT: u32>(&self, map: &PageMap<SHIFT>, page: PageNo) {
        let header = map.header(page);
        header.next.set_page(None);
        header.prev.set_page(self.tail.page());
        match self.tail.page() {
            Some(last) => map.header(last).next.set_page(Some(page)),
            None => self.head.set_page(Some(page)),
        }
        self.tail.set_page(Some(page));
    }

    pub(crate) fn pop_front<const SHIFT: u32>(&self, map: &PageMap<SHIFT>) -> Option<PageNo> {
        let page = self.head.page()?;
        self.unlink(map, page);
        Some(page)
    }

    /// Takes `page`, one of the queue's, out of it.
    pub(crate) fn unlink<const SHIFT: u32>(&self, map: &PageMap<SHIFT>, page: PageNo) {
        let header = map.header(page);
        let (next, prev) = (header.next.page(), header.prev.page());
        match prev {
            Some(prev) => map.header(prev).next.set_page(next),
            None => self.head.set_page(next),
        }
        match next {
            Some(next) => map.header(next).prev.set_page(prev),
            None => self.tail.set_page(prev),
        }
    }
}
