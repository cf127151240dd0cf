//! One owner's view of its slabs.

use core::cell::Cell;
use core::num::NonZero;
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::Relaxed;

use crate::pages::header::Link;
use crate::pages::map::PageMap;
use crate::units::{Class, PageNo, Word};

/// What `cur` points at when there is no current word: no slot is free.
static NOTHING_FREE: AtomicUsize = AtomicUsize::new(0);

/// The word that blocks of a class are taken from.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Cur {
    word: Cell<*const AtomicUsize>,
    /// The address of the word's first slot.
    base: Cell<*mut u8>,
    /// The word's phantom bits: what it holds when no slot is left.
    stop: Cell<Word>,
    /// Bytes of a slot.
    size: Cell<usize>,
}

impl Cur {
    const fn new() -> Self {
        Self {
            word: Cell::new(&raw const NOTHING_FREE),
            base: Cell::new(core::ptr::null_mut()),
            stop: Cell::new(0),
            size: Cell::new(0),
        }
    }

    /// Takes the lowest free slot of the word, if any is left.
    #[inline(always)]
    pub(crate) fn take(&self) -> Option<*mut u8> {
        // SAFETY: the word is one of a live slab's bitmap, or `NOTHING_FREE`;
        // neither is ever unmapped.
        let word = unsafe { &*self.word.get() };
        let free = word.load(Relaxed);
        if free == self.stop.get() {
            return None;
        }
        word.store(free & free.wrapping_sub(1), Relaxed);
        // SAFETY: the phantoms are always set (I5), so a word that differs
        // from them has a bit set.
        let slot = unsafe { NonZero::new_unchecked(free) }.trailing_zeros();
        // The phantoms are the highest bits, so the lowest one is a slot's.
        Some(self.base.get().wrapping_add(slot as usize * self.size.get()))
    }

    pub(crate) fn set(&self, word: &AtomicUsize, base: *mut u8, stop: Word, size: usize) {
        self.word.set(word);
        self.base.set(base);
        self.stop.set(stop);
        self.size.set(size);
    }

    pub(crate) fn clear(&self) {
        self.word.set(&raw const NOTHING_FREE);
        self.stop.set(0);
    }

    /// Whether blocks are taken from `word` right now.
    #[inline(always)]
    pub(crate) fn is_at(&self, word: *const AtomicUsize) -> bool {
        core::ptr::eq(self.word.get(), word)
    }
}

/// The slabs of one class that have free slots.
#[derive(Debug)]
pub(crate) struct Bin {
    /// The slab of the current word.
    current: Cell<Option<PageNo>>,
    /// Where in the current slab the sweep for single free slots has come to.
    sweep: Cell<u16>,
    head: Cell<Option<PageNo>>,
    tail: Cell<Option<PageNo>>,
}

impl Bin {
    const fn new() -> Self {
        Self { current: Cell::new(None), sweep: Cell::new(0), head: Cell::new(None), tail: Cell::new(None) }
    }

    pub(crate) fn current(&self) -> Option<PageNo> {
        self.current.get()
    }

    pub(crate) fn set_current(&self, page: Option<PageNo>) {
        self.current.set(page);
        self.sweep.set(0);
    }

    pub(crate) fn sweep(&self) -> usize {
        usize::from(self.sweep.get())
    }

    pub(crate) fn set_sweep(&self, word: usize) {
        self.sweep.set(word as u16);
    }

    /// The first slab of the queue.
    pub(crate) fn head(&self) -> Option<PageNo> {
        self.head.get()
    }

    /// Whether the queue holds more than one slab.
    pub(crate) fn has_several(&self) -> bool {
        self.head.get() != self.tail.get()
    }

    pub(crate) fn push_back<const SHIFT: u32>(&self, map: &PageMap<SHIFT>, page: PageNo) {
        let header = map.header(page);
        header.next.set_page(None);
        header.prev.set_page(self.tail.get());
        match self.tail.get() {
            Some(last) => map.header(last).next.set_page(Some(page)),
            None => self.head.set(Some(page)),
        }
        self.tail.set(Some(page));
    }

    pub(crate) fn pop_front<const SHIFT: u32>(&self, map: &PageMap<SHIFT>) -> Option<PageNo> {
        let page = self.head.get()?;
        self.unlink(map, page);
        Some(page)
    }

    /// Takes `page`, one of the queue's, out of it.
    pub(crate) fn unlink<const SHIFT: u32>(&self, map: &PageMap<SHIFT>, page: PageNo) {
        let header = map.header(page);
        let (next, prev) = (header.next.page(), header.prev.page());
        match prev {
            Some(prev) => map.header(prev).next.set_page(next),
            None => self.head.set(next),
        }
        match next {
            Some(next) => map.header(next).prev.set_page(prev),
            None => self.tail.set(prev),
        }
    }
}

/// One owner's slabs, by class.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Local<const C: usize> {
    cur: [Cur; C],
    bins: [Bin; C],
}

impl<const C: usize> Local<C> {
    pub(crate) const fn new() -> Self {
        Self { cur: [const { Cur::new() }; C], bins: [const { Bin::new() }; C] }
    }

    /// The current word of `class`, one of the heap's.
    #[inline(always)]
    pub(crate) fn cur(&self, class: Class) -> &Cur {
        debug_assert!(class.index() < C);
        // SAFETY: `C` is the number of the heap's classes (asserted where
        // heaps are made) and classes come from `Geometry::class_of`, which
        // stays below it for every size that slabs serve.
        unsafe { self.cur.get_unchecked(class.index()) }
    }

    pub(crate) fn bin(&self, class: Class) -> &Bin {
        debug_assert!(class.index() < C);
        // SAFETY: as in `cur`.
        unsafe { self.bins.get_unchecked(class.index()) }
    }
}
