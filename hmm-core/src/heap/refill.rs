//! What happens when the current word of a class is used up.
//!
//! In this order: another word of the current slab, the next slab of the
//! queue, a slab that someone handed over, a fresh slab. Within a slab: the last
//! word once more, if many of its slots were freed meanwhile, or there is no other;
//! in one sweep upward, the words with free slots; at the end of what was touched
//! so far, once more those below with many; then a word not touched yet.
//!
//! ```text
//!   current ──swept──► back of the queue ──► front ──► current again,
//!                                                      FULL if nothing was freed meanwhile
//! ```

use crate::sync::Ordering::Relaxed;

use super::collect::recount;
use super::cur::Slots;
use super::free::give_slab;
use super::{Supply, bits_of, spare};
use crate::pages::Growth;
use crate::pages::header::Header;
use crate::slab::{Bits, ones, parts};
use crate::units::{Class, Geometry, PageNo, WORD_BITS, Word};

/// Words with at least so many free slots are worth going back for before new
/// memory is touched.
const MANY: u32 = 8;

/// Such words are looked for at each refill while so few are touched, then at one refill in
/// so many: a slab that is filled for the first time has none.
const FEW_WORDS: usize = 8;
const EACH: usize = 4;

/// Makes a word of `class` with a free slot current. `false`: no memory.
pub(crate) fn refill<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, class: Class) -> bool {
    let bin = s.local().bin(class);
    let mut used_up = bin.current();
    if let Some(page) = bin.current() {
        if advance(s, class, page, s.map().header(page)) {
            return true;
        }
    }
    // Nothing is remembered when a refill is due; what was, and is gone, must
    // not outlast the slabs that are given up below.
    s.local().forget(class);
    retire(s, class);
    loop {
        let adopt = || s.adopt(class).inspect(|&page| s.local().loose.enter(slab_bytes::<SHIFT>(s.map().header(page))));
        let next = bin.pop_front(s.map()).inspect(|&page| spare::strike_off(s, s.map().header(page)));
        let page = match next.or_else(adopt) {
            Some(page) => page,
            None => match fresh(s, class, used_up) {
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
        used_up = Some(page);
        if s.close(header) {
            let bytes = slab_bytes::<SHIFT>(header);
            s.local().loose.leave(bytes, bytes);
        } else {
            s.drain(header, &bits_of::<SHIFT>(header));
            bin.push_back(s.map(), page);
        }
    }
}

/// A block of `class` that is at hand, or one from another word of the current slab: mostly
/// that has a free slot.
pub(crate) fn take_next<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, class: Class) -> Option<*mut u8> {
    let local = s.local();
    local.take(class).or_else(|| {
        let page = local.bin(class).current()?;
        if advance(s, class, page, s.map().header(page)) { local.take(class) } else { None }
    })
}

/// Makes the next word of the slab current; `false` if the sweep is at its
/// end.
fn advance<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    class: Class,
    page: PageNo,
    header: &Header,
) -> bool {
    let info = Geometry::<SHIFT>::info(class);
    let bits = bits_of::<SHIFT>(header);
    s.drain(header, &bits);
    let bin = s.local().bin(class);
    let touched = bits.touched();
    let Some(word) = next_word(header, &bits, usize::from(info.slots), bin.cursor()) else { return false };
    let before = word * WORD_BITS;
    let base = s.map().address(page).wrapping_add(before * info.size as usize);
    let count = (usize::from(info.slots) - before).min(WORD_BITS) as u32;
    if word < touched && s.local().loose.whole() > 0 {
        s.local().loose.take_whole(parts::whole_around::<SHIFT>(header, &bits, before..before + count as usize));
    }
    let slots = Slots { word: bits.pair(word), base, count, size: info.size };
    let entered = s.local().take_from(class, &slots);
    if info.run == 1 {
        let parts = parts::parts_of_slots::<SHIFT>(class, before, entered);
        let soiled = header.soiled();
        let new = parts & !soiled;
        // Nobody else soils a small slab's parts.
        header.set_soiled(soiled | parts);
        if new != 0 && word < touched {
            refill_parts(s, new.count_ones() as usize * parts::part_bytes::<SHIFT>());
        }
    } else if word < touched {
        let clean = entered & !Word::from(header.soiled());
        refill_parts(s, clean.count_ones() as usize * class.size());
    }
    let bytes = ones(entered) as usize * info.size as usize;
    if word < touched {
        s.local().loose.take(bytes);
    }
    pass(s, bytes);
    bin.set_cursor(word + 1);
    true
}

/// Takes note of `bytes` bytes that pass through the heap.
fn pass<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, bytes: usize) {
    let loose = &s.local().loose;
    let told = loose.passed(bytes);
    if told == 0 {
        return;
    }
    end_unneeded(s);
    let is_too_much = |bytes| s.with_pages(|pages| pages.pass(s.map(), bytes)) == Some(false);
    if is_too_much(told) {
        // Perhaps only the licence is, and not what is free by now.
        return_unneeded(s);
        if is_too_much(0) {
            loose.recall();
        }
    }
}

/// If the owner needs but little of its licence, the rest ends.
fn end_unneeded<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S) {
    if s.local().loose.is_mostly_unneeded() {
        return_unneeded(s);
    }
}

/// What the owner does not need of its licence ends. The books run ahead of what is free, now to this side and
/// now to that: it is counted first, for nobody looks for what has no licence.
fn return_unneeded<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S) {
    recount(s, false);
    s.with_pages(|pages| s.local().loose.return_unneeded(pages.keep()));
}

/// Takes note of `bytes` bytes of parts that held no memory and are to be used.
fn refill_parts<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, bytes: usize) {
    let told = s.local().loose.refilled(bytes);
    if told > 0 {
        s.with_pages(|pages| {
            pages.fill(s.local().loose.fill(told));
            pages.took_parts(told);
        });
    }
}

/// The word of the slab to take blocks from next, when the sweep upward has come to
/// `cursor`.
fn next_word(header: &Header, bits: &Bits<'_>, slots: usize, cursor: usize) -> Option<usize> {
    let free = |word| bits.free_in(word, slots);
    let touched = bits.touched();
    // The last one, if much of it was freed meanwhile, or there is no other.
    let least = if bits.words() == 1 { 1 } else { MANY };
    let again = cursor.checked_sub(1).filter(|&word| ones(free(word)) >= least);
    let ahead = again.or_else(|| (cursor..touched).find(|&word| free(word) != 0));
    if ahead.is_some() || touched == bits.words() {
        return ahead;
    }
    let looks = touched < FEW_WORDS || touched % EACH == 0;
    let has_many = |&word: &usize| free(word).count_ones() >= MANY;
    let behind = if looks { (0..touched).find(has_many) } else { None };
    behind.or_else(|| {
        header.set_touched(touched + 1);
        Some(touched)
    })
}

/// Takes the current slab of `class`, if there is one, out of use, after all
/// blocks freed lately were forgotten: to the back of the queue. What is freed
/// in it until its turn comes is found then without further ado; that it is
/// FULL, if nothing was, can wait as long.
pub(crate) fn retire<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, class: Class) {
    let bin = s.local().bin(class);
    let Some(page) = bin.current() else { return };
    s.local().cur(class).unclaim();
    let header = s.map().header(page);
    let is_empty = bits_of::<SHIFT>(header).all_free() && bin.head().is_some();
    if !is_empty || !give_slab(s, page, header, 0, || bin.set_current(None)) {
        bin.set_current(None);
        bin.push_back(s.map(), page);
    }
}

/// A slab with every slot free, now the owner's current one, after the one `used_up`, if one
/// was.
fn fresh<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    class: Class,
    used_up: Option<PageNo>,
) -> Option<PageNo> {
    spare::give_all(s);
    // (Before: who waits for the lock has no slab in hand, or a fork's child would lack it.)
    end_unneeded(s);
    let take = |growth| s.with_pages(|pages| pages.take_slab(s.map(), class, used_up, growth)).flatten();
    let page = take(Growth::Avoid).or_else(|| {
        s.before_growth();
        take(Growth::Allow)
    })?;
    let header = s.map().header(page);
    s.local().loose.enter(slab_bytes::<SHIFT>(header));
    header.owner.store(s.token(), Relaxed);
    s.local().bin(class).set_current(Some(page));
    if header.soiled() == 0 {
        grew(s, slab_bytes::<SHIFT>(header));
    }
    Some(page)
}

/// The owner took a slab of `bytes` bytes that held no memory. What is free in
/// others goes back soon, if it is much and more than comes and goes anyway.
fn grew<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, bytes: usize) {
    let Some(free) = s.local().loose.grew(bytes) else { return };
    if s.with_pages(|pages| pages.keep().is_worth(free)) == Some(false) {
        s.local().loose.recall();
    }
}

/// Bytes of a slab's pages.
fn slab_bytes<const SHIFT: u32>(header: &Header) -> usize {
    (header.run() as usize) << SHIFT
}
