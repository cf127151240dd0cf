//! HMM without an operating system's help: no `std`, no libc, no `malloc` to fall back on.
//!
//! The heap's arena is an array in `.bss`; `Box`, `Vec` and the rest of `alloc` live on it. What
//! ties this program to Linux on x86-64, and not to a board, are the few lines of [`machine`]:
//! where it starts, how it writes a line, how it stops.
//!
//! ```sh
//! cargo run --release
//! ```

#![no_std]
#![no_main]

extern crate alloc;

mod allocator;
mod machine;
mod memory;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use allocator::{ARENA_BYTES, Allocator, Heap};

#[global_allocator]
static HEAP: Allocator = Allocator::new();

/// What the machine calls once there is a stack.
fn main() {
    say!("arena in .bss: {ARENA_BYTES} bytes; heap value: {} bytes", size_of::<Heap>());

    // Collections, as on any machine.
    let squares: Vec<u64> = (0..500).map(|n| n * n).collect();
    let mut words: BTreeMap<u64, String> = BTreeMap::new();
    for n in 0..100 {
        let mut word = String::new();
        let _ = write!(word, "word {n}");
        words.insert(n, word);
    }
    let boxed = Box::new([7_u8; 300]);
    say!("Vec: {} numbers, the last is {}", squares.len(), squares[499]);
    say!("BTreeMap: {} entries, {:?} under 42", words.len(), words[&42]);
    say!("Box: {} bytes that sum up to {}", boxed.len(), boxed.iter().map(|&n| u32::from(n)).sum::<u32>());

    let stats = HEAP.with(|heap| heap.stats());
    say!("live: {} bytes in {} blocks", stats.allocated, stats.blocks);
    say!("pages in use: {} bytes; tables: {} bytes", stats.active, stats.metadata);

    drop((squares, words, boxed));
    let left = HEAP.with(|heap| heap.stats().blocks);
    say!("all dropped: {left} blocks live");

    // The heap by itself: what is freed twice is refused and named.
    HEAP.with(|heap| {
        let block = heap.alloc(48).expect("the arena is empty");
        // SAFETY: a live block, not used again.
        unsafe { heap.free(block) }.expect("a live block");
        // SAFETY: no live block, which is the point.
        match unsafe { heap.free(block) } {
            Ok(()) => say!("a second free went unnoticed"),
            Err(misuse) => say!("a second free answers: {misuse}"),
        }
    });

    // An arena that is full is an answer, not the end.
    let mut large: Vec<u8> = Vec::new();
    if large.try_reserve(2 * ARENA_BYTES).is_err() {
        say!("more than the arena holds: refused, and the program goes on");
    }

    HEAP.with(|heap| heap.check()).expect("every invariant of the heap holds");
    say!("the heap is sound");
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    say!("{info}");
    machine::stop(1)
}
