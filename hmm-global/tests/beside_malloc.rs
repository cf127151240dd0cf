//! Libc's own `malloc` stays alive in a Rust program: C libraries allocate by it, and it moves the break. Nobody's
//! memory is another's, while both heaps grow at once.

use std::iter::repeat_with;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use hmm_global::Hmm;

#[global_allocator]
static ALLOCATOR: Hmm = Hmm::new();

/// A block of libc's, as a C library has it.
struct OfLibc(*mut [u64; 125]);

impl OfLibc {
    fn new(tag: u64) -> Self {
        // SAFETY: takes nothing but a number.
        let at = unsafe { libc::malloc(size_of::<[u64; 125]>()) }.cast::<[u64; 125]>();
        assert!(!at.is_null(), "libc has memory");
        // SAFETY: the block is this long.
        unsafe { at.write([tag; 125]) };
        Self(at)
    }

    fn holds(&self, tag: u64) -> bool {
        // SAFETY: written when it was made.
        let words = unsafe { &*self.0 };
        words.iter().all(|&word| word == tag)
    }
}

impl Drop for OfLibc {
    fn drop(&mut self) {
        // SAFETY: a block of libc's, not used again.
        unsafe { libc::free(self.0.cast()) };
    }
}

/// Without the harness: that would make a thread for this, and libc keeps its heap on the break for the main one.
fn main() {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let threads = [1, 2].map(|thread: u64| {
            let over = &over;
            scope.spawn(move || {
                for tag in (thread << 32..).take_while(|_| !over.load(Relaxed)) {
                    let blocks: Vec<_> = repeat_with(|| Box::new([tag; 64])).take(60_000).collect();
                    assert!(
                        blocks.iter().all(|block| block.iter().all(|&word| word == tag)),
                        "a block of ours is damaged"
                    );
                }
            })
        });
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(2) {
            let blocks: Vec<_> = (0..40_000).map(OfLibc::new).collect();
            assert!(blocks.iter().zip(0..).all(|(block, tag)| block.holds(tag)), "a block of libc's is damaged");
        }
        over.store(true, Relaxed);
        // (A scope ends before its threads' last destructors have run, a join after: quiet, for the check.)
        for thread in threads {
            thread.join().expect("no block was damaged");
        }
    });
    Hmm::check().expect("a sound heap");
    let heap = Hmm::stats();
    assert!(heap.brk_bytes == 0 && heap.reserve_bytes > 0, "the break is libc's: {heap:?}");
}
