//! Giving back what an owner holds without using it.

use super::{Supply, bits_of, refill};
use crate::pages::header::{Header, Link};
use crate::slab::parts;
use crate::units::{Class, Geometry};

/// Gives back every slab of the owner's whose slots are all free, and of the
/// others the parts in which all are.
pub(crate) fn collect<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S) {
    let map = s.map();
    let mut held = 0;
    for class in (0..C).map(Class::nth) {
        s.local().forget(class);
        refill::retire(s, class);
        let bin = s.local().bin(class);
        let mut next = bin.head();
        while let Some(page) = next {
            let header = map.header(page);
            next = header.next.page();
            let bits = bits_of::<SHIFT>(header);
            s.drain(header, &bits);
            if bits.all_free() {
                bin.unlink(map, page);
                s.with_pages(|pages| pages.give_slab(map, page));
            } else {
                s.with_pages(|pages| pages.purge_parts(map, page, &bits));
                held += soiled_bytes::<SHIFT>(header);
            }
        }
    }
    s.local().looked_through(held);
}

/// Bytes of the parts of a slab that may hold memory.
pub(crate) fn soiled_bytes<const SHIFT: u32>(header: &Header) -> usize {
    let parts = header.soiled().count_ones() as usize;
    match Geometry::<SHIFT>::is_medium(header.class()) {
        true => parts * header.class().size(),
        false => parts * parts::part_bytes::<SHIFT>(),
    }
}
