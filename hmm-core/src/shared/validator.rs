//! What the validator asserts of many owners together, in a quiet moment.

use crate::sync::Ordering::Relaxed;

use super::owner::LISTED;
use super::remote::{freed_words, is_left};
use super::{Lock, Shared};
use crate::check::Violation;
use crate::grow::HeapGrow;
use crate::heap::bits_of;
use crate::pages::header::Link;
use crate::slab::{Block, locate};
use crate::units::{Class, PageNo};

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Shared<G, L, SHIFT, C> {
    /// Checks the hand-over lists (I9).
    pub(super) fn check_hand_over(&self) -> Result<(), Violation> {
        for class in (0..C).map(Class::nth) {
            for mut page in self.hand_over.tops(class) {
                loop {
                    let header = self.map.header(page);
                    let fits = header.is_slab() && header.class() == class;
                    if !fits || header.owner.load(Relaxed) != LISTED {
                        let what = "a hand-over list holds something else than its class's slabs";
                        return Err(Violation { invariant: 9, page: page.get(), what });
                    }
                    let Some(next) = header.next.page() else { break };
                    page = next;
                }
            }
        }
        Ok(())
    }

    /// Checks what lies ready (I14).
    pub(super) fn check_shelves(&self) -> Result<(), Violation> {
        let common = self.common.load(Relaxed);
        for class in (0..C).map(Class::nth) {
            let Some((word, slots, block)) = self.shelf(class).contents() else { continue };
            let Ok(Block::Slot(slot)) = locate(&self.map, block) else {
                return Err(Violation { invariant: 14, page: PageNo::FIRST.get(), what: "what lies ready is no slot" });
            };
            let at = |what| Err(Violation { invariant: 14, page: slot.page.get(), what });
            if slot.header.owner.load(Relaxed) != common.expose_provenance() {
                return at("what lies ready is not the common owner's");
            }
            // SAFETY: owners are never unmapped.
            let claim = unsafe { common.as_ref() }.and_then(|common| common.local.cur(class).current());
            let is_claimed = claim.is_some_and(|claim| core::ptr::eq(claim.word, word) && claim.free & slots != 0);
            if word.is_free(slots) || is_claimed {
                return at("what lies ready is free a second time");
            }
        }
        Ok(())
    }

    /// Checks that others' frees are known to whom they concern (I12).
    pub(super) fn check_remote(&self) -> Result<(), Violation> {
        for page in self.map.runs().filter(|&page| self.map.header(page).is_slab()) {
            self.check_remote_of(page).map_err(|what| Violation { invariant: 12, page: page.get(), what })?;
        }
        Ok(())
    }

    fn check_remote_of(&self, page: PageNo) -> Result<(), &'static str> {
        let header = self.map.header(page);
        let bits = bits_of::<SHIFT>(header);
        let freed = freed_words(&bits);
        if freed & !bits.summary().load(Relaxed) != 0 {
            return Err("frees of others that the summary does not name");
        }
        if is_left(header, freed, bits.words()) {
            return Err("a FULL slab that nobody handed over");
        }
        Ok(())
    }
}
