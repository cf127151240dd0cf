//! Slabs without an owner, by class: lock-free stacks.
//!
//! ```text
//!   class   front: ► slab ► slab ► slab       back: ► slab ► slab
//!             └── a sweep moves one at a time ──────► ┘    then they change names
//! ```
//!
//! Each class has two stacks, so that a sweep can see every slab once while the
//! others stay within reach of whoever needs one.

use crate::sync::Ordering::{AcqRel, Acquire, Relaxed, Release};
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
    /// How many sweeps there were, above two marks: whether one is under way, and whether it was asked to be followed
    /// by a look for more.
    turn: AtomicUsize,
    /// Bytes that came to be swept since a sweep ended.
    refused: AtomicUsize,
}

const UNDER_WAY: usize = 1;
const ASKED: usize = 2;
const NEXT: usize = 4;

/// A sweep that is in the way while so many bytes come to be swept is taken for one that a signal handler left by a
/// jump, where no lock holds signals back. If it was only slow, it stops.
const PATIENCE: usize = if cfg!(loom) { 2048 } else { 64 * 1024 * 1024 };

const COUNT_ONE: u64 = 1 << 32;

fn is_under_way(turn: usize) -> bool {
    turn & UNDER_WAY != 0
}

/// The turn after this one, with no sweep under way.
fn after(turn: usize) -> usize {
    (turn & !(UNDER_WAY | ASKED)).wrapping_add(NEXT)
}

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
            turn: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
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
    /// whether it stays here. Says whether somebody asked for more meanwhile; `None`, and nothing was done, while another
    /// sweep is under way; nor is it done if another was begun, see [`lose_patience`](Self::lose_patience).
    pub(super) fn sweep<const SHIFT: u32>(
        &self,
        map: &PageMap<SHIFT>,
        mut see: impl FnMut(PageNo) -> bool,
    ) -> Option<bool> {
        let idle = self.turn.load(Relaxed);
        let mine = idle | UNDER_WAY;
        if is_under_way(idle) || self.turn.compare_exchange(idle, mine, Acquire, Relaxed).is_err() {
            return None;
        }
        let is_mine = || self.turn.load(Relaxed) & !ASKED == mine;
        for class in (0..C).map(Class::nth) {
            let (front, back) = self.stacks(class);
            while let Some(page) = is_mine().then(|| front.pop(map)).flatten() {
                if see(page) {
                    back.push(map, page);
                }
            }
        }
        if is_mine() {
            self.front.fetch_xor(1, Relaxed);
            self.refused.store(0, Relaxed);
        }
        // Acquire: whoever asked has said before how much there is.
        let ends = |turn| self.turn.compare_exchange(turn, after(turn), AcqRel, Relaxed).is_ok();
        [false, true].into_iter().find(|&asked| ends(if asked { mine | ASKED } else { mine }))
    }

    /// Asks whoever sweeps to look afterwards whether there is more; `false` if nobody does.
    pub(super) fn ask_for_more(&self) -> bool {
        let turn = self.turn.load(Relaxed);
        is_under_way(turn) && self.turn.compare_exchange(turn, turn | ASKED, Release, Relaxed).is_ok()
    }

    /// The caller has `bytes` to sweep, and may be refused; after many of them the sweep under way is over, whoever is
    /// at it.
    pub(super) fn lose_patience(&self, bytes: usize) {
        let turn = self.turn.load(Relaxed);
        if is_under_way(turn) && self.refused.fetch_add(bytes, Relaxed).wrapping_add(bytes) >= PATIENCE {
            self.refused.store(0, Relaxed);
            // (If it fails, the sweep has ended by itself.)
            let _ = self.turn.compare_exchange(turn, after(turn), Relaxed, Relaxed);
        }
    }

    /// In a fork's child: whoever was sweeping did not come along.
    pub(super) fn end_sweep(&self) {
        let turn = self.turn.load(Relaxed);
        if is_under_way(turn) {
            self.turn.store(after(turn), Relaxed);
        }
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
