//! What happens when the current word of a class is used up.
//!
//! In this order: another word of the current slab, the next slab of the
//! queue, a slab that someone handed over, a fresh slab. Within a slab: the
//! lowest word with many free slots, else a word not touched so far, else
//! whatever single slots are left, in one sweep over the slab.

use core::sync::atomic::Ordering::Relaxed;

use super::{Supply, bits_of};
use crate::pages::Growth;
use crate::pages::header::Header;
use crate::slab::Bits;
use crate::units::{Class, Geometry, PageNo, WORD_BITS};

/// Words with at least so many free slots are worth going back for before new
/// memory is touched.
const MANY: u32 = 8;

/// Makes a word of `class` with a free slot current. `false`: no memory.
pub(crate) fn refill<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, class: Class) -> bool {
    let bin = s.local().bin(class);
    if let Some(page) = bin.current() {
        let header = s.map().header(page);
        if advance(s, class, page, header) {
            return true;
        }
        s.local().cur(class).clear();
        bin.set_current(None);
        settle(s, page, header);
    }
    loop {
        let page = match bin.pop_front(s.map()).or_else(|| s.adopt(class)) {
            Some(page) => page,
            None => match fresh(s, class) {
                Some(page) => page,
                None => return false,
            },
        };
        let header = s.map().header(page);
        bin.set_current(Some(page));
        if advance(s, class, page, header) {
            return true;
        }
        bin.set_current(None);
        settle(s, page, header);
    }
}

/// Makes the next word of the slab current; `false` if no slot is free.
fn advance<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    class: Class,
    page: PageNo,
    header: &Header,
) -> bool {
    let info = Geometry::<SHIFT>::info(class);
    let bits = bits_of::<SHIFT>(header);
    let slots = usize::from(info.slots);
    s.drain(header, &bits);
    let bin = s.local().bin(class);
    let Some(word) = next_word(header, &bits, slots, bin.sweep(), |sweep| bin.set_sweep(sweep)) else {
        return false;
    };
    let size = info.size as usize;
    let base = s.map().address(page).wrapping_add(word * WORD_BITS * size);
    s.local().cur(class).set(bits.local(word), base, !Bits::phantoms(word, slots), size);
    true
}

/// The word of the slab to take blocks from next. `sweep` is where the sweep
/// for single slots has come to, 0 if it has not begun.
fn next_word(header: &Header, bits: &Bits<'_>, slots: usize, sweep: usize, set_sweep: impl Fn(usize)) -> Option<usize> {
    let free = |word| bits.local(word).load(Relaxed) & !Bits::phantoms(word, slots);
    if sweep == 0 {
        let touched = bits.touched();
        if let Some(word) = (0..touched).find(|&word| free(word).count_ones() >= MANY) {
            return Some(word);
        }
        if touched < bits.words() {
            header.set_touched(touched + 1);
            return Some(touched);
        }
    }
    let word = (sweep..bits.words()).find(|&word| free(word) != 0)?;
    set_sweep(word + 1);
    Some(word)
}

/// Files a slab of the owner's that is neither current nor queued: where it
/// belongs depends on how much of it is free.
pub(crate) fn settle<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, page: PageNo, header: &Header) {
    let class = header.class();
    let bits = bits_of::<SHIFT>(header);
    let bin = s.local().bin(class);
    let slots = usize::from(Geometry::<SHIFT>::info(class).slots);
    while !bits.any_free(slots) {
        if s.close(header) {
            return;
        }
        s.drain(header, &bits);
    }
    if bits.all_free() && bin.head().is_some() {
        s.with_pages(|pages| pages.give_slab(s.map(), page));
    } else {
        bin.push_back(s.map(), page);
    }
}

/// A slab with every slot free, now the owner's.
fn fresh<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, class: Class) -> Option<PageNo> {
    let take = |growth| s.with_pages(|pages| pages.take_slab(s.map(), class, growth)).flatten();
    let page = take(Growth::Avoid).or_else(|| {
        s.before_growth();
        take(Growth::Allow)
    })?;
    s.map().header(page).owner.store(s.token(), Relaxed);
    Some(page)
}
