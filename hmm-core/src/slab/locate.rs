//! From a user's pointer to a block: the one checked door.
//!
//! ```text
//!   p ─► page map ─► header ─► Small, Medium: does a slot begin there?
//!           │            ├───► Large: is it the first byte?
//!           └ foreign    └───► nothing is there, or a block was
//! ```
//!
//! Outside the fast path of `free`, which makes the same tests in line, every
//! pointer that a program passes in goes through [`locate`]. What comes out is
//! the start of a block that the heap handed out; everything else is named.

use crate::misuse::{Misuse, Place, What};
use crate::pages::header::{Header, Kind, Link};
use crate::pages::map::PageMap;
use crate::units::{Class, Geometry, PageNo};

/// A slot of a slab.
#[derive(Clone, Copy)]
pub(crate) struct Slot<'a> {
    /// The head of the slab.
    pub(crate) page: PageNo,
    pub(crate) header: &'a Header,
    pub(crate) class: Class,
    pub(crate) index: usize,
}

/// The block that a pointer is the start of.
#[derive(Clone, Copy)]
pub(crate) enum Block<'a> {
    Slot(Slot<'a>),
    Large { page: PageNo, header: &'a Header },
}

impl Slot<'_> {
    /// What to say of this slot when it is misused.
    pub(crate) fn misuse(&self, what: What, p: *const u8) -> Misuse {
        Misuse::new(what, p, Place::Slot { size: self.class.size(), page: self.page.get() })
    }
}

/// The block that begins at `p`, which may meanwhile have been freed; misuse
/// if no block ever begins there.
pub(crate) fn locate<const SHIFT: u32>(map: &PageMap<SHIFT>, p: *const u8) -> Result<Block<'_>, Misuse> {
    let Some(spot) = map.locate(p) else {
        return Err(Misuse::new(What::ForeignFree, p, Place::Outside));
    };
    let at = |place| Err(Misuse::new(What::InvalidFree, p, place));
    let (page, offset) = match spot.header.kind() {
        Kind::Large if spot.offset == 0 => return Ok(Block::Large { page: spot.page, header: spot.header }),
        Kind::Kept if spot.offset == 0 => {
            return Err(Misuse::new(What::DoubleFree, p, Place::Large { page: spot.page.get() }));
        }
        Kind::Large | Kind::Kept => return at(Place::Large { page: spot.page.get() }),
        Kind::Small | Kind::Medium => (spot.page, spot.offset),
        Kind::MediumBody => match spot.header.next.page() {
            Some(head) if head <= spot.page => {
                (head, spot.offset + (((spot.page.get() - head.get()) as usize) << SHIFT))
            }
            // (Of a stale pointer, the slab may have gone meanwhile, and the link lead anywhere.)
            _ => return at(Place::Nothing { page: spot.page.get() }),
        },
        Kind::Blank | Kind::Free | Kind::FreeTail => return at(Place::Nothing { page: spot.page.get() }),
        Kind::Foreign => return Err(Misuse::new(What::ForeignFree, p, Place::Outside)),
    };
    let header = map.header(page);
    let class = header.class();
    match Geometry::<SHIFT>::slot_of(class, offset) {
        Some(index) => Ok(Block::Slot(Slot { page, header, class, index })),
        None => at(Place::Slot { size: class.size(), page: page.get() }),
    }
}
