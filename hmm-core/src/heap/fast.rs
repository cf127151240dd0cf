//! The two paths that programs take millions of times a second.
//!
//! Both are in line in the API's functions and end in a tail call when the
//! common case does not hold. `docs/design.md` has their instruction budget.

use core::ptr;
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::Relaxed;

use super::local::Local;
use super::recent::Recent;
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

/// Takes a block of at least `size` bytes, if that is little and there is one
/// at hand.
#[inline(always)]
pub(crate) fn alloc<const SHIFT: u32, const C: usize, R: Recent<C>>(
    local: &Local<C, R>,
    size: usize,
) -> Option<*mut u8> {
    if size > Class::TABLE_MAX.min(Geometry::<SHIFT>::SLAB_MAX) {
        return None;
    }
    local.take(Class::by_table(size))
}

/// As [`alloc`], for any size that slabs serve.
#[inline]
pub(crate) fn alloc_slot<const SHIFT: u32, const C: usize, R: Recent<C>>(
    local: &Local<C, R>,
    size: usize,
) -> Option<*mut u8> {
    if size > Geometry::<SHIFT>::SLAB_MAX {
        return None;
    }
    local.take(Geometry::<SHIFT>::class_of(size))
}

/// Frees the block at `p` if it is a small slot of the owner whose slabs carry
/// `token`; `sized` is the class that it must be of, if the caller knows.
///
/// One load finds the header. If the block is the one that was taken last from
/// those freed lately, the entry there tells its bit; else one multiplication
/// finds the slot, and whether a slot begins there. The bit tells of a double
/// free.
///
/// The former is for blocks that come and go in a loop: nothing that the next
/// allocation waits for depends on the block's address then, and the processor
/// works on several rounds at once.
#[inline(always)]
pub(crate) fn free<const SHIFT: u32, const C: usize, R: Recent<C>>(
    local: &Local<C, R>,
    token: usize,
    p: *mut u8,
    sized: Option<Class>,
) -> Freed {
    let Some((header, offset)) = local.header_of::<SHIFT>(p) else { return Freed::NotHere };
    // The bare token: the slab is the owner's, has free slots, and no frees of
    // others wait in it. Had others freed slots of it, one of them might be this
    // one: its local bit would tell of no double free, and it could be handed
    // out again before the remote bit is seen.
    if header.owner.load(Relaxed) != token || sized.is_some_and(|class| header.class() != class) {
        return Freed::NotHere;
    }
    let (last, class) = (local.last(), || sized.unwrap_or_else(|| header.class()));
    let again = local.recent.above(last).filter(|entry| ptr::eq(entry.block(), p));
    let (cur, word, bit) = match again {
        Some(entry) => (last, entry.word(), entry.bit()),
        None => {
            // See `Geometry::slot_of`. A header that is not a small slab's has
            // a reciprocal of 0 and fails here.
            let recip = header.recip();
            let product = offset as u64 * u64::from(recip);
            if product as u32 >= recip {
                return Freed::NotHere;
            }
            let slot = (product >> 32) as usize;
            (local.cur(class()), header.bits().wrapping_add(slot / WORD_BITS), 1 << (slot % WORD_BITS))
        }
    };
    // SAFETY: a small slab's bitmap has a word for every slot index that an
    // offset in its page can give (`ClassInfo::words`); an entry's word is that
    // of a slab of the owner's (I10).
    let bits: &AtomicUsize = unsafe { &*word };
    let old = bits.load(Relaxed);
    if old & bit != 0 {
        return Freed::NotHere;
    }
    let now = old | bit;
    bits.store(now, Relaxed);
    if again.is_some() {
        local.recent.push_again(cur);
    } else if let Some(above) = local.recent.above(cur) {
        local.recent.push(cur, above, p, word, bit);
    }
    if now != ALL_FREE || cur.is_at(word) { Freed::Done } else { Freed::MaybeEmpty }
}
