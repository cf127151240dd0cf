//! What of a swing was not needed, one look after the other.
//!
//! ```text
//!   width   ─────────────────────────────────────
//!   needed    ▇▇  ▇▇  ▆▆  ██  ▇▇  ▆▆  ▇▇  ▇▇        by the look
//!                         └ would be missed, if the last two looks decided
//! ```
//!
//! Where blocks of many sizes live at random, what is free rises and falls by chance, and
//! a single look sees little of how far. So each mistake teaches to look twice as far back
//! from then on, up to a limit, and each time that it was none, half as far; at first the last
//! look decides.

/// So many looks decide at most.
const MOST_LOOKS: usize = 8;

const KIB: usize = 1024;

/// See the [module](self). Small, for heaps on small machines have two.
#[derive(Debug)]
pub(super) struct Unneeded {
    /// What the last looks found needed, in KiB, and the place of the next one.
    needed: [u32; MOST_LOOKS],
    next: u8,
    /// How many of them decide.
    looks: u8,
    /// Looks until what was forgotten last was no mistake; 0 if that is settled.
    unsettled: u8,
}

impl Unneeded {
    pub(super) const fn new() -> Self {
        Self { needed: [0; MOST_LOOKS], next: 0, looks: 1, unsettled: 0 }
    }

    /// A look found `bytes` needed. Returns the most that any of those found that decide, in
    /// whole KiB; all that there may be, if they are too few.
    pub(super) fn look(&mut self, bytes: usize) -> usize {
        if self.unsettled > 0 {
            self.unsettled -= 1;
            if self.unsettled == 0 {
                self.looks = (self.looks / 2).max(1);
            }
        }
        let last = usize::from(self.next) % MOST_LOOKS;
        self.needed[last] = u32::try_from(bytes.div_ceil(KIB)).unwrap_or(u32::MAX);
        self.next = ((last + 1) % MOST_LOOKS) as u8;
        let decide = (0..usize::from(self.looks)).map(|ago| self.needed[(last + MOST_LOOKS - ago) % MOST_LOOKS]);
        match decide.max() {
            Some(u32::MAX) => usize::MAX,
            most => (most.unwrap_or(0) as usize).saturating_mul(KIB),
        }
    }

    /// What none of them found needed was forgotten, or some of it.
    pub(super) fn forget(&mut self) {
        self.unsettled = MOST_LOOKS as u8;
    }

    /// Something was missed, because it was forgotten, if that was lately: what looks found before
    /// does not count.
    pub(super) fn miss(&mut self) {
        if core::mem::take(&mut self.unsettled) > 0 {
            self.looks = (2 * self.looks).min(MOST_LOOKS as u8);
        }
        self.needed = [u32::MAX; MOST_LOOKS];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_look_decides_where_no_mistake_was_made() {
        let mut unneeded = Unneeded::new();
        assert_eq!([80, 20, 50].map(|needed| unneeded.look(needed * KIB) / KIB), [80, 20, 50]);
        assert_eq!(unneeded.look(1), KIB, "no less than is needed");
        unneeded.miss();
        assert_eq!(unneeded.look(20 * KIB), 20 * KIB, "nothing was forgotten");
    }

    #[test]
    fn each_mistake_looks_twice_as_far_back() {
        let mut unneeded = Unneeded::new();
        for looks in [2, 4, 8, 8] {
            unneeded.forget();
            unneeded.miss();
            unneeded.miss();
            let late =
                core::iter::repeat_with(|| unneeded.look(20 * KIB)).take_while(|&bytes| bytes > 20 * KIB).count();
            assert_eq!(late + 1, looks, "those before the mistake do not count");
            unneeded.look(90 * KIB);
            let after =
                core::iter::repeat_with(|| unneeded.look(20 * KIB)).take_while(|&bytes| bytes == 90 * KIB).count();
            assert_eq!(after + 1, looks);
        }
    }

    #[test]
    fn what_was_right_makes_it_quicker_again() {
        let mut unneeded = Unneeded { looks: 4, ..Unneeded::new() };
        for looks in [2, 1, 1] {
            unneeded.forget();
            (0..MOST_LOOKS).for_each(|_| _ = unneeded.look(20 * KIB));
            assert_eq!(unneeded.looks, looks);
            unneeded.miss();
            assert_eq!(unneeded.looks, looks, "that was another matter");
        }
    }

    #[test]
    fn too_few_looks_forget_nothing_of_any_size() {
        let mut unneeded = Unneeded { looks: 2, ..Unneeded::new() };
        unneeded.miss();
        assert_eq!(unneeded.look(KIB), usize::MAX);
    }
}
