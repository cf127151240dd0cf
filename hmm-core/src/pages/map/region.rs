//! One address range of the heap: where it lies, how far it reaches, and its tables.
//!
//! ```text
//!   base                       base + bytes             base + room pages
//!   ▼                          ▼                        ▼
//!   | pages that the heap has  | may become the heap's  |     addresses
//!   | headers, dirty bits      | not open yet           |     table, dirty
//! ```
//!
//! Only the holder of the run layer's lock writes the fields, but anybody reads them: a page
//! is in the region once `bytes` reaches it, and its header and its dirty bit are open by then.

use crate::sync::Ordering::{Acquire, Relaxed, Release};
use crate::sync::{AtomicPtr, AtomicU32, AtomicUsize};

use crate::pages::header::Header;
use crate::units::{PageNo, WORD_BITS};

/// One address range of the heap.
#[derive(Debug)]
pub(crate) struct Region {
    /// Where the range starts, a multiple of the page size.
    base: AtomicPtr<u8>,
    /// How far it reaches now, in bytes from `base`.
    bytes: AtomicUsize,
    /// The headers of its pages.
    table: AtomicPtr<Header>,
    /// A bit a page: set if the page, when free, may hold something else than
    /// zero (and thus memory of the system's).
    dirty: AtomicPtr<AtomicUsize>,
    /// The number of its first page; 0 while the region is not in use.
    first: AtomicU32,
    /// Pages the table has room for.
    room: AtomicU32,
}

impl Region {
    pub(super) const fn new() -> Self {
        Self {
            base: AtomicPtr::new(core::ptr::null_mut()),
            bytes: AtomicUsize::new(0),
            table: AtomicPtr::new(core::ptr::null_mut()),
            dirty: AtomicPtr::new(core::ptr::null_mut()),
            first: AtomicU32::new(0),
            room: AtomicU32::new(0),
        }
    }

    /// How far `p` lies from the base, if the region reaches so far: for readers without the lock, of a region that
    /// never moves.
    #[inline(always)]
    pub(super) fn offset_of(&self, p: *const u8) -> Option<usize> {
        let offset = p.addr().wrapping_sub(self.base().addr());
        (offset < self.bytes.load(Acquire)).then_some(offset)
    }

    /// As [`offset_of`](Self::offset_of), of one that may be [reopened](Self::reopen) elsewhere meanwhile: what is at this
    /// place by now may be another region's.
    #[inline(always)]
    pub(super) fn offset_of_if_there(&self, p: *const u8) -> Option<usize> {
        let base = self.base.load(Acquire);
        let offset = p.addr().wrapping_sub(base.addr());
        (offset < self.bytes.load(Acquire) && base == self.base()).then_some(offset)
    }

    /// The index of `page` in the region, if it is one of those that the region has room for.
    #[inline(always)]
    pub(super) fn index_of(&self, page: PageNo) -> Option<u32> {
        let index = page.get().wrapping_sub(self.first.load(Relaxed));
        (index < self.room()).then_some(index)
    }

    pub(crate) fn base(&self) -> *mut u8 {
        self.base.load(Relaxed)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// The number of its first page; `None` while it is not in use.
    pub(crate) fn first(&self) -> Option<PageNo> {
        PageNo::from_link(self.first.load(Relaxed))
    }

    pub(crate) fn room(&self) -> u32 {
        self.room.load(Relaxed)
    }

    /// The pages from `start` to where the region begins; beyond all numbers if that is
    /// below.
    pub(crate) fn pages_from(&self, start: *const u8, shift: u32) -> usize {
        self.base().addr().wrapping_sub(start.addr()) >> shift
    }

    /// Makes room for another region, of `room` pages from `start` on: ends before it, or
    /// for good if it begins in there. Needs the run layer's lock, and the region to have
    /// nothing there.
    pub(crate) fn make_way(&self, start: *const u8, room: u32, shift: u32) {
        let pages = start.addr().wrapping_sub(self.base().addr()) >> shift;
        if self.pages_from(start, shift) < room as usize {
            self.room.store(0, Relaxed);
        } else if pages < self.room() as usize && self.bytes() <= pages << shift {
            self.room.store(pages as u32, Relaxed);
        }
    }

    pub(crate) fn table(&self) -> *mut Header {
        self.table.load(Relaxed)
    }

    pub(crate) fn dirty(&self) -> *mut AtomicUsize {
        self.dirty.load(Relaxed)
    }

    /// Puts the region into use, with no page yet. Needs the run layer's lock.
    pub(crate) fn open(&self, base: *mut u8, first: PageNo, room: u32, table: *mut Header, dirty: *mut AtomicUsize) {
        self.base.store(base, Relaxed);
        self.table.store(table, Relaxed);
        self.dirty.store(dirty, Relaxed);
        self.room.store(room, Relaxed);
        self.first.store(first.get(), Release);
    }

    /// Moves the region, which has no page, to another place. Needs the run layer's lock. (Whoever looks for a pointer
    /// that is live there sees it: the block came later.)
    pub(crate) fn reopen(&self, base: *mut u8, room: u32) {
        self.room.store(room, Relaxed);
        // Release: with the new place goes that nothing is there yet.
        self.base.store(base, Release);
    }

    /// Moves the region's end. Needs the run layer's lock, and an open header
    /// for each page below the new end.
    pub(crate) fn set_bytes(&self, bytes: usize) {
        self.bytes.store(bytes, Release);
    }

    /// The header of the region's page number `index`, one whose header is
    /// open: below the region's end, or named by a `PageNo`.
    #[inline(always)]
    pub(super) fn header(&self, index: usize) -> &Header {
        debug_assert!(index < self.room() as usize);
        let header = self.table().wrapping_add(index);
        // SAFETY: headers are opened before the region's end passes them or a
        // `PageNo` names them, and tables are never unmapped.
        unsafe { &*header }
    }

    /// The word that holds the dirty bit of the region's page number `index`, one whose header is open, and the bit.
    pub(super) fn dirty_word(&self, index: u32) -> (&AtomicUsize, usize) {
        let index = index as usize;
        let word = self.dirty().wrapping_add(index / WORD_BITS);
        // SAFETY: the dirty bits of all pages whose header is open are open
        // too (`Pages::open_headers`), and `index` is that of such a page.
        let word = unsafe { &*word };
        (word, 1 << (index % WORD_BITS))
    }
}
