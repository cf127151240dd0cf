//! Making slabs of runs, and runs of slabs.
//!
//! ```text
//!   run       | page                 | page         | page         |
//!   headers   | Medium: class, bits  | Body: the 1st | Body: the 1st |
//!   bits      in the header if one word is enough, else in the metadata
//! ```

use super::{Bits, parts};
use crate::grow::HeapGrow;
use crate::pages::header::{Kind, Link};
use crate::pages::map::PageMap;
use crate::pages::{Growth, Pages};
use crate::units::{Class, Geometry, PageNo};

impl<G: HeapGrow, const SHIFT: u32> Pages<G, SHIFT> {
    /// Makes a slab of `class`, every slot free, owned by nobody yet. `used_up`: the one
    /// before it, if that was.
    pub(crate) fn take_slab(
        &mut self,
        map: &PageMap<SHIFT>,
        class: Class,
        used_up: Option<PageNo>,
        growth: Growth,
    ) -> Option<PageNo> {
        let info = Geometry::<SHIFT>::info(class);
        let words = usize::from(info.words);
        let pages = u32::from(info.run);
        let page = self.take_for_slab(map, class, used_up, growth)?;
        let header = map.header(page);
        let bits = if words == 1 { Some(header.inline_bits()) } else { self.take_bits(map, words) };
        let Some(bits) = bits else {
            self.give_run(map, page, false);
            return None;
        };
        let medium = pages > 1;
        let soiled = (0..pages).any(|i| map.is_dirty(page.up(i)));
        header.set_slab(class, if medium { 0 } else { info.recip }, bits, !soiled);
        Bits::new(header, words).fill();
        header.set_soiled(if soiled { parts::all::<SHIFT>(class) } else { 0 });
        if medium && soiled {
            self.took_lacking((pages as usize) << SHIFT);
        }
        for body in 1..pages {
            let body = map.header(page.up(body));
            body.next.set_page(Some(page));
            body.set_kind(Kind::MediumBody);
        }
        header.set_kind(if medium { Kind::Medium } else { Kind::Small });
        Some(page)
    }

    /// Takes back a slab in which every slot is free and that is in no list.
    pub(crate) fn give_slab(&mut self, map: &PageMap<SHIFT>, page: PageNo) {
        let header = map.header(page);
        let words = usize::from(Geometry::<SHIFT>::info(header.class()).words);
        let bits = header.bits();
        self.forget_slab(page);
        let soiled = parts::soiled_bytes::<SHIFT>(header);
        if soiled > 0 && header.run() > 1 {
            self.gave_lacking(((header.run() as usize) << SHIFT) - soiled);
        }
        header.clear_slab();
        for body in 1..header.run() {
            map.header(page.up(body)).set_kind(Kind::Blank);
        }
        if words > 1 {
            self.give_bits(bits, words);
        }
        self.give_run(map, page, soiled > 0);
    }
}
