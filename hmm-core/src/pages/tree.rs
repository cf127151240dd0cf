//! The free runs in order: a zip tree inside the page headers.
//!
//! ```text
//!            (8 pages @ 40)            key: (length, page), smallest left
//!            /            \            rank: drawn from the page number
//!     (1 @ 7)              (8 @ 90)    parent's rank ≥ child's
//! ```
//!
//! Ordered by length, then address, the smallest key not below `(n, 0)` is the
//! best fit at the lowest address. Zip trees (Tarjan, Levy, Timmel, 2019) are
//! treaps whose insertion unzips one path and whose deletion zips one: no
//! rotation, no parent link, expected logarithmic time. The rank is a hash of
//! the page number and needs no room.
//!
//! Children sit in the header's links: `next` is the left one, `prev` the right.

use crate::sync::AtomicU32;
use crate::sync::Ordering::Relaxed;

use super::header::{Header, Link};
use super::map::PageMap;
use crate::units::PageNo;

/// A set of free runs, best fit first.
#[derive(Debug)]
pub(crate) struct RunTree {
    root: AtomicU32,
}

/// How high in the tree a node belongs: larger is higher, ties go to the
/// smaller key.
fn rank(page: PageNo) -> u32 {
    page.get().wrapping_mul(0x9E37_79B9).rotate_left(15).wrapping_mul(0x85EB_CA6B).leading_zeros()
}

fn left(header: &Header) -> &AtomicU32 {
    &header.next
}

fn right(header: &Header) -> &AtomicU32 {
    &header.prev
}

impl RunTree {
    pub(crate) const fn new() -> Self {
        Self { root: AtomicU32::new(0) }
    }

    fn key<const SHIFT: u32>(map: &PageMap<SHIFT>, page: PageNo) -> (u32, PageNo) {
        (map.header(page).run(), page)
    }

    /// Adds the run that begins at `page`.
    pub(crate) fn insert<const SHIFT: u32>(&self, map: &PageMap<SHIFT>, page: PageNo) {
        let key = Self::key(map, page);
        let mut link = &self.root;
        while let Some(node) = link.page() {
            let above = Self::key(map, node);
            if (rank(node), key) <= (rank(page), above) {
                break;
            }
            let header = map.header(node);
            link = if key < above { left(header) } else { right(header) };
        }
        // Unzip what hung here into the parts below and above the new key.
        let new = map.header(page);
        let mut rest = link.page();
        link.set_page(Some(page));
        let (mut below, mut above) = (left(new), right(new));
        while let Some(node) = rest {
            let header = map.header(node);
            if Self::key(map, node) < key {
                below.set_page(Some(node));
                below = right(header);
                rest = below.page();
            } else {
                above.set_page(Some(node));
                above = left(header);
                rest = above.page();
            }
        }
        below.set_page(None);
        above.set_page(None);
    }

    /// Takes out the run that begins at `page`, one of the tree's.
    pub(crate) fn remove<const SHIFT: u32>(&self, map: &PageMap<SHIFT>, page: PageNo) {
        let key = Self::key(map, page);
        let mut link = &self.root;
        while let Some(node) = link.page() {
            if node == page {
                break;
            }
            let header = map.header(node);
            link = if key < Self::key(map, node) { left(header) } else { right(header) };
        }
        debug_assert!(link.page() == Some(page), "{page:?} is not in the tree");
        // Zip its two subtrees into its place.
        let old = map.header(page);
        let (mut low, mut high) = (left(old).page(), right(old).page());
        loop {
            match (low, high) {
                (one, None) | (None, one) => return link.set_page(one),
                (Some(l), Some(h)) if rank(l) >= rank(h) => {
                    link.set_page(Some(l));
                    link = right(map.header(l));
                    low = link.page();
                }
                (_, Some(h)) => {
                    link.set_page(Some(h));
                    link = left(map.header(h));
                    high = link.page();
                }
            }
        }
    }

    /// The shortest run of at least `pages` pages, of those the lowest.
    pub(crate) fn best_fit<const SHIFT: u32>(&self, map: &PageMap<SHIFT>, pages: u32) -> Option<PageNo> {
        let mut best = None;
        let mut next = self.root.page();
        while let Some(node) = next {
            let header = map.header(node);
            if header.run() >= pages {
                best = Some(node);
                next = left(header).page();
            } else {
                next = right(header).page();
            }
        }
        best
    }

    /// The longest run.
    pub(crate) fn longest<const SHIFT: u32>(&self, map: &PageMap<SHIFT>) -> Option<PageNo> {
        let mut longest = None;
        let mut next = self.root.page();
        while let Some(node) = next {
            longest = Some(node);
            next = right(map.header(node)).page();
        }
        longest
    }

    /// How many runs the tree has: for the validator.
    pub(crate) fn count<const SHIFT: u32>(&self, map: &PageMap<SHIFT>) -> usize {
        fn below<const SHIFT: u32>(map: &PageMap<SHIFT>, node: Option<PageNo>) -> usize {
            node.map_or(0, |node| {
                let header = map.header(node);
                1 + below(map, left(header).page()) + below(map, right(header).page())
            })
        }
        below(map, self.root.page())
    }

    /// Whether the run that begins at `page` is in the tree, its parents in
    /// the right order: for the validator.
    pub(crate) fn holds<const SHIFT: u32>(&self, map: &PageMap<SHIFT>, page: PageNo) -> bool {
        let key = Self::key(map, page);
        let mut link = PageNo::from_link(self.root.load(Relaxed));
        let mut above = u32::MAX;
        while let Some(node) = link {
            if rank(node) > above {
                return false;
            }
            above = rank(node);
            if node == page {
                return true;
            }
            let header = map.header(node);
            link = if key < Self::key(map, node) { left(header) } else { right(header) }.page();
        }
        false
    }
}
