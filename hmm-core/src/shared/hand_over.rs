//! Slabs without an owner, by class: one lock-free stack each.

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use crate::pages::header::Link;
use crate::pages::map::PageMap;
use crate::units::PageNo;

/// A stack of slabs (Treiber, 1986), linked through their headers.
///
/// The head is a page number below a count of changes: a pop that was
/// overtaken fails even if the same page is on top again. Headers are never
/// unmapped, so reading the link of a page that someone else popped is
/// harmless.
#[derive(Debug)]
pub(crate) struct HandOver {
    head: AtomicU64,
}

const COUNT_ONE: u64 = 1 << 32;

fn with_page(head: u64, page: Option<PageNo>) -> u64 {
    (head & !(COUNT_ONE - 1)).wrapping_add(COUNT_ONE) | u64::from(PageNo::to_link(page))
}

fn page_of(head: u64) -> Option<PageNo> {
    PageNo::from_link(head as u32)
}

impl HandOver {
    pub(crate) const fn new() -> Self {
        Self { head: AtomicU64::new(0) }
    }

    /// Puts a slab, which the caller holds alone, on the stack.
    pub(crate) fn push<const SHIFT: u32>(&self, map: &PageMap<SHIFT>, page: PageNo) {
        let mut head = self.head.load(Relaxed);
        loop {
            map.header(page).next.set_page(page_of(head));
            // Release: whoever pops the slab sees all that was done to it.
            match self.head.compare_exchange_weak(head, with_page(head, Some(page)), Release, Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Takes a slab from the stack; it is the caller's alone then.
    pub(crate) fn pop<const SHIFT: u32>(&self, map: &PageMap<SHIFT>) -> Option<PageNo> {
        let mut head = self.head.load(Acquire);
        loop {
            let page = page_of(head)?;
            let next = map.header(page).next.page();
            match self.head.compare_exchange_weak(head, with_page(head, next), Acquire, Acquire) {
                Ok(_) => return Some(page),
                Err(now) => head = now,
            }
        }
    }

    /// The slab on top, for the validator.
    pub(crate) fn peek(&self) -> Option<PageNo> {
        page_of(self.head.load(Acquire))
    }
}
