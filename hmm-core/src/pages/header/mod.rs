//! Page headers: all that the heap knows of a page, in one cache line.
//!
//! ```text
//!   kind of page    | run     | links (next, prev)     | the rest
//!   ----------------+---------+------------------------+---------------------
//!   Blank           | –       | –                      | –
//!   Free (head)     | length  | children in the tree   | dirty pages
//!   FreeTail        | length  | –                      | –
//!   Small, Medium   | length  | the owner's queue, or  | owner, bits, recip,
//!    (head)         |         | the hand-over list     | class, touched, soiled
//!   MediumBody      | –       | next: the head         | –
//!   Large, Kept     | length  | –                      | bytes asked for
//!   Foreign (head)  | length  | –                      | –
//! ```
//!
//! The first and last header of a run of free pages carry its length
//! (boundary tags, after Knuth), so that a run finds both neighbours at once.
//! Headers inside any other run are `Blank` or `MediumBody`.
//!
//! Headers live in a table outside the pages and are never unmapped. A header
//! is only ever reached by shared reference and each field is an atomic: any
//! thread may look at a header at any time, if only to reject a wild pointer.
//! Who may *write* a field: the owner of the page for slabs, whoever holds the
//! lock of the run layer for everything else; exceptions are noted.

mod kind;

pub(crate) use self::kind::{Kind, Mark};

#[cfg(target_has_atomic = "ptr")]
use crate::sync::Ordering::AcqRel;
use crate::sync::Ordering::{Acquire, Relaxed, Release};
use crate::sync::{AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicUsize};
use core::mem::offset_of;
use core::ptr;

use super::pair::BitPair;
use crate::grow::TABLE_BYTES;
use crate::units::{Class, PageNo};

/// The header of one page. All zero: a blank page.
#[repr(C, align(16))]
#[cfg_attr(target_pointer_width = "64", repr(align(64)))]
#[derive(Debug, Default)]
pub(crate) struct Header {
    /// Who may touch the local bits: see `shared::owner`. 0 unless a slab.
    pub(crate) owner: AtomicUsize,
    /// The words of the slab's bitmap: `slab`.
    bits: AtomicPtr<BitPair>,
    /// The class's reciprocal in a small slab; 0 in all other pages, so that
    /// the fast path of `free` turns away from them by itself.
    recip: AtomicU32,
    /// Pages of the run.
    run: AtomicU32,
    /// The summary of `inline`, as of any bitmap in the word before it.
    summary: AtomicUsize,
    /// The bitmap itself if one word is enough; in a large block, the bytes asked
    /// for.
    inline: BitPair,
    /// First link: next in a queue, left child, head of the run.
    pub(crate) next: AtomicU32,
    /// Second link: previous in a queue, right child.
    pub(crate) prev: AtomicU32,
    kind: AtomicU8,
    /// See [`Mark`].
    mark: AtomicU8,
    class: AtomicU16,
    /// Words of the bitmap in use so far; slots beyond were never handed out.
    touched: AtomicU8,
    /// In a slab: the parts of it that may hold something else than zero, and
    /// thus memory; see `slab::parts`. Any thread that frees a medium slot sets
    /// its bit before the slot's own.
    soiled: AtomicU16,
}

const _: () = assert!(size_of::<Header>() == TABLE_BYTES, "a header is one cache line, where addresses have 64 bits");
const _: () = assert!(offset_of!(Header, summary) + size_of::<AtomicUsize>() == offset_of!(Header, inline));

impl Header {
    #[inline]
    pub(crate) fn kind(&self) -> Kind {
        Kind::nth(self.kind.load(Acquire))
    }

    /// Whether the page begins a slab.
    pub(crate) fn is_slab(&self) -> bool {
        matches!(self.kind(), Kind::Small | Kind::Medium)
    }

    /// Whether the page is one of `kind`: what one comparison tells.
    #[inline(always)]
    pub(crate) fn is(&self, kind: Kind) -> bool {
        self.kind.load(Relaxed) == kind as u8
    }

    /// Makes the page one of `kind`. Release: whoever sees the kind of a slab
    /// also sees what was set up before.
    pub(crate) fn set_kind(&self, kind: Kind) {
        self.kind.store(kind as u8, Release);
    }

    /// Makes a page of kind `from` one of kind `to`; `false` if it is none.
    pub(crate) fn change_kind(&self, from: Kind, to: Kind) -> bool {
        #[cfg(target_has_atomic = "ptr")]
        return self.kind.compare_exchange(from as u8, to as u8, AcqRel, Relaxed).is_ok();
        // Without such an instruction there is one owner and no other thread.
        #[cfg(not(target_has_atomic = "ptr"))]
        {
            let is_from = self.kind() == from;
            if is_from {
                self.set_kind(to);
            }
            is_from
        }
    }

    /// Pages of the run that this header begins (or, of a free run, ends).
    pub(crate) fn run(&self) -> u32 {
        self.run.load(Relaxed)
    }

    /// As [`run`](Self::run), for who steps over the run. (Acquire: an owner may cut what it keeps meanwhile, and who
    /// sees that also sees how long the rest is.)
    pub(crate) fn step(&self) -> u32 {
        self.run.load(Acquire)
    }

    /// Release: see [`step`](Self::step).
    pub(crate) fn set_run(&self, pages: u32) {
        self.run.store(pages, Release);
    }

    #[inline]
    pub(crate) fn class(&self) -> Class {
        Class::from_number(self.class.load(Relaxed))
    }

    #[inline]
    pub(crate) fn recip(&self) -> u32 {
        self.recip.load(Relaxed)
    }

    /// Whether the page is a small slab of `class`.
    #[inline(always)]
    pub(crate) fn is_small_of(&self, class: Class) -> bool {
        self.recip() != 0 && self.class() == class
    }

    #[inline]
    pub(crate) fn bits(&self) -> *const BitPair {
        self.bits.load(Relaxed)
    }

    pub(crate) fn touched(&self) -> usize {
        usize::from(self.touched.load(Relaxed))
    }

    pub(crate) fn set_touched(&self, words: usize) {
        self.touched.store(words as u8, Relaxed);
    }

    /// Where the page's bitmap lies when one word is enough.
    pub(crate) fn inline_bits(&self) -> *const BitPair {
        // By way of the header: there is something before it, too.
        ptr::from_ref(self).wrapping_byte_add(offset_of!(Self, inline)).cast()
    }

    /// In the head of a large block: the bytes asked for.
    pub(crate) fn large_bytes(&self) -> usize {
        self.inline.local.load(Relaxed)
    }

    pub(crate) fn set_large_bytes(&self, bytes: usize) {
        self.inline.local.store(bytes, Relaxed);
    }

    /// They are `bytes` now and no longer `from`; `false` if they were not that: the block is gone.
    pub(crate) fn change_large_bytes(&self, from: usize, bytes: usize) -> bool {
        #[cfg(target_has_atomic = "ptr")]
        return self.inline.local.compare_exchange(from, bytes, Relaxed, Relaxed).is_ok();
        // As above.
        #[cfg(not(target_has_atomic = "ptr"))]
        {
            let is_from = self.large_bytes() == from;
            if is_from {
                self.set_large_bytes(bytes);
            }
            is_from
        }
    }

    /// Changes the large block that begins here by `change`, while nobody else can free it. `None` if there is
    /// none: another thread has freed it.
    pub(crate) fn hold_large<R>(&self, change: impl FnOnce() -> R) -> Option<R> {
        self.change_kind(Kind::Large, Kind::Kept).then(|| {
            let result = change();
            self.set_kind(Kind::Large);
            result
        })
    }

    /// In the head of a free run: its pages that may hold something else than
    /// zero.
    pub(crate) fn dirty_pages(&self) -> u32 {
        self.inline.local.load(Relaxed) as u32
    }

    pub(crate) fn set_dirty_pages(&self, pages: u32) {
        self.inline.local.store(pages as usize, Relaxed);
    }

    /// Whether pages of this large block were moved here.
    pub(crate) fn is_moved(&self) -> bool {
        self.has(Mark::MOVED)
    }

    /// Notes that pages of this large block were moved here, or that nothing is to be known of it.
    pub(crate) fn mark_only_moved(&self, moved: bool) {
        self.mark.store(if moved { Mark::MOVED as u8 } else { 0 }, Relaxed);
    }

    pub(crate) fn has(&self, mark: Mark) -> bool {
        self.mark.load(Relaxed) & mark as u8 != 0
    }

    /// Sets the mark. Any thread with a block of the slab may.
    pub(crate) fn set(&self, mark: Mark) {
        if !self.has(mark) {
            #[cfg(target_has_atomic = "ptr")]
            self.mark.fetch_or(mark as u8, Relaxed);
            // Without such an instruction there is one owner and no other thread.
            #[cfg(not(target_has_atomic = "ptr"))]
            self.mark.store(self.mark.load(Relaxed) | mark as u8, Relaxed);
        }
    }

    /// Writes the fields of a slab, all but its kind and its owner.
    /// `bare`: see [`Mark::Bare`].
    pub(crate) fn set_slab(&self, class: Class, recip: u32, bits: *const BitPair, bare: bool) {
        self.class.store(class.number(), Relaxed);
        self.bits.store(bits.cast_mut(), Relaxed);
        self.touched.store(0, Relaxed);
        self.mark.store(if bare { Mark::Bare as u8 } else { 0 }, Relaxed);
        self.recip.store(recip, Relaxed);
    }

    /// The parts of this slab that may hold something else than zero.
    #[inline]
    pub(crate) fn soiled(&self) -> u16 {
        self.soiled.load(Relaxed)
    }

    pub(crate) fn set_soiled(&self, parts: u16) {
        if self.soiled() != parts {
            self.soiled.store(parts, Relaxed);
        }
    }

    /// Notes that `parts` of this slab may hold something else than zero. Any
    /// thread that frees a medium slot may call it.
    #[inline]
    pub(crate) fn soil(&self, parts: u16) {
        if self.soiled() & parts != parts {
            #[cfg(target_has_atomic = "ptr")]
            self.soiled.fetch_or(parts, Relaxed);
            // Without such an instruction there is one owner and no other
            // thread.
            #[cfg(not(target_has_atomic = "ptr"))]
            self.set_soiled(self.soiled() | parts);
        }
    }

    /// Notes that `parts`, wholly free ones, are zero.
    pub(crate) fn unsoil(&self, parts: u16) {
        #[cfg(target_has_atomic = "ptr")]
        self.soiled.fetch_and(!parts, Relaxed);
        #[cfg(not(target_has_atomic = "ptr"))]
        self.set_soiled(self.soiled() & !parts);
    }

    /// Turns the header of a slab into one that no fast path accepts. It keeps naming the bitmap, for those that
    /// come right now, with a block that is none any more.
    pub(crate) fn clear_slab(&self) {
        self.recip.store(0, Relaxed);
        self.owner.store(0, Relaxed);
    }
}

/// A header's link field, as the page it names.
pub(crate) trait Link {
    fn page(&self) -> Option<PageNo>;
    fn set_page(&self, page: Option<PageNo>);
}

impl Link for AtomicU32 {
    fn page(&self) -> Option<PageNo> {
        PageNo::from_link(self.load(Relaxed))
    }

    fn set_page(&self, page: Option<PageNo>) {
        self.store(PageNo::to_link(page), Relaxed);
    }
}
