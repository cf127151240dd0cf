//! Collecting what lies free in slabs that nobody owns.
//!
//! ```text
//!   frees of others, threads that end ──► strewn: bytes     by amount, not by time
//!                                           │ 4 MiB or half of the bound, and 1/4 of what is listed
//!                                           ▼
//!   hand-over lists ──► sweep: empty slabs go back; if what is left may hold
//!                       more free memory than is kept, its free parts do, too
//! ```
//!
//! Slabs on the hand-over lists wait for an owner that needs their class. There
//! may never be one, so whoever frees into such slabs sees to them now and then.

use crate::sync::Ordering::Relaxed;

use super::owner::{Owner, Role};
use super::{Lock, Shared};
use crate::grow::HeapGrow;
use crate::heap::found::Found;
use crate::heap::{Ground, bits_of};

/// Bytes that must have been strewn before the lists are swept, or half of what may be kept if that is less.
pub(super) const LEAST_STREWN: usize = if cfg!(loom) { 1536 } else { 4 * 1024 * 1024 };

/// Half of a bitmap word counts as strewn for the first slot of it that is freed; where
/// what is free is sought slab by slab, a part of that.
const OVERSTATED: usize = 4;

/// Bytes that a thread strews before it says so.
const STEP: usize = 64 * 1024;

/// What a sweep gives back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sweep {
    /// Empty slabs.
    Empty,
    /// The free parts of others, too.
    Parts,
}

impl<G: HeapGrow, L: Lock, const SHIFT: u32, const C: usize> Shared<G, L, SHIFT, C> {
    /// The calling thread, whose owner this is, freed into up to `bytes` bytes of a slab
    /// whose owner word was `word`. (Now and then, all that it strewed lately counts for
    /// the owner whose turn it is.)
    pub(super) fn strew(&self, owner: &Owner<C>, word: usize, bytes: usize) {
        // (A thread that does nothing but free never has an owner.)
        let is_threads = owner.role() == Role::Thread;
        let before = match is_threads {
            true => owner.strewn.replace(owner.strewn.get() + bytes),
            false => self.strewn_by_nobody.fetch_add(bytes, Relaxed),
        };
        let strewn = before + bytes;
        if strewn >= STEP {
            match is_threads {
                true => owner.strewn.set(0),
                false => self.strewn_by_nobody.store(0, Relaxed),
            }
            if let Some(other) = Owner::<C>::of_word(word) {
                other.await_more(strewn / OVERSTATED);
            }
            self.sweep_if_much(strewn);
        }
    }

    /// `bytes` more bytes may lie free in slabs on the hand-over lists: sweeps
    /// them if that is much by now, or has whoever does already look again.
    pub(super) fn sweep_if_much(&self, bytes: usize) {
        self.strewn.fetch_add(bytes, Relaxed);
        while self.strewn.load(Relaxed) >= self.least_strewn.load(Relaxed).max(self.listed.load(Relaxed) / 4) {
            let strewn = self.strewn.swap(0, Relaxed);
            self.hand_over.lose_patience(bytes);
            if !self.sweep_strewn() {
                self.strewn.fetch_add(strewn, Relaxed);
                if self.hand_over.ask_for_more() {
                    return;
                }
            }
        }
    }

    /// Gives back what lies free where nobody else looks. `false`, and that is not done, while another
    /// thread is at it.
    fn sweep_strewn(&self) -> bool {
        let Some((listed, _)) = self.sweep_once(Sweep::Empty) else { return false };
        let free = listed + self.collect_common(false);
        if self.with_pages(|pages| pages.has_room(free)) == Some(false) {
            self.collect_common(true);
            return self.sweep_once(Sweep::Parts).is_some();
        }
        true
    }

    /// Gives back the slabs on the hand-over lists whose every slot is free, and
    /// what else `sweep` says.
    pub(super) fn sweep(&self, sweep: Sweep) {
        if let Some((_, true)) = self.sweep_once(sweep) {
            self.sweep_if_much(0);
        }
    }

    /// As [`sweep`](Self::sweep). Returns how many bytes are free in the slabs that are left, and whether somebody was
    /// refused meanwhile who had much to sweep; `None` if the caller was, or is a handler that interrupted a sweep.
    /// (Undisturbed: whoever vanishes takes a slab with it, and is in the others' way.)
    pub(super) fn sweep_once(&self, sweep: Sweep) -> Option<(usize, bool)> {
        self.lock.undisturbed(|| self.sweep_now(sweep))
    }

    fn sweep_now(&self, sweep: Sweep) -> Option<(usize, bool)> {
        let mut found = Found::default();
        let asked = self.hand_over.sweep(&self.map, |page| {
            let header = self.map.header(page);
            let bits = bits_of::<SHIFT>(header);
            self.drain_slab(header, &bits, |_| 0);
            if bits.all_free() && self.with_pages(|pages| pages.give_slab(&self.map, page)).is_some() {
                return false;
            }
            if sweep == Sweep::Parts {
                found.given += self.with_pages(|pages| pages.purge_parts(&self.map, page, &bits)).unwrap_or(0);
            }
            found.add::<SHIFT>(header, &bits);
            true
        })?;
        self.listed.store(found.held, Relaxed);
        self.with_pages(|pages| {
            let hollow = [found.hollow(), self.hollow.swap(found.hollow(), Relaxed)];
            pages.gave_parts(found.given, 0, hollow);
        });
        Some((found.free, asked))
    }
}
