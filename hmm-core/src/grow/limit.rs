//! A bound on what a heap holds.

use core::ptr::NonNull;

use super::{Grown, HeapGrow, Moved, Span};

/// A backend with a limit: the heap over it never holds more than so many bytes,
/// its tables included.
///
/// What counts is memory, not addresses: pages in use and free ones that were
/// not purged. Before the heap refuses an allocation it gives back whatever is
/// free. Where a backend hands out pages that are not zero, more of them than it
/// was asked for, and then refuses to take them back, they are held, even beyond
/// the limit; the heap gets no more until it holds less, and lives on what it has, as
/// long as what is in use is within the limit.
///
/// ```
/// use core::mem::MaybeUninit;
/// use hmm_core::{FixedRegion, Limit, TinyHeap};
///
/// let arena = Box::leak(Box::new([MaybeUninit::<u8>::uninit(); 32 * 1024]));
/// let mut heap = TinyHeap::new(Limit::new(FixedRegion::new(arena), 16 * 1024));
/// assert!(heap.alloc(20 * 1024).is_none());
/// heap.grow_mut().set(usize::MAX);
/// assert!(heap.alloc(20 * 1024).is_some());
/// ```
#[derive(Debug)]
pub struct Limit<G> {
    inner: G,
    bytes: usize,
}

impl<G> Limit<G> {
    /// `inner`, of which the heap may hold `bytes` bytes.
    pub const fn new(inner: G, bytes: usize) -> Self {
        Self { inner, bytes }
    }

    /// Sets the limit to `bytes`; `usize::MAX` is none. A heap that holds more
    /// already keeps that, and gets no more until it holds less.
    pub const fn set(&mut self, bytes: usize) {
        self.bytes = bytes;
    }

    /// The backend below.
    pub const fn inner(&mut self) -> &mut G {
        &mut self.inner
    }
}

// SAFETY: passes everything on; the heap heeds the limit by itself.
unsafe impl<G: HeapGrow> HeapGrow for Limit<G> {
    fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
        self.inner.grow(min, align)
    }

    unsafe fn shrink(&mut self, start: NonNull<u8>, bytes: usize) -> bool {
        // SAFETY: the caller's promise.
        unsafe { self.inner.shrink(start, bytes) }
    }

    unsafe fn purge(&mut self, span: Span) -> bool {
        // SAFETY: the caller's promise.
        unsafe { self.inner.purge(span) }
    }

    unsafe fn move_pages(&mut self, from: Span, to: NonNull<u8>, again: bool) -> Moved {
        // SAFETY: the caller's promise.
        unsafe { self.inner.move_pages(from, to, again) }
    }

    fn unit(&self) -> usize {
        self.inner.unit()
    }

    unsafe fn populate(&mut self, span: Span) -> bool {
        // SAFETY: the caller's promise.
        unsafe { self.inner.populate(span) }
    }

    fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        self.inner.meta(bytes)
    }

    fn open_meta(&mut self, start: NonNull<u8>, bytes: usize) -> bool {
        self.inner.open_meta(start, bytes)
    }

    fn resident(&mut self, span: Span) -> Option<usize> {
        self.inner.resident(span)
    }

    fn limit(&self) -> usize {
        self.bytes.min(self.inner.limit())
    }

    fn os_page(&self) -> usize {
        self.inner.os_page()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FixedRegion, TinyHeap};
    use core::mem::MaybeUninit;

    /// Over a backend that cannot purge, what is refused leaves no more than the limit behind.
    #[test]
    fn a_refusal_leaves_the_heap_within_its_limit() {
        let mut refused = 0;
        for limit in (1500..3400).step_by(4) {
            let mut memory = [MaybeUninit::<u8>::uninit(); 13188];
            // SAFETY: the heap's alone as long as there is one.
            let region = unsafe { FixedRegion::from_raw(memory.as_mut_ptr().cast(), memory.len()) };
            let mut heap = TinyHeap::new(Limit::new(region, limit));
            let Some(block) = heap.alloc_aligned(1024, 26) else { continue };
            // SAFETY: a live block, not used again.
            refused += usize::from(unsafe { heap.realloc(block, 589) } == Ok(None));
            let held = heap.stats().held;
            assert!(held <= limit, "{held} bytes of {limit}");
        }
        assert!(refused > 0);
    }

    /// A backend with the functions that it must have, and no others.
    struct Bare(FixedRegion);

    // SAFETY: passes on what a sound one does.
    unsafe impl HeapGrow for Bare {
        fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
            self.0.grow(min, align).map(|grown| Grown { zeroed: false, ..grown })
        }

        fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
            self.0.meta(bytes)
        }

        fn os_page(&self) -> usize {
            self.0.os_page()
        }
    }

    fn heap_of(bytes: usize, limit: usize) -> TinyHeap<Limit<Bare>> {
        let memory = std::vec![MaybeUninit::uninit(); bytes].leak();
        TinyHeap::new(Limit::new(Bare(FixedRegion::new(memory)), limit))
    }

    fn take(heap: &mut TinyHeap<Limit<Bare>>, count: usize) -> std::vec::Vec<NonNull<u8>> {
        (0..count).filter_map(|_| heap.alloc(1024)).collect()
    }

    /// Where nothing can go back, what is refused must not be added first.
    #[test]
    fn a_refusal_adds_nothing() {
        let limit = 256 * 1024;
        let mut heap = heap_of(1024 * 1024, limit);
        for (number, block) in take(&mut heap, 190).into_iter().enumerate() {
            if number % 2 == 0 {
                // SAFETY: a live block, not used again.
                assert_eq!(unsafe { heap.free(block) }, Ok(()));
            }
        }
        let held = heap.stats().held;
        assert!(heap.alloc(80 * 1024).is_none());
        assert_eq!(heap.stats().held, held);
        assert!(heap.alloc(60 * 1024).is_none() && held <= limit);
    }

    /// Nor what is only to be aligned.
    #[test]
    fn what_is_aligned_far_apart_adds_no_more_than_the_limit() {
        let limit = 100 * 1024;
        let mut heap = heap_of(4 << 20, limit);
        assert_eq!(take(&mut heap, 20).len(), 20);
        let before = heap.stats().held;
        assert_eq!(heap.alloc_aligned(256 * 1024, 1), None);
        assert_eq!(heap.stats().held, before);
        assert!(heap.alloc_aligned(4096, 1).is_some(), "there is room for that");
    }

    /// As [`Bare`], of which nothing adjoins what was handed out before.
    struct Scattered(Bare);

    // SAFETY: passes on what a sound one does.
    unsafe impl HeapGrow for Scattered {
        fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
            self.0.grow(align, align)?;
            self.0.grow(min, align)
        }

        fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
            self.0.meta(bytes)
        }

        fn os_page(&self) -> usize {
            self.0.os_page()
        }
    }

    /// Nor what does not adjoin the free pages that were to be a part of it.
    #[test]
    fn what_does_not_adjoin_adds_no_more_than_the_limit() {
        let mut refused = 0;
        for limit in (64 * 1024..256 * 1024).step_by(4096) {
            let memory = std::vec![MaybeUninit::uninit(); 4 << 20].leak();
            let mut heap = TinyHeap::new(Limit::new(Scattered(Bare(FixedRegion::new(memory))), limit));
            let Some(first) = heap.alloc(16 * 1024) else { continue };
            // SAFETY: a live block, not used again.
            assert_eq!(unsafe { heap.free(first) }, Ok(()));
            refused += usize::from(heap.alloc(100 * 1024).is_none());
            let held = heap.stats().held;
            assert!(held <= limit, "{held} bytes of {limit}");
        }
        assert!((1..48).contains(&refused), "{refused} times of 48");
    }

    /// A heap that holds more than its limit, and can give nothing back, lives on what it holds.
    #[test]
    fn what_is_held_anyway_serves_below_a_lowered_limit() {
        let mut heap = heap_of(128 * 1024, usize::MAX);
        for block in take(&mut heap, 60).into_iter().skip(1) {
            // SAFETY: a live block, not used again.
            assert_eq!(unsafe { heap.free(block) }, Ok(()));
        }
        let held = heap.stats().held;
        let limit = 32 * 1024;
        assert!(held > limit);
        heap.grow_mut().set(limit);
        let taken = take(&mut heap, 60).len();
        let stats = heap.stats();
        assert!(
            taken > 0
                && stats.active + stats.metadata > limit - 2 * 1024
                && stats.allocated <= limit
                && stats.held == held,
            "{taken} more, {stats:?}"
        );
    }
}
