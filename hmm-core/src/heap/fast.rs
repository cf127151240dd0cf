//! The two paths that programs take millions of times a second.
//!
//! Both are in line in the API's functions and end in a tail call when the
//! common case does not hold. `docs/design.md` has their instruction budget.

use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::Relaxed;

use super::local::Local;
use crate::pages::map::PageMap;
use crate::slab::ALL_FREE;
use crate::units::{Class, Geometry, WORD_BITS};

/// How the fast path of `free` ended.
pub(crate) enum Freed {
    /// The block is free.
    Done,
    /// It is, and perhaps its slab is empty: `free::emptied` has to look.
    MaybeEmpty,
    /// Nothing was done: not an ordinary free.
    NotHere,
}

/// Takes a block of at least `size` bytes from the current word of its class;
/// `None` if none is left there or the size is not a slab's.
#[inline(always)]
pub(crate) fn alloc<const SHIFT: u32, const C: usize>(local: &Local<C>, size: usize) -> Option<*mut u8> {
    let class = if size <= Class::TABLE_MAX.min(Geometry::<SHIFT>::SLAB_MAX) {
        Class::by_table(size)
    } else if size <= Geometry::<SHIFT>::SLAB_MAX {
        Class::by_formula(size)
    } else {
        return None;
    };
    local.cur(class).take()
}

/// Frees the block at `p` if it is a small slot of the owner whose slabs carry
/// `token`.
///
/// One load finds the header, one multiplication the slot and whether a slot
/// begins there, and the bit to be set tells of a double free.
#[inline(always)]
pub(crate) fn free<const SHIFT: u32, const C: usize>(
    map: &PageMap<SHIFT>,
    local: *const Local<C>,
    token: usize,
    p: *mut u8,
) -> Freed {
    let Some(at) = map.offset_in_first(p) else { return Freed::NotHere };
    let header = map.header_in_first(at);
    let offset = at & (Geometry::<SHIFT>::PAGE - 1);
    if header.owner.load(Relaxed) != token {
        return Freed::NotHere;
    }
    // See `Geometry::slot_of`. A header that is not a small slab's has a
    // reciprocal of 0 and fails here.
    let recip = header.recip();
    let product = offset as u64 * u64::from(recip);
    if product as u32 >= recip {
        return Freed::NotHere;
    }
    let slot = (product >> 32) as usize;
    let word = header.bits().wrapping_add(slot / WORD_BITS);
    // SAFETY: a small slab's bitmap has a word for every slot index that an
    // offset in its page can give (`ClassInfo::words`).
    let bits: &AtomicUsize = unsafe { &*word };
    // While others have freed slots of the slab, one of them may be this slot:
    // its local bit would tell of no double free, and it could be handed out
    // again before the remote bit is seen.
    if header.summary.load(Relaxed) != 0 {
        return Freed::NotHere;
    }
    let old = bits.load(Relaxed);
    let bit = 1 << (slot % WORD_BITS);
    if old & bit != 0 {
        return Freed::NotHere;
    }
    bits.store(old | bit, Relaxed);
    if old | bit != ALL_FREE {
        return Freed::Done;
    }
    // SAFETY: the slab is the owner's, so `local`, which belongs to `token`,
    // is a live heap.
    let local = unsafe { &*local };
    if local.cur(header.class()).is_at(word) { Freed::Done } else { Freed::MaybeEmpty }
}
