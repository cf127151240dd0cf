//! The two paths that programs take millions of times a second.
//!
//! Both are in line in the API's functions and end in a tail call when the
//! common case does not hold. `docs/performance.md` says how many instructions they take, and the test `counts`
//! holds them to it.

use crate::sync::Ordering::Relaxed;

use super::cur::Cur;
use super::local::Local;
use super::loose::is_by_word;
use super::recent::Recent;
use crate::pages::header::{Header, Kind, Link};
use crate::pages::pair::BitPair;
use crate::slab::ALL_FREE;
use crate::units::{Class, Geometry, WORD_BITS, Word};
#[cfg(doc)]
use crate::units::{GRANULE, MIN_ALIGN};

/// How the fast path of `free` ended.
pub(crate) enum Freed<'a> {
    /// The block is free.
    Done,
    /// It is, but not remembered, and something else may have to be done: its slab may be empty,
    /// or there is no room.
    DoneAndMore,
    /// Nothing was done: not an ordinary free. The header of the page that the block is in.
    NotHere(&'a Header),
    /// Nothing was done: not in the first range, as far as the owner knows it.
    NotThere,
    /// Nothing was done: a slot of the owner's that is free already.
    Already,
}

/// How that of a medium block ended.
pub(crate) enum FreedMedium {
    /// The block is free.
    Done,
    /// It is, and there is no room to remember it, one of this class.
    NotRemembered(Class),
    /// Nothing was done: not an ordinary free.
    NotHere,
}

/// Whether a slab may be empty of which a slot was freed, if the slot's word, one of the
/// class of `cur`, is `now`.
#[inline(always)]
fn may_be_empty(now: Word, cur: &Cur, word: &BitPair) -> bool {
    now == ALL_FREE && !cur.is_at(word)
}

/// Takes a block of at least `size` bytes at a multiple of `align`, [`MIN_ALIGN`] or [`GRANULE`], if
/// that is little and there is one at hand.
#[inline(always)]
pub(crate) fn alloc<const SHIFT: u32, const C: usize, R: Recent<C>>(
    local: &Local<C, R>,
    align: usize,
    size: usize,
) -> Option<*mut u8> {
    if size > Geometry::<SHIFT>::TABLE_MAX {
        return None;
    }
    local.take(Geometry::<SHIFT>::class_by_table(size, align))
}

/// As [`alloc`], for any size that slabs serve.
#[inline]
pub(crate) fn alloc_slot<const SHIFT: u32, const C: usize, R: Recent<C>>(
    local: &Local<C, R>,
    align: usize,
    size: usize,
) -> Option<*mut u8> {
    match size <= Geometry::<SHIFT>::TABLE_MAX {
        true => alloc::<SHIFT, C, R>(local, align, size),
        false => alloc_beyond::<SHIFT, C, R>(local, size),
    }
}

/// As [`alloc_slot`], for sizes that are not [`alloc`]'s.
#[inline(always)]
pub(crate) fn alloc_beyond<const SHIFT: u32, const C: usize, R: Recent<C>>(
    local: &Local<C, R>,
    size: usize,
) -> Option<*mut u8> {
    if !(Geometry::<SHIFT>::TABLE_MAX + 1..=Geometry::<SHIFT>::SLAB_MAX).contains(&size) {
        return None;
    }
    let class = Geometry::<SHIFT>::class_by_formula(size);
    local.note_taken(class);
    local.take(class)
}

/// As [`alloc_slot`], at a multiple of `align`, a power of two.
#[inline(always)]
pub(crate) fn alloc_aligned<const SHIFT: u32, const C: usize, R: Recent<C>>(
    local: &Local<C, R>,
    align: usize,
    size: usize,
) -> Option<*mut u8> {
    let class = Geometry::<SHIFT>::class_of_aligned(size, align)?;
    if class.index() >= Geometry::<SHIFT>::IN_TABLE {
        local.note_taken(class);
    }
    local.take(class)
}

/// Frees the block at `p` if it is a small slot of the owner whose slabs carry
/// `token`; `sized` is the class that it must be of, if the caller knows.
///
/// One load finds the header, one multiplication the slot and whether a slot
/// begins there, and its bits tell of a double free.
#[inline(always)]
pub(crate) fn free<const SHIFT: u32, const C: usize, R: Recent<C>>(
    local: &Local<C, R>,
    token: usize,
    p: *mut u8,
    sized: Option<Class>,
) -> Freed<'_> {
    if local.is_freed_last(p) && free_again(local, p, sized) {
        return Freed::Done;
    }
    let Some((header, offset)) = local.header_of::<SHIFT>(p) else { return Freed::NotThere };
    // The bare token: the slab is the owner's and has free slots.
    if header.owner.load(Relaxed) != token || sized.is_some_and(|class| header.class() != class) {
        return Freed::NotHere(header);
    }
    // See `Geometry::slot_of`. A header that is not a small slab's has a
    // reciprocal of 0 and fails here.
    let recip = header.recip();
    let product = offset as u64 * u64::from(recip);
    if product as u32 >= recip {
        return Freed::NotHere(header);
    }
    let slot = (product >> 32) as usize;
    // SAFETY: a small slab's bitmap has a word for every slot index that an
    // offset in its page can give (`ClassInfo::words`), and is never unmapped.
    let word = unsafe { &*header.bits().wrapping_add(slot / WORD_BITS) };
    let bit = 1 << (slot % WORD_BITS);
    let class = sized.unwrap_or_else(|| header.class());
    let cur = local.cur(class);
    let Some(now) = word.free(bit, || cur.claimed_of(word)) else { return Freed::Already };
    if may_be_empty(now, cur, word) {
        return Freed::DoneAndMore;
    }
    match local.recent.above(cur) {
        Some(above) if local.recent.push(cur, above, p, word, bit) => local.note_freed(p, class),
        Some(_) if !is_by_word(class) => return Freed::DoneAndMore,
        Some(_) => {}
        None => cur.put_back(word, bit),
    }
    Freed::Done
}

/// As [`free`] of the block that was freed and remembered last, if it is the one that was
/// taken last of its class: a loop takes a block and frees it again. Nothing that the next
/// allocation waits for depends on the block's address then, and the processor works
/// on several rounds at once.
///
/// (Whether all of its word are free now is not looked at: if so, they were after the
/// last free in this class, since the next one would have been remembered in its place, or have had
/// it forgotten which block was freed last; that one saw to it. Or frees of others were moved over
/// since, or a signal handler freed the rest; then the slab is found empty when its turn comes. Nor does anybody ask whether it is claimed:
/// where that is done, it is forgotten which block was freed last.)
#[inline(always)]
fn free_again<const C: usize, R: Recent<C>>(local: &Local<C, R>, p: *mut u8, sized: Option<Class>) -> bool {
    let Some(cur) = local.freed_last(sized) else { return false };
    let is_free = put_again(local, cur, p, |_| 0).is_some();
    if is_free {
        local.recent.push_again(cur);
    }
    is_free
}

/// Frees a block in a page without a reciprocal, if it is the one that was taken last of
/// those beyond the table; `None` if it is not. Says whether its slab may be empty: it is not
/// remembered then. (Here a wrong guess costs little beside what it saves.)
#[inline(always)]
pub(crate) fn free_taken<const C: usize, R: Recent<C>>(local: &Local<C, R>, p: *mut u8) -> Option<bool> {
    let cur = local.taken();
    let (word, now) = put_again(local, cur, p, |word| cur.claimed_of(word))?;
    let may_be_empty = may_be_empty(now, cur, word);
    if !may_be_empty {
        local.recent.push_again(cur);
    }
    Some(may_be_empty)
}

/// Frees the block at `p`, if the entry above the top of its class's stack names it: it
/// was taken from there, and the entry tells its bit. Returns its word, and what that
/// is now. The caller remembers it.
#[inline(always)]
fn put_again<'a, const C: usize, R: Recent<C>>(
    local: &'a Local<C, R>,
    cur: &'a Cur,
    p: *mut u8,
    claimed: impl FnOnce(&BitPair) -> Word,
) -> Option<(&'a BitPair, Word)> {
    let entry = local.recent.above(cur).filter(|entry| entry.is_of(p))?;
    // SAFETY: an entry's word is that of a slab of the owner's that has free slots
    // (I10). One that names no block has none: `p` may be null while no block was
    // freed yet.
    let word = unsafe { entry.word().as_ref() }?;
    let now = word.free(entry.bit(), || claimed(word))?;
    Some((word, now))
}

/// As [`free`], of a medium slot in the page of `header`.
#[inline(always)]
pub(crate) fn free_medium<const SHIFT: u32, const C: usize, R: Recent<C>>(
    local: &Local<C, R>,
    token: usize,
    header: &Header,
    p: *mut u8,
) -> FreedMedium {
    let mut offset = p.addr() & ((1 << SHIFT) - 1);
    let header = match header.kind() {
        Kind::Medium => header,
        Kind::MediumBody => match header.next.page().and_then(|head| local.head_of(header, head)) {
            Some((head, pages)) => {
                offset += pages << SHIFT;
                head
            }
            None => return FreedMedium::NotHere,
        },
        _ => return FreedMedium::NotHere,
    };
    let class = header.class();
    let Some(slot) = Geometry::<SHIFT>::slot_of(class, offset) else { return FreedMedium::NotHere };
    if header.owner.load(Relaxed) != token {
        return FreedMedium::NotHere;
    }
    // SAFETY: as in `free`; medium slabs have one word.
    let word = unsafe { &*header.bits() };
    let bit = 1 << slot;
    let local_bits = word.local.load(Relaxed);
    let cur = local.cur(class);
    if word.is_free(bit) || cur.claimed_of(word) & bit != 0 || (local_bits | bit == ALL_FREE && !cur.is_at(word)) {
        return FreedMedium::NotHere;
    }
    header.soil(1 << slot);
    word.local.store(local_bits | bit, Relaxed);
    match local.recent.above(cur) {
        Some(above) if !local.recent.push(cur, above, p, word, bit) => FreedMedium::NotRemembered(class),
        _ => FreedMedium::Done,
    }
}

/// A slot of a small slab that is in use, as far as its bits tell.
pub(crate) struct Used<'a> {
    pub(crate) header: &'a Header,
    word: &'a BitPair,
    bit: Word,
}

impl Used<'_> {
    /// Whether it is free all the same: claimed by the owner.
    #[inline(always)]
    pub(crate) fn is_claimed<const C: usize, R: Recent<C>>(&self, local: &Local<C, R>) -> bool {
        local.cur(self.header.class()).claimed_of(self.word) & self.bit != 0
    }

    /// The bytes of the block.
    #[inline(always)]
    pub(crate) fn bytes<const SHIFT: u32>(&self) -> usize {
        Geometry::<SHIFT>::info(self.header.class()).size as usize
    }
}

/// The slot at `p`, if it is one of a small slab, whoever's, and in use.
#[inline(always)]
pub(crate) fn used<const SHIFT: u32, const C: usize, R: Recent<C>>(
    local: &Local<C, R>,
    p: *const u8,
) -> Option<Used<'_>> {
    let (header, offset) = local.header_of::<SHIFT>(p)?;
    let recip = header.recip();
    let product = offset as u64 * u64::from(recip);
    if product as u32 >= recip {
        return None;
    }
    let slot = (product >> 32) as usize;
    // SAFETY: as in `free`: while a block lives in it, the slab stays. (If `p` is none any more, it may go right now;
    // its header keeps naming the bitmap, which stays.)
    let word = unsafe { &*header.bits().wrapping_add(slot / WORD_BITS) };
    let bit = 1 << (slot % WORD_BITS);
    (!word.is_free(bit)).then_some(Used { header, word, bit })
}
