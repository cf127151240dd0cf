//! Freeing, past the fast path: medium and large blocks, other owners' slots,
//! full slabs, and all that is misuse.

use crate::sync::Ordering::Relaxed;

use super::local::Local;
use super::loose::is_by_word;
use super::recent::Recent;
use super::{FULL, Ground, Supply, bits_of, fit, large, spare};
use crate::misuse::{Misuse, Place, What};
use crate::pages::header::{Header, Kind, Mark};
use crate::slab::{ALL_FREE, Block, Slot, locate, parts};
use crate::units::{Geometry, PageNo, WORD_BITS};

/// Frees the block that begins at `p`.
pub(crate) fn free<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, p: *mut u8) -> Result<(), Misuse> {
    match locate(s.map(), p)? {
        Block::Slot(slot) => free_slot(s, &slot, p),
        Block::Large { page, .. } => free_large(s, page, p),
    }
}

/// Frees the slot at `p`.
pub(crate) fn free_slot<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    slot: &Slot<'_>,
    p: *mut u8,
) -> Result<(), Misuse> {
    let owner = slot.header.owner.load(Relaxed);
    let token = s.token();
    if owner == token {
        return put_back(s, slot, p, false);
    }
    let is_live = || bits_of::<SHIFT>(slot.header).is_live(slot.index);
    if owner == token | FULL && is_live() && s.reopen(slot.header) {
        return put_back(s, slot, p, true);
    }
    s.free_remote(slot, p)
}

/// Frees a slot of the owner's. `reopened`: the slab was FULL and belongs in
/// the queue again.
fn put_back<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    slot: &Slot<'_>,
    p: *mut u8,
    reopened: bool,
) -> Result<(), Misuse> {
    let bits = bits_of::<SHIFT>(slot.header);
    // Before the look at the slot: another thread may be freeing it, too.
    s.drain(slot.header, &bits);
    let (word, bit) = (bits.pair(slot.index / WORD_BITS), 1 << (slot.index % WORD_BITS));
    let (cur, recent) = (s.local().cur(slot.class), &s.local().recent);
    if word.is_free(bit) || s.local().has_claimed(slot) {
        return Err(slot.misuse(What::DoubleFree, p));
    }
    if Geometry::<SHIFT>::is_medium(slot.class) {
        slot.header.soil(1 << slot.index);
    }
    let now = word.local.load(Relaxed) | bit;
    word.local.store(now, Relaxed);
    if reopened {
        s.local().loose.enter((slot.header.run() as usize) << SHIFT);
        s.local().bin(slot.class).push_back(s.map(), slot.page);
    }
    let is_remembered = recent.above(cur).map(|above| recent.push(cur, above, p, word, bit));
    match is_remembered {
        Some(true) => {}
        Some(false) if now == ALL_FREE || !is_by_word(slot.class) => {
            let_go::<SHIFT, C, _>(s.local(), slot.header, slot.index, true);
        }
        Some(false) => {}
        None => cur.put_back(word, bit),
    }
    if now == ALL_FREE {
        emptied(s, slot.page, slot.header);
    }
    Ok(())
}

/// Slot `index` of a slab of the owner's was freed and is not remembered, for want of room or
/// because all of its word are free now: keeps the books, and makes room.
///
/// Whether a part of the slab holds no block any more is looked at only here. Where slots are
/// counted by the word, no part is free before a word is; elsewhere this one stands for those
/// that are let go with it.
pub(crate) fn let_go<const SHIFT: u32, const C: usize, R: Recent<C>>(
    local: &Local<C, R>,
    header: &Header,
    index: usize,
    seated: bool,
) {
    let (class, bits) = (header.class(), bits_of::<SHIFT>(header));
    let whole_around = |slots| parts::whole_around::<SHIFT>(header, &bits, slots);
    let whole = if is_by_word(class) {
        local.loose.add(class.size() * WORD_BITS);
        let (first, slots) = (index / WORD_BITS * WORD_BITS, usize::from(Geometry::<SHIFT>::info(class).slots));
        whole_around(first..(first + WORD_BITS).min(slots))
    } else {
        local.make_room(class, seated) * whole_around(index..index + 1)
    };
    local.loose.add_whole(whole);
}

/// Gives a slab back whose every slot is free now, unless it is the one in
/// use or the only other one, or kept as a [`spare`]: blocks that come and go at the
/// edge of a slab must not fetch and return pages all the time.
pub(crate) fn emptied<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, page: PageNo, header: &Header) {
    let bin = s.local().bin(header.class());
    if bin.current() == Some(page) || !bin.has_several() || !bits_of::<SHIFT>(header).all_free() {
        return;
    }
    if !spare::keep(s, page, header) {
        give_empty(s, page, header);
    }
}

/// Gives a slab of the owner's queue back whose every slot is free. `false`: it stays.
pub(crate) fn give_empty<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    page: PageNo,
    header: &Header,
) -> bool {
    let class = header.class();
    let (start, bytes) = (s.map().address(page), (header.run() as usize) << SHIFT);
    let forgotten = s.local().recent.forget_slab(s.local().cur(class), class, start, bytes);
    // Those that were remembered were not counted.
    let uncounted = forgotten * class.size();
    // (A signal handler may have taken one of them just before.)
    let is_given = bits_of::<SHIFT>(header).all_free()
        && give_slab(s, page, header, uncounted, || s.local().bin(class).unlink(s.map(), page));
    if !is_given {
        s.local().loose.add(uncounted);
    }
    is_given
}

/// Gives a slab of the owner's back, which `take_out` takes out of its queue if it is in one. `uncounted` bytes of it are
/// not in the books. `false`: the run layer cannot take it now.
pub(super) fn give_slab<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    page: PageNo,
    header: &Header,
    uncounted: usize,
    take_out: impl FnOnce(),
) -> bool {
    let (bytes, soiled) = ((header.run() as usize) << SHIFT, parts::soiled_bytes::<SHIFT>(header));
    let loose = &s.local().loose;
    let given = s.with_pages(|pages| {
        take_out();
        loose.take_whole(soiled.saturating_sub(uncounted));
        loose.leave(bytes, uncounted);
        pages.fill(loose.fill(bytes - soiled));
        pages.give_slab(s.map(), page);
    });
    given.is_some()
}

/// Frees a large block. Two threads may free it at once: who comes second
/// finds no large block there any more.
pub(crate) fn free_large<const SHIFT: u32, S: Ground<SHIFT>>(s: &S, page: PageNo, p: *mut u8) -> Result<(), Misuse> {
    let freed = s.with_pages(|pages| {
        // A swap: one that keeps its blocks changes the kind without the lock.
        if !s.map().header(page).change_kind(Kind::Large, Kind::Blank) {
            return Err(Misuse::new(What::DoubleFree, p, Place::Large { page: page.get() }));
        }
        pages.give_run(s.map(), page, true);
        Ok(())
    });
    freed.unwrap_or(Ok(()))
}

/// Checks that a block at `p` may be freed as one of `size` bytes and
/// alignment `align`.
pub(crate) fn check_sized<const SHIFT: u32, S: Ground<SHIFT>>(
    s: &S,
    p: *mut u8,
    size: usize,
    align: usize,
) -> Result<(), Misuse> {
    let block = locate(s.map(), p)?;
    let fits = p.addr() & (align - 1) == 0
        && match block {
            Block::Slot(slot) if slot.header.has(Mark::Any) => size <= slot.class.size(),
            Block::Slot(slot) => fit::serves::<SHIFT>(slot.header, size, align),
            Block::Large { header, .. } => header.large_bytes() == large::rounded(size),
        };
    let place = match block {
        _ if fits => return Ok(()),
        Block::Slot(slot) => Place::Slot { size: slot.class.size(), page: slot.page.get() },
        Block::Large { page, .. } => Place::Large { page: page.get() },
    };
    Err(Misuse::new(What::SizeMismatch, p, place))
}
