//! Slabs that an owner keeps though every slot is free.
//!
//! ```text
//!   queue of a class   | some free | some free | spare | spare |
//!                        ^ front: taken next             ^ back: given first
//! ```
//!
//! A program that takes and drops the same batch of blocks over and over fetches and
//! returns the same slabs. Spares wait at the end of their queue for its next batch;
//! they go when the owner wants a fresh slab of another class, or the heap would grow.
//! What lies free in them is in the books ([`Loose`]) like that of all slabs, so the
//! bound holds with them.

use super::free::give_empty;
#[cfg(doc)]
use super::loose::Loose;
use super::{Supply, bits_of};
use crate::pages::header::Header;
use crate::units::{Class, PageNo};

/// Keeps the slab, one of its queue and without a slot in use, if there are not so
/// many yet. (One of which a block is remembered, taken and freed again counts once more: harmless, while not to
/// count the last of a queue again took slabs for spares that were none.)
pub(super) fn keep<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    page: PageNo,
    header: &Header,
) -> bool {
    let (bin, loose) = (s.local().bin(header.class()), &s.local().loose);
    let spare = loose.spare() + ((header.run() as usize) << SHIFT);
    if spare > S::SPARE {
        return false;
    }
    loose.set_spare(spare);
    bin.set_spares(bin.spares() + 1);
    bin.unlink(s.map(), page);
    bin.push_back(s.map(), page);
    true
}

/// The slab was taken from its queue: if it was a spare, it is none any more.
pub(super) fn strike_off<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, header: &Header) {
    let (bin, loose) = (s.local().bin(header.class()), &s.local().loose);
    if bin.spares() > 0 && bits_of::<SHIFT>(header).all_free() {
        bin.set_spares(bin.spares() - 1);
        loose.set_spare(loose.spare().saturating_sub((header.run() as usize) << SHIFT));
    }
}

/// Gives all spares back, but those that others came to stand behind.
pub(crate) fn give_all<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S) {
    if s.local().loose.spare() == 0 {
        return;
    }
    s.local().loose.set_spare(0);
    for class in (0..C).map(Class::nth) {
        let bin = s.local().bin(class);
        if bin.spares() == 0 {
            continue;
        }
        bin.set_spares(0);
        while let Some(page) = bin.tail() {
            let header = s.map().header(page);
            if !bits_of::<SHIFT>(header).all_free() || !give_empty(s, page, header) {
                break;
            }
        }
    }
}
