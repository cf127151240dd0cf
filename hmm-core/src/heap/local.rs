//! One owner's view of its slabs.

use core::num::NonZero;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::sync::atomic::{AtomicPtr, AtomicU16, AtomicU32, AtomicUsize, compiler_fence};

use crate::pages::header::Link;
use crate::pages::map::PageMap;
use crate::units::{Class, PageNo, Word};

/// What `cur` points at when there is no current word: no slot is free.
static NOTHING_FREE: AtomicUsize = AtomicUsize::new(0);

/// The word that blocks of a class are taken from.
///
/// The fields are atomics, as all of an owner's are, for those who look in from
/// elsewhere: the validator, and signal handlers that interrupt the owner. They
/// are loaded and stored like plain ones.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Cur {
    word: AtomicPtr<AtomicUsize>,
    /// The address of the word's first slot.
    base: AtomicPtr<u8>,
    /// The bits of the word that are slots; the others are phantoms.
    slots: AtomicUsize,
    /// Bytes of a slot.
    size: AtomicUsize,
}

impl Cur {
    const fn new() -> Self {
        Self {
            word: AtomicPtr::new((&raw const NOTHING_FREE).cast_mut()),
            base: AtomicPtr::new(core::ptr::null_mut()),
            slots: AtomicUsize::new(0),
            size: AtomicUsize::new(0),
        }
    }

    /// Takes the lowest free slot of the word, if any is left.
    #[inline(always)]
    pub(crate) fn take(&self) -> Option<*mut u8> {
        // SAFETY: the word is one of a live slab's bitmap, or `NOTHING_FREE`;
        // neither is ever unmapped.
        let word = unsafe { &*self.word.load(Relaxed) };
        let free = word.load(Relaxed);
        if free & self.slots.load(Relaxed) == 0 {
            return None;
        }
        word.store(free & free.wrapping_sub(1), Relaxed);
        // SAFETY: a bit of it is set.
        let slot = unsafe { NonZero::new_unchecked(free) }.trailing_zeros();
        // The phantoms are the highest bits, so the lowest one is a slot's.
        Some(self.base.load(Relaxed).wrapping_add(slot as usize * self.size.load(Relaxed)))
    }

    /// Takes blocks from `word`, of whose bits those in `slots` are slots, from
    /// now on. In an order in which a signal handler finds either a word with
    /// all that belongs to it, or none.
    pub(crate) fn set(&self, word: &AtomicUsize, base: *mut u8, slots: Word, size: usize) {
        self.clear();
        compiler_fence(SeqCst);
        self.base.store(base, Relaxed);
        self.size.store(size, Relaxed);
        self.slots.store(slots, Relaxed);
        compiler_fence(SeqCst);
        self.word.store(core::ptr::from_ref(word).cast_mut(), Relaxed);
    }

    pub(crate) fn clear(&self) {
        self.word.store((&raw const NOTHING_FREE).cast_mut(), Relaxed);
    }

    /// Whether blocks are taken from `word` right now.
    #[inline(always)]
    pub(crate) fn is_at(&self, word: *const AtomicUsize) -> bool {
        core::ptr::eq(self.word.load(Relaxed), word)
    }
}

/// The slabs of one class that have free slots.
#[derive(Debug)]
pub(crate) struct Bin {
    /// The slab of the current word.
    current: AtomicU32,
    /// Where in the current slab the sweep for single free slots has come to.
    sweep: AtomicU16,
    head: AtomicU32,
    tail: AtomicU32,
}

impl Bin {
    const fn new() -> Self {
        Self { current: AtomicU32::new(0), sweep: AtomicU16::new(0), head: AtomicU32::new(0), tail: AtomicU32::new(0) }
    }

    pub(crate) fn current(&self) -> Option<PageNo> {
        self.current.page()
    }

    pub(crate) fn set_current(&self, page: Option<PageNo>) {
        self.current.set_page(page);
        self.sweep.store(0, Relaxed);
    }

    pub(crate) fn sweep(&self) -> usize {
        usize::from(self.sweep.load(Relaxed))
    }

    pub(crate) fn set_sweep(&self, word: usize) {
        self.sweep.store(word as u16, Relaxed);
    }

    /// The first slab of the queue.
    pub(crate) fn head(&self) -> Option<PageNo> {
        self.head.page()
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
