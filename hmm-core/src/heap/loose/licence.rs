//! An owner's licence: what may lie free in its slabs, beyond the little that needs none.

use super::Loose;
use crate::pages::keep::Keep;

impl Loose {
    /// Whether there is a licence.
    pub(crate) fn has_licence(&self) -> bool {
        self.licence.get() > 0
    }

    /// Whether there is a licence, and so much was added since the slabs were last looked through, four times what
    /// they hold, that it may be needed no more.
    pub(crate) fn is_licence_old(&self) -> bool {
        self.licence.get() > 0 && self.uncounted.get() / 4 > self.held.get().max(self.licence.get())
    }

    /// A licence for `bytes` more was given.
    pub(crate) fn license(&self, bytes: usize) {
        self.licence.set(self.licence.get() + bytes);
    }

    /// The part of the licence that is not needed any more, if it is not little.
    pub(crate) fn unneeded(&self) -> usize {
        let (licence, free) = (self.licence.get(), self.estimated_free());
        let enough = free + free / 4;
        if enough < licence / 8 * 7 { licence - enough } else { 0 }
    }

    /// Whether that is most of it.
    pub(crate) fn is_mostly_unneeded(&self) -> bool {
        self.unneeded() > self.licence.get() / 2
    }

    /// That part of the licence ends. (Under the run layer's lock, as all that changes both books: a fork by another
    /// thread, or a handler that must not wait, would leave them apart.)
    pub(crate) fn return_unneeded<const SHIFT: u32>(&self, keep: &mut Keep<SHIFT>) {
        let unneeded = self.unneeded();
        self.licence.set(self.licence.get() - unneeded);
        keep.return_license(unneeded);
    }

    /// The heap allows less than all licences come to: this one ends soon, if
    /// there is one, and what lies free goes back.
    pub(crate) fn recall(&self) {
        self.recalled.set(self.licence.get() > 0);
    }

    /// Whether that is to be done now. Who asks does it.
    pub(crate) fn take_recall(&self) -> bool {
        self.recalled.take()
    }

    /// What may be free, as far as the run layer agreed.
    #[cfg(test)]
    pub(crate) fn licence(&self) -> usize {
        self.licence.get()
    }
}
