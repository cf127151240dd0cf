//! The heap as the program's allocator: an arena, a lock, and four functions.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::{self, NonNull};
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::{Acquire, Release};

use hmm_core::{FixedRegion, TinyHeap};

/// All memory that the heap will ever have.
pub const ARENA_BYTES: usize = 64 * 1024;

/// Pages are 512 bytes: an arena that begins at a multiple of that wastes nothing.
#[repr(align(512))]
struct Arena {
    _bytes: [u8; ARENA_BYTES],
}

/// Zeros, so it lies in `.bss` and takes no room in the program's file.
static mut ARENA: Arena = Arena { _bytes: [0; ARENA_BYTES] };

/// The heap. It is one owner's at a time and has no lock of its own.
pub type Heap = TinyHeap<FixedRegion>;

/// The heap behind a lock that spins. On one core without threads, turning interrupts off would
/// do instead.
pub struct Allocator {
    busy: AtomicBool,
    heap: UnsafeCell<Heap>,
}

// SAFETY: the heap is reached in `with` only, by one at a time.
unsafe impl Sync for Allocator {}

impl Allocator {
    /// The heap, as a constant: it is ready before the first instruction runs. There can be one,
    /// since there is one arena.
    pub const fn new() -> Self {
        // SAFETY: the arena is static, and nothing but this heap uses it.
        let region = unsafe { FixedRegion::from_raw((&raw mut ARENA).cast(), ARENA_BYTES) };
        Self { busy: AtomicBool::new(false), heap: UnsafeCell::new(TinyHeap::new(region)) }
    }

    /// Runs `f` on the heap. `f` must not allocate through the allocator: it would wait for
    /// itself.
    pub fn with<R>(&self, f: impl FnOnce(&mut Heap) -> R) -> R {
        while self.busy.swap(true, Acquire) {
            core::hint::spin_loop();
        }
        // SAFETY: `busy` was false and is true now, so nobody else is here.
        let result = f(unsafe { &mut *self.heap.get() });
        self.busy.store(false, Release);
        result
    }
}

fn or_null(block: Option<NonNull<u8>>) -> *mut u8 {
    block.map_or(ptr::null_mut(), NonNull::as_ptr)
}

// SAFETY: blocks are disjoint, as large and as aligned as their layouts say, and live until they
// are deallocated. A misuse panics, which ends the program: nothing unwinds here.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.with(|heap| or_null(heap.alloc_aligned(layout.align(), layout.size())))
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.with(|heap| or_null(heap.alloc_zeroed_aligned(layout.align(), layout.size())))
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(block) = NonNull::new(block) else { return };
        // SAFETY: the caller's promise.
        let freed = self.with(|heap| unsafe { heap.free_sized(block, layout.align(), layout.size()) });
        if let Err(misuse) = freed {
            panic!("{misuse}");
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(block) = NonNull::new(block) else { return ptr::null_mut() };
        // SAFETY: the caller's promise, and blocks are as aligned as their layouts say.
        match self.with(|heap| unsafe { heap.realloc_aligned(block, layout.align(), size) }) {
            Ok(block) => or_null(block),
            Err(misuse) => panic!("{misuse}"),
        }
    }
}
