//! Giving back what an owner holds without using it.

use super::{Supply, bits_of, refill};
use crate::pages::header::Link;
use crate::units::Class;

/// Gives back every slab of the owner's whose slots are all free.
pub(crate) fn collect<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S) {
    let map = s.map();
    for number in 0..C {
        let class = Class::nth(number);
        s.local().forget(class);
        refill::retire(s, class);
        let bin = s.local().bin(class);
        let mut next = bin.head();
        while let Some(page) = next {
            let header = map.header(page);
            next = header.next.page();
            s.drain(header, &bits_of::<SHIFT>(header));
            if bits_of::<SHIFT>(header).all_free() {
                bin.unlink(map, page);
                s.with_pages(|pages| pages.give_slab(map, page));
            }
        }
    }
}
