//! One owner's view of its slabs.

use core::cell::Cell;
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::Relaxed;
use core::{hint, ptr};

use super::bin::Bin;
use super::cur::{Claim, Cur, Slots};
use super::loose::Loose;
use super::recent::Recent;
use crate::pages::header::Header;
use crate::pages::map::PageMap;
use crate::pages::pair::BitPair;
use crate::slab::Slot;
use crate::units::{Class, PageNo, WORD_BITS, Word};

/// The heap's first address range as an owner knows it: the fast path finds
/// all it needs in the owner. The range only grows between two looks as far as
/// headers go; pages that were given back meanwhile are blank.
///
/// All zero: there is none yet.
#[derive(Debug)]
#[repr(C)]
struct FirstRange {
    /// The page that it begins with, counted from address 0.
    start: Cell<usize>,
    pages: Cell<usize>,
    table: Cell<*const Header>,
}

/// One owner's slabs, by class.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Local<const C: usize, R> {
    cur: [Cur; C],
    first: FirstRange,
    /// The block that was freed and remembered last, and its class as an offset in `cur`:
    /// see `freed_last`.
    last: Cell<*mut u8>,
    last_class: Cell<usize>,
    /// An offset in `cur`: the class beyond those in the table that a block was taken of last.
    taken: AtomicUsize,
    /// Another: the class of which slots were claimed last.
    claimed: Cell<usize>,
    /// What lies free in the slabs.
    pub(crate) loose: Loose,
    bins: [Bin; C],
    /// Last, since largest: see there.
    pub(crate) recent: R,
}

impl<const C: usize, R: Recent<C>> Local<C, R> {
    pub(crate) const fn new() -> Self {
        let first = FirstRange { start: Cell::new(0), pages: Cell::new(0), table: Cell::new(ptr::null()) };
        Self {
            cur: [const { Cur::new() }; C],
            first,
            last: Cell::new(ptr::null_mut()),
            last_class: Cell::new(0),
            taken: AtomicUsize::new(0),
            claimed: Cell::new(0),
            loose: Loose::new(),
            bins: [const { Bin::new() }; C],
            recent: R::NEW,
        }
    }

    /// Takes note of how far the heap's first range reaches now.
    pub(crate) fn note_range<const SHIFT: u32>(&self, map: &PageMap<SHIFT>) {
        let region = map.region(0);
        let pages = region.bytes() >> SHIFT;
        if pages > self.first.pages.get() {
            self.first.start.set(region.base().addr() >> SHIFT);
            self.first.table.set(region.table());
            self.first.pages.set(pages);
        }
    }

    /// The header of the page that `p` points into and the offset there, if
    /// that is in the first range as last seen.
    #[inline(always)]
    pub(crate) fn header_of<const SHIFT: u32>(&self, p: *const u8) -> Option<(&Header, usize)> {
        let index = (p.addr() >> SHIFT).wrapping_sub(self.first.start.get());
        if index >= self.first.pages.get() {
            return None;
        }
        let header = self.first.table.get().wrapping_add(index);
        // SAFETY: as below. (Said to the compiler beforehand, it spares the callers' `Option` a test for null.)
        unsafe { hint::assert_unchecked(!header.is_null()) };
        // SAFETY: headers are opened before the range's end passes them, and
        // are never unmapped.
        Some((unsafe { &*header }, p.addr() & ((1 << SHIFT) - 1)))
    }

    /// The header of the page `head` of the first range, from the header of a
    /// page of the same slab, and how many pages lie between; `None` if the owner never looked
    /// at that range, or the slab is gone: a stale pointer's page may be linked to any other.
    #[inline(always)]
    pub(crate) fn head_of<'a>(&self, body: &'a Header, head: PageNo) -> Option<(&'a Header, usize)> {
        let table = self.first.table.get();
        if table.is_null() {
            return None;
        }
        let index = (ptr::from_ref(body).addr() - table.addr()) / size_of::<Header>();
        let pages = index.checked_sub((head.get() - PageNo::FIRST.get()) as usize)?;
        // SAFETY: the head is not above the body, whose header is open, in the same
        // table; the first range begins with the first page.
        Some((unsafe { &*ptr::from_ref(body).wrapping_sub(pages) }, pages))
    }

    /// Takes a block of `class` if one is at hand.
    #[inline(always)]
    pub(crate) fn take(&self, class: Class) -> Option<*mut u8> {
        let cur = self.cur(class);
        self.recent.pop(cur).or_else(|| cur.take_lowest())
    }

    /// Whether the slot is claimed.
    pub(crate) fn has_claimed(&self, slot: &Slot<'_>) -> bool {
        let word = slot.header.bits().wrapping_add(slot.index / WORD_BITS);
        self.cur(slot.class).claimed_of(word) & 1 << (slot.index % WORD_BITS) != 0
    }

    /// The slots that are claimed, by class.
    pub(crate) fn claimed(&self) -> impl Iterator<Item = (usize, Class)> {
        (0..C).map(Class::nth).map(|class| (self.cur(class).claimed(), class))
    }

    /// Whether `p` was remembered last, by way of [`note_freed`](Self::note_freed).
    #[inline(always)]
    pub(crate) fn is_freed_last(&self, p: *mut u8) -> bool {
        ptr::eq(self.last.get(), p)
    }

    /// Where blocks of the class of the block that was freed last come from, if that is
    /// `class` or it is not asked for. (A signal handler may come between the two notes: of
    /// another class, what is found does not name the block.)
    #[inline(always)]
    pub(crate) fn freed_last(&self, class: Option<Class>) -> Option<&Cur> {
        let offset = self.last_class.get();
        class.is_none_or(|class| class.offset() == offset).then(|| self.cur_at(offset))
    }

    /// Notes that the block at `p`, one of `class`, is freed and remembered.
    #[inline(always)]
    pub(crate) fn note_freed(&self, p: *mut u8, class: Class) {
        self.last.set(p);
        self.last_class.set(class.offset());
    }

    /// Notes that a block is freed and not remembered: another would be in the place of the one
    /// that was freed last, which [`freed_last`](Self::freed_last) would find there no more.
    pub(crate) fn forget_freed(&self) {
        self.last.set(ptr::null_mut());
    }

    /// The class beyond those in the table that a block was taken of last.
    #[inline(always)]
    pub(crate) fn taken(&self) -> &Cur {
        self.cur_at(self.taken.load(Relaxed))
    }

    /// Notes that a block of `class`, one beyond those in the table, is taken.
    #[inline(always)]
    pub(crate) fn note_taken(&self, class: Class) {
        self.taken.store(class.offset(), Relaxed);
    }

    /// Takes blocks of `class` from these slots from now on, of which none is remembered. Returns
    /// the bits of those that will come.
    pub(crate) fn take_from(&self, class: Class, slots: &Slots<'_>) -> Word {
        let free = slots.free();
        if !self.recent.is_empty(self.cur(class)) {
            // A signal handler freed one just before: it is not to come from there, too.
            self.forget(class);
        }
        // What was freed last may be among them, and is not to be freed again unseen.
        self.forget_freed();
        self.cur(class).set(slots, free);
        self.claimed.set(class.offset());
        free
    }

    /// Claims what is free in the current word of `class`, if nothing of it is remembered.
    pub(crate) fn claim_again(&self, class: Class, free: impl FnOnce(&BitPair) -> Word) {
        let cur = self.cur(class);
        if self.recent.is_empty(cur) {
            if let Some(Claim { word, .. }) = cur.park() {
                cur.claim(Some(Claim { word, free: free(word) }));
                self.forget_freed();
                self.claimed.set(class.offset());
            }
        }
    }

    /// Gives up what was claimed last, until it is claimed again.
    pub(crate) fn park(&self) {
        self.cur_at(self.claimed.get()).park();
    }

    /// A block of `class` is not remembered. Makes room, if there was none. (Those of
    /// the smallest classes, of which many are freed at a time, are let go one by one:
    /// nothing has to be told of them before all of their word are free.)
    pub(crate) fn make_room(&self, class: Class, seated: bool) -> usize {
        let dropped = self.recent.make_room(self.cur(class), class, seated);
        self.loose.drop_remembered(dropped * class.size());
        dropped
    }

    /// Makes room to remember more blocks of `class`, if there is none and the owner may have so much free; `slack` bytes
    /// need no licence.
    pub(crate) fn remember_more(&self, class: Class, slack: usize) {
        let by = self.recent.to_widen(self.cur(class), class);
        if by > 0 && self.loose.remember(by * class.size(), slack) {
            self.recent.widen(class, by);
        }
    }

    /// Whether there is no room, and more may be made.
    pub(crate) fn wants_room(&self, class: Class) -> bool {
        self.recent.to_widen(self.cur(class), class) > 0
    }

    /// What more may be remembered for that.
    pub(crate) fn widened(&self) -> usize {
        (0..C).map(Class::nth).map(|class| self.recent.widened(class) * class.size()).sum()
    }

    /// Takes that room back from `class`.
    pub(crate) fn narrow(&self, class: Class) {
        if self.loose.remembered() > 0 {
            self.recent.narrow(self.cur(class), class);
        }
    }

    /// Remembers no block of `class` as freed lately.
    pub(crate) fn forget(&self, class: Class) {
        self.recent.forget(self.cur(class), class);
    }

    /// Remembers no block of `class`, nor any that is freed now, until the next
    /// [`forget`](Self::forget).
    pub(crate) fn shut(&self, class: Class) {
        self.recent.shut(self.cur(class), class);
    }

    /// Remembers no block at all as freed lately, nor that any was borrowed.
    pub(crate) fn forget_all(&self) {
        for class in (0..C).map(Class::nth) {
            let bin = self.bin(class);
            // Most classes' memory was never used, and is not to be written now.
            if self.cur(class).top() != 0 || !bin.is_empty() {
                self.forget(class);
            }
            if bin.borrowed() != 0 {
                bin.set_borrowed(0);
            }
        }
    }

    /// Where blocks of `class`, one of the heap's, come from.
    #[inline(always)]
    pub(crate) fn cur(&self, class: Class) -> &Cur {
        debug_assert!(class.index() < C);
        self.cur_at(class.offset())
    }

    #[inline(always)]
    fn cur_at(&self, offset: usize) -> &Cur {
        let cur = (&raw const self.cur).cast::<Cur>().wrapping_byte_add(offset);
        // SAFETY: as below. (Said to the compiler beforehand, it spares the callers' `Option` a test for null.)
        unsafe { hint::assert_unchecked(!cur.is_null()) };
        // SAFETY: `C` is the number of the heap's classes (asserted where
        // heaps are made) and classes come from [`Geometry`], which
        // stays below it for every size that slabs serve. A class is the
        // offset in a table of entries of `STRIDE` bytes.
        unsafe { &*cur }
    }

    pub(crate) fn bin(&self, class: Class) -> &Bin {
        debug_assert!(class.index() < C);
        // SAFETY: `class` is below `C`, as in `cur`.
        unsafe { self.bins.get_unchecked(class.index()) }
    }
}
