//! Giving back what an owner holds without using it.

use super::{Supply, bits_of, refill};
use crate::pages::header::Link;
use crate::slab::parts::soiled_bytes;
use crate::units::Class;

/// Gives back every slab of the owner's whose slots are all free, and of the
/// others the parts in which all are.
pub(crate) fn collect<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S) {
    let map = s.map();
    let (mut held, mut given) = (0, 0);
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
                given += s.with_pages(|pages| pages.purge_parts(map, page, &bits)).unwrap_or(0);
                held += soiled_bytes::<SHIFT>(header);
            }
        }
    }
    let licence = s.local().looked_through(held);
    s.with_pages(|pages| pages.gave_parts(given, licence));
}
