//! Giving back what an owner holds without using it.
//!
//! ```text
//!   some blocks live   | live |      |      | live |    parts without one are purged
//!   none lives         |      |      |      |      |    the slab goes back
//! ```

use super::bin::Bin;
use super::found::Found;
use super::{Supply, bits_of, free, refill, spare};
use crate::grow::HeapGrow;
use crate::pages::Pages;
use crate::pages::header::Link;
use crate::slab::parts::soiled_bytes;
use crate::units::{Class, PageNo};

/// Counts anew what is free in the owner's slabs and may hold memory, also what others
/// freed: the books run ahead of it; and, if it is `close`, how much of that could be given
/// back.
pub(crate) fn recount<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, close: bool) -> Found {
    let mut found = Found::default();
    let os_page = if close { s.with_pages(|pages| pages.grow().os_page()) } else { None };
    if os_page.is_none() {
        found.whole = s.local().loose.whole();
    }
    for class in (0..C).map(Class::nth) {
        for page in s.local().bin(class).slabs(s.map()) {
            let header = s.map().header(page);
            let bits = bits_of::<SHIFT>(header);
            found.drained += s.drain(header, &bits);
            match os_page {
                Some(os_page) => found.add_whole::<SHIFT>(header, &bits, os_page),
                None => found.add::<SHIFT>(header, &bits),
            }
        }
    }
    s.local().loose.recounted(&found);
    found
}

/// Gives back every slab of the owner's whose slots are all free, spares included.
pub(crate) fn give_all_empty<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S) {
    s.local().loose.set_spare(0);
    for class in (0..C).map(Class::nth) {
        let bin = s.local().bin(class);
        bin.set_spares(0);
        let is_empty = |page| {
            let header = s.map().header(page);
            let bits = bits_of::<SHIFT>(header);
            s.drain(header, &bits);
            bits.all_free()
        };
        let claim = s.local().cur(class).unclaim();
        if bin.current().is_some_and(is_empty) {
            s.local().forget(class);
            refill::retire(s, class);
        } else {
            s.local().cur(class).claim(claim);
        }
        let mut next = bin.head();
        while let Some(page) = next {
            let header = s.map().header(page);
            next = header.next.page();
            if is_empty(page) {
                free::give_empty(s, page, header);
            }
        }
    }
}

/// Gives back every slab of the owner's whose slots are all free, and of the
/// others the parts in which all are.
pub(crate) fn collect<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S) {
    collect_rest(s, Found::default());
}

/// As [`collect`], but only until `most` bytes went back, from the slabs whose turn comes last, and the
/// larger blocks' first, which takes the fewest calls.
pub(crate) fn collect_some<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, most: usize) {
    let mut found = Found::default();
    spare::give_all(s);
    for class in (0..C).rev().map(Class::nth) {
        let bin = s.local().bin(class);
        if bin.head().is_none() {
            continue;
        }
        s.local().shut(class);
        let mut next = bin.tail();
        while let Some(page) = next.filter(|_| found.gone < most) {
            next = s.map().header(page).prev.page();
            give(s, bin, page, &mut found);
        }
        s.local().forget(class);
        if found.gone >= most {
            let counted = recount(s, true);
            s.with_pages(|pages| {
                let (licence, hollow) = s.local().loose.settle_some(&counted);
                pages.gave_parts(found.given, licence, hollow);
            });
            return;
        }
    }
    collect_rest(s, found);
}

/// Collects all that is left, after what was `found`.
fn collect_rest<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, mut found: Found) {
    for class in (0..C).map(Class::nth) {
        let bin = s.local().bin(class);
        s.local().narrow(class);
        if bin.is_empty() {
            continue;
        }
        // A signal handler may free blocks meanwhile; they must not be handed out
        // while parts of their slabs go back.
        s.local().shut(class);
        refill::retire(s, class);
        bin.set_spares(0);
        let mut next = bin.head();
        while let Some(page) = next {
            let header = s.map().header(page);
            next = header.next.page();
            if give(s, bin, page, &mut found) {
                found.add::<SHIFT>(header, &bits_of::<SHIFT>(header));
            }
        }
        s.local().forget(class);
    }
    // Under the lock: a fork by another thread finds the licence in one place.
    s.with_pages(|pages| {
        let (licence, hollow) = s.local().loose.settle(&found);
        pages.gave_parts(found.given, licence, hollow);
    });
}

/// Gives back a slab of the queue `bin`, of whose class nothing is remembered, or of its parts what can be. Says
/// whether it stays.
fn give<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    bin: &Bin,
    page: PageNo,
    found: &mut Found,
) -> bool {
    let (map, header) = (s.map(), s.map().header(page));
    let bits = bits_of::<SHIFT>(header);
    s.drain(header, &bits);
    let (is_empty, soiled) = (bits.all_free(), soiled_bytes::<SHIFT>(header));
    let give = |pages: &mut Pages<_, SHIFT>| {
        bin.unlink(map, page);
        pages.give_slab(map, page);
    };
    if is_empty && s.with_pages(give).is_some() {
        found.gone += soiled;
        return false;
    }
    let given = s.with_pages(|pages| pages.purge_parts(map, page, &bits)).unwrap_or(0);
    found.given += given;
    found.gone += given;
    true
}
