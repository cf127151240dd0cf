//! How much memory is added at a time.
//!
//! ```text
//!   granted   4 MiB, 4 MiB, …, an eighth of the heap
//!   refused   what is needed ─► twice that ─► … ─► as before
//! ```
//!
//! Where memory has run out, a program may ask again and again. So what cannot be had is found out by one
//! question: there is no way down from the whole step to what is needed, but one up.

/// The least to grow by where there is enough: moving the break costs about as much for 4 MiB as for
/// 4 KiB.
const LEAST: usize = 4 * 1024 * 1024;

/// The next step.
#[derive(Debug)]
pub(crate) struct Step {
    /// The most to ask for beyond what is needed; as much as may be, until something was refused.
    most: usize,
}

impl Step {
    pub(crate) const fn new() -> Self {
        Self { most: usize::MAX }
    }

    /// Whether nothing was refused lately.
    pub(crate) fn is_whole(&self) -> bool {
        self.most == usize::MAX
    }

    /// What to ask for where `min` bytes are needed, in a heap of `heap` bytes; a multiple of `align`, as `min` is.
    pub(crate) fn bytes(&self, min: usize, heap: usize, align: usize) -> usize {
        let step = LEAST.max(heap / 8).next_multiple_of(align);
        min.max(step.min(self.most & !(align - 1)))
    }

    /// `bytes` bytes were granted, in a heap of now `heap` bytes.
    pub(crate) fn granted(&mut self, bytes: usize, heap: usize) {
        let twice = bytes.saturating_mul(2);
        self.most = if twice >= LEAST.max(heap / 8) { usize::MAX } else { twice };
    }

    /// `bytes` bytes were refused. What is as large as all that is left, and more, tells little of smaller ones.
    pub(crate) fn refused(&mut self, bytes: usize) {
        self.most = self.most.min(bytes / 2);
    }
}
