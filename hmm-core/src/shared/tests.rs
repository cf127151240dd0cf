//! The owners' books and the heap's own, held against each other.
//!
//! What owners may keep and what their slabs lack of memory is known to them, and the sums to the run layer. One thread
//! plays many owners here, and a signal handler: at times the lock refuses.

use core::cell::Cell;
use core::mem::MaybeUninit;
use core::ptr::NonNull;
use std::vec::Vec;

use super::{Lock, Shared};
use crate::grow::{FixedRegion, Grown, HeapGrow, Span};
use crate::misuse::Misuse;
use crate::slab::parts::soiled_bytes;
use crate::sync::Ordering::Relaxed;
use crate::units::HOSTED_SHIFT;

/// Bytes of a page: where addresses have 32 bits, it is a quarter, and there is no room for as much as elsewhere.
const PAGE: usize = 1 << HOSTED_SHIFT;

std::thread_local! {
    static REFUSES: Cell<bool> = const { Cell::new(false) };
}

struct Door;

// SAFETY: each test has one thread.
unsafe impl Lock for Door {
    const NEW: Self = Self;

    fn lock(&self) -> bool {
        !REFUSES.get()
    }

    fn would_refuse(&self) -> bool {
        REFUSES.get()
    }

    unsafe fn unlock(&self) {}
}

/// An array whose memory can go back.
struct Purging(FixedRegion);

// SAFETY: as the array; what is purged is zero.
unsafe impl HeapGrow for Purging {
    fn grow(&mut self, least: usize, align: usize) -> Option<Grown> {
        self.0.grow(least, align)
    }

    fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        self.0.meta(bytes)
    }

    unsafe fn purge(&mut self, span: Span) -> bool {
        // SAFETY: the caller's promise: nobody uses it.
        unsafe { span.start.write_bytes(0, span.bytes) };
        true
    }

    fn os_page(&self) -> usize {
        4096
    }
}

type Heap = Shared<Purging, Door>;

fn heap(bytes: usize) -> Heap {
    let misused = |misuse: Misuse| -> ! { panic!("{misuse}") };
    Shared::new(Purging(FixedRegion::new(std::vec![MaybeUninit::uninit(); bytes].leak())), misused)
}

/// Licences and what slabs lack: the owners' sums, and the run layer's.
fn books(heap: &Heap) -> [[usize; 2]; 2] {
    let theirs = heap.with_inner(|inner| {
        inner.registry.iter().fold([0, heap.hollow.load(Relaxed)], |[licences, lack], owner| {
            let loose = &owner.local.loose;
            [licences + loose.licence() + owner.kept.licence(HOSTED_SHIFT), lack + loose.lacks()]
        })
    });
    let own = heap.with_inner(|inner| [inner.pages.keep().licensed(), inner.pages.hollow()]);
    [theirs.expect("the lock is free"), own.expect("the lock is free")]
}

/// Bytes of slabs that may hold memory.
fn slabs_hold(heap: &Heap) -> usize {
    let slabs = heap.map.runs().map(|page| heap.map.header(page)).filter(|header| header.is_slab());
    slabs.map(soiled_bytes::<HOSTED_SHIFT>).sum()
}

#[test]
fn what_owners_have_is_what_the_heap_has_given() {
    let seen: Vec<_> = (1..=6).map(hold_books_against_each_other).collect();
    assert!(seen.iter().all(|[licensed, lacking]| licensed.min(lacking) > &0), "nothing was seen: {seen:?}");
}

/// At random, from `seed` on. Returns the most that was licensed, and that slabs lacked.
fn hold_books_against_each_other(seed: u64) -> [usize; 2] {
    const SIZES: [(usize, usize); 5] = [(8, 1000), (1100, 9000), (9000, PAGE), (8, PAGE), (60_000, 600_000)];
    let heap = heap(128 << 20);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut owners: Vec<_> = (0..3).map(|_| heap.attach().expect("there is room")).collect();
    let mut live: Vec<*mut u8> = Vec::new();
    let (mut most, mut sizes, mut licensed, mut lacking) = (1000, SIZES[0], 0, 0);
    for turn in 0..40_000 {
        if random.usize(..2000) == 0 {
            sizes = SIZES[random.usize(..5)];
            most = 30 + random.usize(..80_000_000) / (sizes.1 + 20_000);
        }
        REFUSES.set(random.usize(..20) == 0);
        let who = random.usize(..3);
        // SAFETY: owners are this thread's, which plays all of them.
        let owner = unsafe { owners[who].as_ref() };
        if live.len() < most && random.usize(..8) > 0 {
            // SAFETY: likewise.
            live.extend(Some(unsafe { heap.alloc(owner, random.usize(sizes.0..sizes.1)) }).filter(|p| !p.is_null()));
        } else if !live.is_empty() {
            // SAFETY: likewise, and the block is live.
            unsafe { heap.free(owner, live.swap_remove(random.usize(..live.len()))) };
        }
        REFUSES.set(false);
        match random.usize(..2_000) {
            // SAFETY: likewise.
            0 => _ = unsafe { heap.trim(owner, 0) },
            1 => {
                // SAFETY: likewise; it is used no more.
                unsafe { heap.detach(owners[who]) };
                owners[who] = heap.attach().expect("there is room");
            }
            2 => heap.keep_free([None, Some(0), Some(1 << 20)][random.usize(..3)]),
            _ => {}
        }
        if turn % 200 == 0 {
            assert_eq!(heap.check(), Ok(()));
            let [theirs, own] = books(&heap);
            assert_eq!(theirs, own, "seed {seed}, turn {turn}");
            (licensed, lacking) = (own[0].max(licensed), own[1].max(lacking));
        }
    }
    [licensed, lacking]
}

/// What others free is found also where they freed little of each word for long, and where what the owner does meanwhile, with
/// words of which some was free, takes it out of the books.
#[test]
fn what_others_free_is_found_whatever_the_owner_does() {
    const SMALL: usize = 64;
    for size in [PAGE / 64, PAGE / 32, PAGE / 16, PAGE / 8] {
        let heap = heap(4096 * PAGE);
        // SAFETY: both are this thread's, which plays them.
        let [owner, other] = [(); 2].map(|()| unsafe { heap.attach().expect("there is room").as_ref() });
        // SAFETY: likewise.
        let take = |size| unsafe { heap.alloc(owner, size) };
        // SAFETY: likewise, and blocks are given here once.
        let give = |who, p| unsafe { heap.free(who, p) };
        let mut small: Vec<_> = (0..32 * PAGE / SMALL).map(|_| take(SMALL)).collect();
        let large: Vec<_> = (0..1024 * PAGE / size).map(|_| take(size)).collect();
        let mut random = fastrand::Rng::with_seed(7);
        let mut churn = || {
            random.shuffle(&mut small);
            let gone = small.split_off(small.len() / 8 * 7);
            let count = gone.len();
            gone.into_iter().for_each(|p| give(owner, p));
            small.extend((0..count).map(|_| take(SMALL)));
        };
        // One of each slab, so that none is full; then, by the other, one of each in turn.
        let slots = PAGE / size;
        large.iter().step_by(slots).for_each(|&p| give(owner, p));
        for turn in 1..slots {
            for (at, &p) in large.iter().skip(turn).step_by(slots).enumerate() {
                give(other, p);
                if at % 64 == 0 {
                    churn();
                }
            }
        }
        (0..20).for_each(|_| churn());
        let held = slabs_hold(&heap);
        assert!(held < 224 * PAGE, "slabs hold {held} bytes for 32 pages, after 1024 in blocks of {size} bytes");
    }
}

/// What threads leave goes back by amount, also where the bound is small (64 KiB are freed before that is told).
#[test]
fn what_threads_leave_is_bounded() {
    for (bound, most) in [(None, 4 << 20), (Some(1 << 20), 640 << 10), (Some(0), 64 << 10)] {
        let heap = heap(64 << 20);
        heap.keep_free(bound);
        let mut pinned = 0;
        for turn in 0..40 {
            // SAFETY: owners are this thread's, which plays them all; they are never unmapped.
            let attach = || unsafe { heap.attach().expect("there is room").as_ref() };
            let (owner, size) = (attach(), 64 + 32 * turn);
            // SAFETY: likewise.
            let blocks: Vec<_> = (0..(512 << 10) / size).map(|_| unsafe { heap.alloc(owner, size) }).collect();
            // SAFETY: likewise; it is used no more.
            unsafe { heap.detach(owner.into()) };
            let main = attach();
            // SAFETY: likewise, and the blocks are given here once. One a turn stays.
            blocks.into_iter().skip(1).for_each(|p| unsafe { heap.free(main, p) });
            // SAFETY: as above.
            unsafe { heap.detach(main.into()) };
            pinned += 4096;
            let held = slabs_hold(&heap);
            assert!(held <= pinned + most, "slabs hold {held} bytes after turn {turn}, bound {bound:?}");
        }
    }
}

/// Nor do medium slabs that become empty take what others have free out of the books.
#[test]
fn what_lies_free_in_medium_slabs_is_bounded() {
    const BOUND: usize = 128 * PAGE;
    for (low, high) in [(30_000, 32_000), (60_000, 65_000), (20_000, 65_000)] {
        let [low, high] = [low, high].map(|size| size >> (16 - HOSTED_SHIFT));
        let heap = heap(10_240 * PAGE);
        heap.keep_free(Some(BOUND));
        // SAFETY: the owner is this thread's.
        let owner = unsafe { heap.attach().expect("there is room").as_ref() };
        let mut random = fastrand::Rng::with_seed(1);
        // SAFETY: likewise.
        let take = |size| unsafe { heap.alloc(owner, size) };
        let mut live: Vec<_> = (0..8000 * PAGE / high).map(|_| take(random.usize(low..high))).collect();
        let (mut in_use, all) = (slabs_hold(&heap), live.len());
        random.shuffle(&mut live);
        let size = in_use / all;
        for p in live.drain(all / 20..) {
            // SAFETY: likewise, and each block is given here once.
            unsafe { heap.free(owner, p) };
            in_use -= size;
            let free = slabs_hold(&heap).saturating_sub(in_use);
            assert!(free < BOUND + 96 * PAGE, "{free} bytes are free in slabs, {in_use} in use, of {low} to {high}");
        }
    }
}

/// An eighth of what is in use may lie free inside slabs: less, when a large block goes.
#[test]
fn what_lies_free_in_slabs_goes_when_a_large_block_does() {
    let heap = heap(10_240 * PAGE);
    // SAFETY: the owner is this thread's.
    let owner = unsafe { heap.attach().expect("there is room").as_ref() };
    // SAFETY: likewise.
    let take = |size| unsafe { heap.alloc(owner, size) };
    // SAFETY: likewise, and each block is given here once.
    let give = |p| unsafe { heap.free(owner, p) };
    let large = take(5120 * PAGE);
    let mut live: Vec<_> = (0..6000).map(|_| take(20_000 >> (16 - HOSTED_SHIFT))).collect();
    let in_use = slabs_hold(&heap) / 3;
    fastrand::Rng::with_seed(1).shuffle(&mut live);
    live.drain(2000..).for_each(give);
    let free = slabs_hold(&heap).saturating_sub(in_use);
    assert!(free > 256 * PAGE, "{free} bytes are free in slabs beside a large block");
    give(large);
    let free = slabs_hold(&heap).saturating_sub(in_use);
    assert!(free < 128 * PAGE, "{free} bytes are free in slabs after it went");
}

/// What may be free may be all of the bound, though owners ask for some more than they need; and what is licensed for
/// no use is no reason to give back what is free. What is too much goes back part by part.
#[test]
fn no_more_goes_back_from_slabs_than_must() {
    const BOUND: usize = 512 * PAGE;
    let heap = heap(10_240 * PAGE);
    heap.keep_free(Some(BOUND));
    // SAFETY: the owner is this thread's.
    let owner = unsafe { heap.attach().expect("there is room").as_ref() };
    let size = 20_000 >> (16 - HOSTED_SHIFT);
    // SAFETY: likewise.
    let take = |bytes: usize| (0..bytes / size).for_each(|_| _ = unsafe { heap.alloc(owner, size) });
    // SAFETY: likewise.
    let mut live: Vec<_> = (0..8000 * PAGE / size).map(|_| unsafe { heap.alloc(owner, size) }).collect();
    let (all, each) = (slabs_hold(&heap), slabs_hold(&heap) / live.len());
    fastrand::Rng::with_seed(1).shuffle(&mut live);
    let mut most = 0;
    for (number, p) in live.drain(..BOUND / 32 * 31 / each).enumerate() {
        // SAFETY: likewise, and each block is given here once.
        unsafe { heap.free(owner, p) };
        most = most.max(slabs_hold(&heap).saturating_sub(all - (number + 1) * each));
    }
    assert!(most > BOUND / 16 * 15, "{most} bytes were free in slabs at most of {BOUND} that may be");
    take(BOUND / 2);
    heap.keep_free(Some(BOUND / 4 * 3));
    let before = slabs_hold(&heap);
    take(BOUND / 8);
    assert!(slabs_hold(&heap) >= before, "{} of {before} bytes of slabs hold memory", slabs_hold(&heap));
    heap.keep_free(Some(BOUND));
    let mut held = slabs_hold(&heap);
    for p in live.drain(..2 * BOUND / each) {
        // SAFETY: likewise, and each block is given here once.
        unsafe { heap.free(owner, p) };
        let gone = held - slabs_hold(&heap);
        assert!(gone < BOUND / 8 * 7, "{gone} bytes of {BOUND} went back at once");
        held -= gone;
    }
}
