//! A heap in a static array: what a microcontroller has, on any machine.
//!
//! ```sh
//! cargo run -p hmm-core --example static_array
//! ```

use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

use hmm_core::{FixedRegion, TinyHeap};

const ARENA_BYTES: usize = 64 * 1024;

/// All memory that the heap will ever have. Pages are 512 bytes, and an array that begins at a
/// multiple of that wastes nothing.
#[repr(align(512))]
struct Arena {
    _bytes: [u8; ARENA_BYTES],
}

static mut ARENA: Arena = Arena { _bytes: [0; ARENA_BYTES] };

/// The heap is a constant: nothing runs before its first use. It takes no lock of its own, so a
/// program with threads, or with interrupts, puts it behind one.
static HEAP: Mutex<TinyHeap<FixedRegion>> = {
    let start = (&raw mut ARENA).cast();
    // SAFETY: the array is static and named only here.
    let region = unsafe { FixedRegion::from_raw(start, ARENA_BYTES) };
    Mutex::new(TinyHeap::new(region))
};

fn main() {
    let mut heap = HEAP.lock().unwrap_or_else(PoisonError::into_inner);
    println!("arena: {ARENA_BYTES} bytes, heap value: {} bytes", size_of::<TinyHeap<FixedRegion>>());

    // Allocate, fill, resize: the contents come along.
    let text = b"a block in a static array";
    let small = heap.alloc(text.len()).expect("the arena is empty");
    // SAFETY: the block is ours and at least this long.
    unsafe { small.as_ptr().copy_from_nonoverlapping(text.as_ptr(), text.len()) };
    // SAFETY: a live block, whose old address is not used again.
    let grown = unsafe { heap.realloc(small, 2000) }.expect("a live block").expect("2000 bytes are left");
    // SAFETY: the block is longer than the text, which was copied along.
    let kept = unsafe { std::slice::from_raw_parts(grown.as_ptr(), text.len()) };
    println!("after realloc: {:?}", String::from_utf8_lossy(kept));

    let aligned = heap.alloc_aligned(256, 100).expect("there is room");
    assert!(aligned.as_ptr().addr() % 256 == 0);
    println!("100 bytes at a multiple of 256: {} usable", heap.usable_size(aligned).expect("a live block"));

    let stats = heap.stats();
    println!(
        "live: {} bytes in {} blocks; pages in use: {} bytes; tables: {} bytes",
        stats.allocated, stats.blocks, stats.active, stats.metadata,
    );

    // Misuse is refused and named; the heap stays as it was.
    // SAFETY: a live block, not used again.
    unsafe { heap.free(aligned) }.expect("a live block");
    // SAFETY: no live block, which is the point.
    let twice = unsafe { heap.free(aligned) }.expect_err("it is free already");
    println!("a second free answers: {}", told(&twice));
    let inside = NonNull::new(grown.as_ptr().wrapping_add(16)).expect("not null");
    // SAFETY: as above.
    let interior = unsafe { heap.free(inside) }.expect_err("no block begins there");
    println!("a free in the middle answers: {}", told(&interior));
    let mut foreign = 0_u64;
    // SAFETY: as above.
    let stack = unsafe { heap.free(NonNull::from(&mut foreign).cast()) }.expect_err("not the heap's");
    println!("a free of something else answers: {}", told(&stack));

    // An arena that is full says so, and serves again when something was freed.
    let mut blocks = Vec::new();
    while let Some(block) = heap.alloc(200) {
        blocks.push(block);
    }
    println!("{} blocks of 200 bytes fit beside the first", blocks.len());
    for block in blocks {
        // SAFETY: a live block, not used again.
        unsafe { heap.free(block) }.expect("a live block");
    }
    // SAFETY: as above.
    unsafe { heap.free(grown) }.expect("a live block");

    heap.check().expect("every invariant of the heap holds");
    println!("all freed: {} blocks live, the heap is sound", heap.stats().blocks);
}

/// The line without the address, which differs from run to run.
fn told(misuse: &hmm_core::Misuse) -> String {
    misuse.to_string().replace(&format!("{:#x}", misuse.address()), "0x…")
}
