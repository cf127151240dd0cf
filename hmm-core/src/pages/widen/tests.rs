use super::*;
use crate::TinyHeap;
use crate::grow::Span;
use crate::pages::map::MAX_REGIONS;
use std::vec;

/// Each span lies by itself, and goes back whole.
struct Apart {
    /// By pointer: to borrow it all once more would end what was handed out.
    start: *mut u8,
    bytes: usize,
    used: usize,
}

impl Apart {
    /// That of `words` words, so that tables are aligned.
    fn new(words: usize) -> Self {
        let start = vec![0_u64; words].leak().as_mut_ptr().cast();
        Self { start, bytes: size_of::<u64>() * words, used: 0 }
    }

    fn take(&mut self, bytes: usize, align: usize) -> Option<NonNull<u8>> {
        let at = self.start.wrapping_add(self.used + align);
        let at = at.wrapping_sub(at.addr() % align);
        self.used = at.addr() - self.start.addr() + bytes;
        NonNull::new(at).filter(|_| self.used <= self.bytes)
    }
}

// SAFETY: no byte is handed out twice, and tables are zero.
unsafe impl HeapGrow for Apart {
    fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
        let bytes = min.next_multiple_of(align);
        let start = self.take(bytes, align)?;
        // (What is behind stays free, so that the next one does not adjoin.)
        self.used += align;
        Some(Grown { span: Span { start, bytes }, room: bytes, zeroed: true })
    }

    unsafe fn shrink(&mut self, _: NonNull<u8>, _: usize) -> bool {
        true
    }

    fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        self.take(bytes, 64)
    }

    fn os_page(&self) -> usize {
        4096
    }
}

#[test]
fn ranges_that_went_back_serve_again() {
    let mut heap = TinyHeap::new(Apart::new(256 * 1024));
    for round in 0..3 * MAX_REGIONS {
        let block = heap.alloc(8 * 1024);
        let Some(block) = block else { panic!("refused in round {round}: {:?}", heap.stats()) };
        // SAFETY: a live block of so many bytes; not used again.
        unsafe { block.write_bytes(0xA5, 8 * 1024) };
        assert_eq!(heap.check(), Ok(()));
        // SAFETY: likewise.
        assert_eq!(unsafe { heap.free(block) }, Ok(()));
        heap.trim();
        assert_eq!((heap.stats().mapped, heap.check()), (0, Ok(())));
    }
}

/// Hands out these stretches, by the page: where it begins, how long it is, how far it might reach.
struct Told<'a> {
    stretches: &'a [(usize, usize, usize)],
    takes_back: bool,
    rest: Apart,
    start: NonNull<u8>,
}

// SAFETY: the stretches of the test do not overlap while they are handed out.
unsafe impl HeapGrow for Told<'_> {
    fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
        let (&(at, pages, room), rest) = self.stretches.split_first()?;
        self.stretches = rest;
        let start = NonNull::new(self.start.as_ptr().wrapping_add(at * align))?;
        let span = Span { start, bytes: pages * align };
        (span.bytes >= min).then_some(Grown { span, room: room * align, zeroed: false })
    }

    unsafe fn shrink(&mut self, _: NonNull<u8>, _: usize) -> bool {
        self.takes_back
    }

    fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        self.rest.meta(bytes)
    }

    fn os_page(&self) -> usize {
        512
    }
}

#[test]
fn a_range_that_begins_in_anothers_last_hole_ends_that_one() {
    let mut rest = Apart::new(64 * 1024);
    let Some(start) = rest.take(8 * 512, 512) else { panic!("there is memory") };
    let stretches = &[(0, 1, 3), (2, 1, 1), (1, 3, 3)];
    let mut heap = TinyHeap::new(Told { stretches, takes_back: true, rest, start });
    let blocks = [512, 512].map(|size| heap.alloc(size));
    let [Some(_), Some(last)] = blocks else { panic!("refused: {blocks:?}") };
    // SAFETY: a live block, not used again.
    assert_eq!(unsafe { heap.free(last) }, Ok(()));
    heap.trim();
    let Some(block) = heap.alloc(3 * 512) else { panic!("refused: {:?}", heap.stats()) };
    assert_eq!(block.as_ptr().addr() - start.as_ptr().addr(), 512, "behind the first page");
    assert_eq!(heap.check(), Ok(()));
    // SAFETY: likewise.
    assert_eq!(unsafe { heap.free(block) }, Ok(()));
}

#[test]
fn what_no_range_can_take_is_not_in_the_way_of_what_one_can() {
    let mut rest = Apart::new(64 * 1024);
    let Some(start) = rest.take(3 * (MAX_REGIONS + 1) * 512, 512) else { panic!("there is memory") };
    // Each lies by itself, one more than there are ranges; then one that continues the first.
    let mut stretches: vec::Vec<_> = (0..=MAX_REGIONS).map(|number| (3 * number, 1, 2)).collect();
    stretches.push((1, 1, 1));
    let mut heap = TinyHeap::new(Told { stretches: &stretches, takes_back: false, rest, start });
    let taken = (0..MAX_REGIONS + 3).filter(|_| heap.alloc(512).is_some()).count();
    assert_eq!((taken, heap.check()), (MAX_REGIONS + 1, Ok(())));
}
