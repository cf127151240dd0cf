//! Slabs without an owner, by class: lock-free stacks.
//!
//! ```text
//!   class   front: ► slab ► slab ► slab       back: ► slab ► slab
//!             └── a sweep moves one at a time ──────► ┘    then they change names
//! ```
//!
//! Each class has two stacks, so that a sweep can see every slab once while the
//! others stay within reach of whoever needs one.

use crate::sync::Ordering::{Acquire, Relaxed, Release};
use crate::sync::{AtomicU64, AtomicUsize};

use crate::pages::header::Link;
use crate::pages::map::PageMap;
use crate::units::{Class, PageNo};

/// A stack of slabs (Treiber, 1986), linked through their headers.
///
/// The head is a page number below a count of changes: a pop that was
/// overtaken fails even if the same page is on top again. Headers are never
/// unmapped, so reading the link of a page that someone else popped is
/// harmless.
#[derive(Debug)]
struct Stack {
    head: AtomicU64,
}

/// The slabs of `C` classes that nobody owns.
#[derive(Debug)]
pub(super) struct HandOver<const C: usize> {
    stacks: [[Stack; 2]; C],
    /// The index of the front stacks.
    front: AtomicUsize,
    /// How often a sweep was begun since the last one ended; one is under way if that is not 0.
    begun: AtomicUsize,
}

/// A sweep that others wait for so often will not end: a signal handler left it by a jump. (If it does all the same,
/// two see some slabs twice.)
const PATIENCE: usize = 16;

const COUNT_ONE: u64 = 1 << 32;

fn with_page(head: u64, page: Option<PageNo>) -> u64 {
    (head & !(COUNT_ONE - 1)).wrapping_add(COUNT_ONE) | u64::from(PageNo::to_link(page))
}

fn page_of(head: u64) -> Option<PageNo> {
    PageNo::from_link(head as u32)
}

impl<const C: usize> HandOver<C> {
    pub(super) const fn new() -> Self {
        Self {
            stacks: [const { [const { Stack::new() }; 2] }; C],
            front: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
        }
    }

    /// The front stack of `class` and the back one.
    fn stacks(&self, class: Class) -> (&Stack, &Stack) {
        let [one, other] = &self.stacks[class.index() % C];
        if self.front.load(Relaxed) == 0 { (one, other) } else { (other, one) }
    }

    /// Hands over a slab of `class`, which the caller holds alone.
    pub(super) fn push<const SHIFT: u32>(&self, map: &PageMap<SHIFT>, class: Class, page: PageNo) {
        self.stacks(class).0.push(map, page);
    }

    /// Takes over a slab of `class`; it is the caller's alone then.
    pub(super) fn pop<const SHIFT: u32>(&self, map: &PageMap<SHIFT>, class: Class) -> Option<PageNo> {
        let (front, back) = self.stacks(class);
        front.pop(map).or_else(|| back.pop(map))
    }

    /// Shows every slab to `see`, which is its only holder meanwhile and says
    /// whether it stays here. Does nothing, and says so by `false`, while another
    /// sweep is under way.
    pub(super) fn sweep<const SHIFT: u32>(&self, map: &PageMap<SHIFT>, mut see: impl FnMut(PageNo) -> bool) -> bool {
        if self.begun.fetch_add(1, Acquire) % PATIENCE != 0 {
            return false;
        }
        for class in (0..C).map(Class::nth) {
            let (front, back) = self.stacks(class);
            while let Some(page) = front.pop(map) {
                if see(page) {
                    back.push(map, page);
                }
            }
        }
        self.front.fetch_xor(1, Relaxed);
        self.begun.store(0, Release);
        true
    }

    /// In a fork's child: whoever was sweeping did not come along.
    pub(super) fn end_sweep(&self) {
        self.begun.store(0, Relaxed);
    }

    /// The slabs on top of the stacks of `class`, for the validator.
    pub(super) fn tops(&self, class: Class) -> impl Iterator<Item = PageNo> + '_ {
        self.stacks[class.index() % C].iter().filter_map(Stack::peek)
    }
}

impl Stack {
    const fn new() -> Self {
        Self { head: AtomicU64::new(0) }
    }

    /// Puts a slab, which the caller holds alone, on the stack.
    fn push<const SHIFT: u32>(&self, map: &PageMap<SHIFT>, page: PageNo) {
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
    fn pop<const SHIFT: u32>(&self, map: &PageMap<SHIFT>) -> Option<PageNo> {
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
    fn peek(&self) -> Option<PageNo> {
        page_of(self.head.load(Acquire))
    }
}
