//! The dirty bits: whether a page, when it is free, may hold something else than zero.
//!
//! ```text
//!   page    0 1 2 3 4 5 6 7 8 …
//!   dirty   1 1 0 0 1 1 1 0 0 …     one bit a page, in words
//! ```
//!
//! What is dirty may hold memory of the system's, and is cleared before it is handed out
//! as zero. What programs write is not told here: pages are marked when they are freed.
//! Only the holder of the run layer's lock changes the bits.

use crate::sync::AtomicUsize;
use crate::sync::Ordering::Relaxed;

use super::PageMap;
use crate::units::{PageNo, WORD_BITS};

impl<const SHIFT: u32> PageMap<SHIFT> {
    /// Whether a free page may hold something else than zero.
    pub(crate) fn is_dirty(&self, page: PageNo) -> bool {
        let (region, index) = self.region_of(page);
        let (word, bit) = region.dirty_word(index);
        word.load(Relaxed) & bit != 0
    }

    /// Notes that `pages` pages from `page` on may (or cannot) hold something
    /// else than zero. Needs the run layer's lock.
    pub(crate) fn set_dirty(&self, page: PageNo, pages: u32, dirty: bool) {
        for (word, mask) in self.dirty_words(page, pages) {
            let old = word.load(Relaxed);
            word.store(if dirty { old | mask } else { old & !mask }, Relaxed);
        }
    }

    /// How many of the `pages` pages from `page` on may hold something else
    /// than zero.
    pub(crate) fn count_dirty(&self, page: PageNo, pages: u32) -> u32 {
        self.dirty_words(page, pages).map(|(word, mask)| (word.load(Relaxed) & mask).count_ones()).sum()
    }

    /// The highest dirty stretch among the `pages` pages from `page` on: how many
    /// pages lie below it there, and its length.
    pub(crate) fn last_dirty(&self, page: PageNo, pages: u32) -> Option<(u32, u32)> {
        let (region, first) = self.region_of(page);
        // Down to where the pages below `end` are all dirty, or all clean.
        let stretch = |mut end: u32, dirty: bool| {
            while end > first {
                let (word, bit) = region.dirty_word(end - 1);
                let word = if dirty { word.load(Relaxed) } else { !word.load(Relaxed) };
                let same = (word << bit.leading_zeros()).leading_ones();
                end -= same.min(end - first);
                if same + bit.leading_zeros() < usize::BITS {
                    break;
                }
            }
            end
        };
        let end = stretch(first + pages, false);
        let start = stretch(end, true);
        (start < end).then_some((start - first, end - start))
    }

    /// The words of the dirty bits of `pages` pages from `page` on, each with
    /// the bits that are theirs.
    fn dirty_words(&self, page: PageNo, pages: u32) -> impl Iterator<Item = (&AtomicUsize, usize)> {
        let (region, first) = self.region_of(page);
        let mut index = first;
        core::iter::from_fn(move || {
            let left = (first + pages - index) as usize;
            if left == 0 {
                return None;
            }
            let (word, bit) = region.dirty_word(index);
            let in_word = (WORD_BITS - index as usize % WORD_BITS).min(left);
            let mask = usize::MAX >> (WORD_BITS - in_word);
            index += in_word as u32;
            Some((word, mask * bit))
        })
    }
}
