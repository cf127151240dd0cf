//! What of a swing was not needed, one look after the other.
//!
//! ```text
//!   width   ─────────────────────────────────────
//!   needed    ▇▇  ▇▇  ▆▆  ██  ▇▇  ▆▆  ▇▇  ▇▇        by the look
//!                         └ would be missed, if the last three looks decided
//! ```
//!
//! Where blocks of many sizes live at random, what is free rises and falls by chance, and
//! a single look sees little of how far. So each mistake teaches to look twice as far back
//! from then on, up to a limit; where none is made, the last look decides.

/// So many looks decide at most.
const MOST: usize = 8;

const KIB: usize = 1024;

/// See the [module](self). Small, for heaps on small machines have two.
#[derive(Debug)]
pub(super) struct Unneeded {
    /// What the last looks found needed, in KiB, and the place of the next one.
    needed: [u32; MOST],
    next: u8,
    /// How many of them decide.
    looks: u8,
    /// Whether something was forgotten since the last mistake.
    forgot: bool,
}

impl Unneeded {
    pub(super) const fn new() -> Self {
        Self { needed: [0; MOST], next: 0, looks: 1, forgot: false }
    }

    /// A look found `bytes` needed. Returns the most that any of those found that decide, in
    /// whole KiB.
    pub(super) fn look(&mut self, bytes: usize) -> usize {
        let last = usize::from(self.next) % MOST;
        self.needed[last] = u32::try_from(bytes.div_ceil(KIB)).unwrap_or(u32::MAX);
        self.next = ((last + 1) % MOST) as u8;
        let decide = (0..usize::from(self.looks)).map(|ago| self.needed[(last + MOST - ago) % MOST]);
        (decide.max().unwrap_or(0) as usize).saturating_mul(KIB)
    }

    /// What none of them found needed was forgotten, or some of it.
    pub(super) fn forget(&mut self) {
        self.forgot = true;
    }

    /// Something was missed, perhaps because it was forgotten: what looks found before this one does
    /// not count.
    pub(super) fn miss(&mut self) {
        if core::mem::take(&mut self.forgot) {
            self.looks = (2 * self.looks).min(MOST as u8);
        }
        self.needed = [u32::MAX; MOST];
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
            let late =
                core::iter::repeat_with(|| unneeded.look(20 * KIB)).take_while(|&bytes| bytes > 20 * KIB).count();
            assert_eq!(late + 1, looks, "those before the mistake do not count");
            unneeded.look(90 * KIB);
            let after =
                core::iter::repeat_with(|| unneeded.look(20 * KIB)).take_while(|&bytes| bytes == 90 * KIB).count();
            assert_eq!(after + 1, looks);
        }
    }
}
