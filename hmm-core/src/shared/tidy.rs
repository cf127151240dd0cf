//! What lies free in an owner's slabs, held to the heap's bound.
//!
//! ```text
//!   free in slabs, by the books │  more than licensed?
//!                               ▼
//!            counted, where that is due ──► a licence for more, at the cost of free runs
//!                               │ refused
//!                               ▼
//!            a portion goes back, where it is known what can; else all
//! ```

use crate::sync::Ordering::Relaxed;

use super::owner::Owner;
use super::seat::Seat;
use super::{Lock, Shared};
use crate::grow::HeapGrow;
use crate::heap::{Ground, Supply, collect};
use crate::pages::Pages;

/// Owners take out licences for so many bytes at a time.
const LICENCE: usize = 256 * 1024;

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Shared<G, L, SHIFT, C> {
    /// Looks whether more lies free in the owner's slabs than it may have.
    #[inline]
    pub(super) fn tidy_if_much(&self, owner: &Owner<C>) {
        let loose = &owner.local.loose;
        if loose.may_exceed(self.slack.load(Relaxed)) || loose.is_licence_old() || owner.awaits_much() {
            self.tidy(owner);
        }
    }

    /// More lies free in the owner's slabs than it has a licence for, as far as
    /// the books tell: if so, gets one, or gives back what can be.
    #[cold]
    #[inline(never)]
    fn tidy(&self, owner: &Owner<C>) {
        let (loose, slack) = (&owner.local.loose, self.slack.load(Relaxed));
        if loose.excess(slack) == 0 && !loose.is_licence_old() && !owner.awaits_much() {
            return;
        }
        let Some(seat) = Seat::take(self, owner) else { return };
        // (To move over what others freed is not enough: it may have been taken out of the books beforehand, with words
        // of which some was free.)
        if owner.awaits_much() {
            let awaited = owner.await_none();
            owner.found(awaited, collect::recount(&seat, true).drained);
        } else if loose.is_recount_due() {
            collect::recount(&seat, loose.is_close(slack));
        }
        let excess = loose.nearly_excess(slack);
        if excess == 0 {
            if loose.unneeded() > 0 {
                seat.with_pages(|pages| loose.return_unneeded(pages.keep()));
            }
            return;
        }
        // Some more, so as not to come again soon; if that is too much, for no more than is free.
        let more = (excess + (excess / 4).max(loose.step())).next_multiple_of(LICENCE);
        let least = excess.next_multiple_of(LICENCE);
        let license = |bytes| {
            // Under the lock: a fork by another thread finds the licence in one place.
            let ask = |pages: &mut Pages<G, SHIFT>| {
                pages.license(&self.map, bytes) && {
                    loose.license(bytes);
                    true
                }
            };
            seat.with_pages(ask) == Some(true)
        };
        // Large blocks that wait for their like go first.
        let granted = license(more) || {
            seat.give_all_kept();
            license(more) || license(least)
        };
        if !granted {
            self.give_back(&seat, more);
        }
    }

    /// A large block went back: less may lie free beside what is in use now.
    pub(super) fn tidy_after_large(&self, owner: &Owner<C>) {
        if owner.local.loose.has_licence() && self.with_pages(|pages| pages.pass(&self.map, 0)) == Some(false) {
            if let Some(seat) = Seat::take(self, owner) {
                self.give_back(&seat, 0);
            }
        }
    }

    /// Gives back `bytes` bytes at least of what lies free in the owner's slabs, or all that can be, and what is licensed
    /// beyond what may be: that may be less than when the licences were given.
    fn give_back(&self, seat: &Seat<'_, G, L, SHIFT, C>, bytes: usize) {
        let beyond = seat.with_pages(|pages| pages.licensed_beyond()).unwrap_or(0);
        match seat.local().loose.portion(bytes + beyond) {
            Some(portion) => collect::collect_some(seat, portion),
            None => collect::collect(seat),
        }
    }
}
