//! The heap over a backend of your own: here, what a kernel has at boot.
//!
//! A frame allocator hands out the machine's memory in frames of 4 KiB, upward; the heap gets
//! its pages from it, gives those at its top back, and keeps its tables in frames from the other
//! end. A boxed slice plays the machine.
//!
//! ```sh
//! cargo run -p hmm-core --example own_backend
//! ```

use std::collections::BTreeMap;
use std::ptr::NonNull;

use hmm_core::{Grown, Heap, HeapGrow, Span};

const FRAME: usize = 4096;

/// One frame of the machine's memory.
#[derive(Clone)]
#[repr(align(4096))]
struct Frame {
    _bytes: [u8; FRAME],
}

const _: () = assert!(size_of::<Frame>() == FRAME);

/// A kernel's frame allocator, reduced to two bounds.
///
/// ```text
///   | the heap's pages ──► low |   free   | high ◄── the heap's tables |
/// ```
struct Frames {
    /// The machine's memory. Only its address is used from now on.
    memory: NonNull<Frame>,
    /// Frames below it are the heap's pages.
    low: usize,
    /// Frames from it on are the heap's tables.
    high: usize,
    /// How often the heap asked for pages, and gave some back.
    grown: usize,
    shrunk: usize,
}

impl Frames {
    /// A machine with so many frames. The memory stays, as memory does.
    fn new(frames: usize) -> Self {
        let memory = Box::leak(vec![Frame { _bytes: [0; FRAME] }; frames].into_boxed_slice());
        Self { memory: NonNull::from(memory).cast(), low: 0, high: frames, grown: 0, shrunk: 0 }
    }

    /// The address of a frame, or of the end.
    fn frame(&self, number: usize) -> NonNull<u8> {
        // SAFETY: `number` is at most the number of frames, so this stays in
        // the memory or points right behind it.
        unsafe { self.memory.add(number) }.cast()
    }
}

// SAFETY: `low` only passes frames below `high`, and `high` only frames above
// `low`, so everything handed out is disjoint, and valid, since it is leaked.
unsafe impl HeapGrow for Frames {
    fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
        // Whole frames, and from a multiple of the heap's page size on.
        let align = align.max(FRAME);
        let pad = self.frame(self.low).addr().get().wrapping_neg() & (align - 1);
        let low = self.low + pad / FRAME;
        let bytes = min.checked_next_multiple_of(align)?;
        let room = self.high.checked_sub(low)? * FRAME;
        if bytes > room {
            return None;
        }
        self.low = low + bytes / FRAME;
        self.grown += 1;
        // Frames that were given back may hold anything: `zeroed` would be
        // true only of a machine's very first ones.
        Some(Grown { span: Span { start: self.frame(low), bytes }, room, zeroed: false })
    }

    unsafe fn shrink(&mut self, start: NonNull<u8>, bytes: usize) -> bool {
        let end = start.addr().get() + bytes;
        if bytes % FRAME != 0 || end != self.frame(self.low).addr().get() {
            return false;
        }
        self.low -= bytes / FRAME;
        self.shrunk += 1;
        true
    }

    fn meta(&mut self, bytes: usize) -> Option<NonNull<u8>> {
        let frames = bytes.div_ceil(FRAME);
        let high = self.high.checked_sub(frames).filter(|&high| high >= self.low)?;
        self.high = high;
        let start = self.frame(high);
        // SAFETY: these frames lay between `low` and the old `high`: nobody
        // else has them.
        unsafe { start.write_bytes(0, frames * FRAME) };
        Some(start)
    }

    fn os_page(&self) -> usize {
        FRAME
    }
}

/// Pages of 4 KiB, to match the frames. `C` follows from `SHIFT`: were it wrong, the compiler
/// would say so.
type KernelHeap = Heap<Frames, 12, 44>;

fn main() {
    let mut heap = KernelHeap::new(Frames::new(512));
    println!("a machine of 512 frames; heap value: {} bytes", size_of::<KernelHeap>());

    // Churn: blocks of many sizes come and go in a fixed disorder, and each keeps what was
    // written into it.
    let mut live: BTreeMap<usize, (NonNull<u8>, usize)> = BTreeMap::new();
    let mut seed = 1_u64;
    for round in 0..20_000 {
        seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        let key = ((seed >> 33) % 600) as usize;
        if let Some((block, size)) = live.remove(&key) {
            // SAFETY: a live block of this size.
            let bytes = unsafe { std::slice::from_raw_parts(block.as_ptr(), size) };
            assert!(bytes.iter().all(|&byte| byte == key as u8), "round {round}: a block was overwritten");
            // SAFETY: a live block, not used again.
            unsafe { heap.free(block) }.expect("a live block");
        } else {
            let size = if key % 50 == 0 { 20_000 } else { 1 + key * 3 };
            let Some(block) = heap.alloc(size) else { continue };
            // SAFETY: the block is ours and this long.
            unsafe { block.write_bytes(key as u8, size) };
            live.insert(key, (block, size));
        }
    }
    let stats = heap.stats();
    println!("in the middle: {} blocks, {} bytes live", stats.blocks, stats.allocated);
    println!("  pages in use {} bytes, tables {} bytes", stats.active, stats.metadata);
    heap.check().expect("every invariant of the heap holds");

    for (block, _) in live.into_values() {
        // SAFETY: a live block, not used again.
        unsafe { heap.free(block) }.expect("a live block");
    }
    heap.trim();
    heap.check().expect("every invariant of the heap holds");
    let blocks = heap.stats().blocks;
    let frames = heap.grow_mut();
    println!("all freed: {blocks} blocks live");
    println!("  asked for frames {} times, gave some back {} times, holds {}", frames.grown, frames.shrunk, frames.low);
}
