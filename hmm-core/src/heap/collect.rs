//! Giving back what an owner holds without using it.

use super::refill::settle;
use super::{Supply, bits_of};
use crate::pages::header::Link;
use crate::units::Class;

/// Gives back every slab of the owner's whose slots are all free.
pub(crate) fn collect<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S) {
    let map = s.map();
    for number in 0..C {
        let class = Class::from_number(number as u8);
        let bin = s.local().bin(class);
        if let Some(page) = bin.current() {
            s.local().cur(class).clear();
            bin.set_current(None);
            settle(s, page, map.header(page));
        }
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
