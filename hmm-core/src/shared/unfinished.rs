//! Frees that their threads did not come to finish.
//!
//! ```text
//!   remote[w] += bit  ──✗──►  summary |= w's bit  ──✗──►  FULL → LISTED, hand over
//! ```
//!
//! A thread vanishes in between (✗) if it does not come along to a fork's child, or if a signal handler leaves by a
//! jump. Nobody announces the word then: whoever frees there later finds that another did so before. A look at all
//! slabs says what was left unsaid, where threads may have vanished: before the heap grows, or refuses, or gives all
//! back, and before it is checked. So the heap does not grow for what was lost, and no free gets slower.
//!
//! What is said is what anybody may say at any time: of words that are being announced right now, it is said twice.

use crate::sync::Ordering::Relaxed;

use super::remote::{announce, freed_words, is_left};
use super::{Lock, Shared};
use crate::grow::HeapGrow;
use crate::heap::{Ground, bits_of};
use crate::pages::header::Header;

/// Some threads did vanish: one look is due.
const ONCE: usize = 1;
/// Threads may vanish at any time.
const EVER: usize = 2;

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Shared<G, L, SHIFT, C> {
    /// Whether signal handlers may leave a free by a jump. The heap makes up for that then, by a look at all slabs
    /// each time before it grows. (The [`Lock`] has to see to it that none is left behind.)
    pub fn expect_jumps(&self, expected: bool) {
        self.vanishing.store(if expected { EVER } else { ONCE }, Relaxed);
    }

    /// Threads vanished, whatever they were doing.
    pub(super) fn note_vanished(&self) {
        self.vanishing.fetch_or(ONCE, Relaxed);
    }

    /// Finishes the frees of threads that may have vanished. `ground`: the caller's, whose lock it does not hold.
    pub(super) fn finish_frees(&self, ground: &impl Ground<SHIFT>) {
        if self.vanishing.load(Relaxed) == 0 {
            return;
        }
        // Under the lock: slabs stay what they are.
        ground.with_pages(|_| {
            self.vanishing.fetch_and(!ONCE, Relaxed);
            for page in self.map.runs() {
                let header = self.map.header(page);
                if header.is_slab() {
                    self.finish_frees_in(header);
                }
            }
        });
    }

    fn finish_frees_in(&self, header: &Header) {
        let bits = bits_of::<SHIFT>(header);
        let (freed, summary) = (freed_words(&bits), bits.summary());
        let is_unnamed = freed & !summary.load(Relaxed) != 0;
        // (Who named the last word may not have handed the slab over.)
        if is_unnamed || is_left(header, freed, bits.words()) {
            if let Some(owner) = announce(header, summary, bits.words(), freed) {
                self.hand_over_full(header, owner);
            }
        }
    }
}
