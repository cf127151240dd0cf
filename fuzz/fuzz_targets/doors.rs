//! The C library as programs call it: the doors of `hmm-preload`, compiled into the
//! fuzzer, which itself runs on them. Other threads free what they are sent, and
//! allocate and end. The heap is the process's: it lives on from input to input.

#![no_main]

#[path = "../../hmm-preload/src/cxx/mod.rs"]
pub mod cxx;
#[path = "../../hmm-preload/src/door.rs"]
mod door;
#[path = "../../hmm-preload/src/hmm.rs"]
pub mod hmm;
#[path = "../../hmm-preload/src/info/mod.rs"]
pub mod info;
#[path = "../../hmm-preload/src/malloc.rs"]
pub mod malloc;
#[path = "../../hmm-preload/src/summary.rs"]
mod summary;

use std::ffi::c_void;
use std::io;
use std::ptr::{self, NonNull};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use arbitrary::Arbitrary;
use hmm_fuzz::{Blocks, Size};
use libfuzzer_sys::fuzz_target;

const PAGE: usize = 1 << 16;
const MOST: usize = 1 << 20;

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Op {
    Malloc {
        size: Size,
        count: u8,
    },
    Calloc {
        count: u8,
        size: Size,
    },
    Aligned {
        door: u8,
        align: u8,
        size: Size,
    },
    Realloc {
        index: u16,
        size: Size,
    },
    ReallocArray {
        index: u16,
        count: u8,
        size: Size,
    },
    Free {
        index: u16,
        stride: u8,
        count: u8,
    },
    FreeSized {
        index: u16,
    },
    /// Lets the other thread free some.
    Send {
        index: u16,
        count: u8,
    },
    /// A thread allocates and ends.
    Thread {
        size: Size,
        count: u8,
    },
    Trim,
    KeepFree {
        bytes: u32,
    },
    Impossible {
        door: u8,
        excess: u8,
    },
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Misuse {
    Nothing,
    Twice { index: u16, by_thread: bool },
    Inside { index: u16, offset: u16 },
    Foreign,
    WrongSize { index: u16 },
}

#[derive(Arbitrary, Debug)]
struct Input {
    ops: Vec<Op>,
    end: Misuse,
}

/// A thread that frees what it is sent, and says when it has.
struct Freer {
    work: Sender<Vec<usize>>,
    done: Receiver<()>,
    sent: usize,
}

impl Freer {
    fn new() -> Self {
        let (work, blocks) = channel::<Vec<usize>>();
        let (tell, done) = channel();
        thread::spawn(move || {
            // The first wait allocates: later ones leave the heap quiet.
            let _ = blocks.recv_timeout(Duration::from_millis(1));
            tell.send(()).expect("the fuzzer waits for it");
            for blocks in blocks {
                for block in blocks {
                    // SAFETY: whoever sent it gave it up.
                    unsafe { malloc::free(ptr::with_exposed_provenance_mut(block)) };
                }
                tell.send(()).expect("the fuzzer waits for it");
            }
        });
        let mut freer = Self { work, done, sent: 1 };
        freer.join();
        freer
    }

    fn send(&mut self, blocks: Vec<usize>) {
        self.sent += 1;
        self.work.send(blocks).expect("the thread waits for work");
    }

    fn join(&mut self) {
        for _ in 0..std::mem::take(&mut self.sent) {
            self.done.recv().expect("the thread answers");
        }
    }
}

struct Run<'a> {
    blocks: Blocks,
    freer: &'a mut Freer,
}

impl Run<'_> {
    fn enter(&mut self, start: *mut c_void, size: usize, align: usize, zeroed: bool) {
        let start = NonNull::new(start.cast::<u8>()).expect("there is memory");
        // SAFETY: a live block.
        let usable = unsafe { malloc::malloc_usable_size(start.as_ptr().cast()) };
        self.blocks.enter(start, size, align, usable, zeroed);
    }

    fn free(&mut self, index: u16) {
        if let Some(block) = self.blocks.pick(index) {
            // SAFETY: it is live, and forgotten.
            unsafe { malloc::free(block.start().as_ptr().cast()) };
        }
    }

    fn aligned(&mut self, door: u8, align: u8, size: usize) {
        let align = 16_usize << (align % 14);
        let start = match door % 5 {
            0 => malloc::aligned_alloc(align, size),
            1 => malloc::memalign(align, size),
            2 => hmm::aligned_alloc(align, size),
            3 => malloc::valloc(size),
            _ => {
                let mut out = ptr::null_mut();
                // SAFETY: the pointer is ours to write.
                assert_eq!(unsafe { malloc::posix_memalign(&raw mut out, align, size) }, 0);
                out
            }
        };
        let align = if door % 5 == 3 { 4096 } else { align };
        self.enter(start, size, align, false);
    }

    fn realloc(&mut self, index: u16, size: usize, resize: impl FnOnce(*mut c_void) -> *mut c_void) {
        let Some(old) = self.blocks.pick(index) else { return };
        let start = resize(old.start().as_ptr().cast());
        let start = NonNull::new(start.cast::<u8>()).expect("there is memory");
        // SAFETY: a live block.
        let usable = unsafe { malloc::malloc_usable_size(start.as_ptr().cast()) };
        self.blocks.reenter(old, start, size, 16, usable);
    }

    fn send(&mut self, index: u16, count: u8) {
        let picked = (0..count).filter_map(|_| self.blocks.pick(index));
        let blocks = picked.map(|block| block.start().as_ptr().expose_provenance()).collect();
        self.freer.send(blocks);
    }

    fn thread(&mut self, size: usize, count: u8) {
        let allocate = move || (0..count).map(|_| malloc::malloc(size).expose_provenance()).collect::<Vec<_>>();
        for block in thread::spawn(allocate).join().expect("it allocates and ends") {
            self.enter(ptr::with_exposed_provenance_mut(block), size, 16, false);
        }
    }

    /// More than there can be.
    fn impossible(door: u8, excess: u8) {
        let size = isize::MAX as usize + 1 + usize::from(excess);
        let start = match door % 5 {
            0 => malloc::malloc(size),
            1 => malloc::calloc(size, 2 + usize::from(excess)),
            2 => malloc::aligned_alloc(64, size),
            3 => malloc::pvalloc(size),
            // SAFETY: null is none.
            _ => unsafe { malloc::reallocarray(ptr::null_mut(), size, 2) },
        };
        assert!(start.is_null());
        // SAFETY: this thread's own.
        assert_eq!(unsafe { *libc::__errno_location() }, libc::ENOMEM);
    }

    fn step(&mut self, op: Op) {
        let bytes = |size: Size| size.bytes(PAGE, MOST);
        match op {
            Op::Malloc { size, count } => {
                let size = bytes(size);
                for nth in 0..=if size < 4096 { count } else { 0 } {
                    let start = if nth % 2 == 0 { malloc::malloc(size) } else { hmm::alloc(size) };
                    self.enter(start, size, 16, false);
                }
            }
            Op::Calloc { count, size } => {
                let (count, size) = (usize::from(count), bytes(size) % 8192);
                self.enter(malloc::calloc(count, size), count * size, 16, true);
            }
            Op::Aligned { door, align, size } => self.aligned(door, align, bytes(size)),
            Op::Realloc { index, size } => {
                let size = bytes(size).max(1);
                // SAFETY: the block is live, and given up for the new one.
                self.realloc(index, size, |block| unsafe { malloc::realloc(block, size) });
            }
            Op::ReallocArray { index, count, size } => {
                let (count, size) = (usize::from(count).max(1), bytes(size).clamp(1, 8192));
                // SAFETY: likewise.
                self.realloc(index, count * size, |block| unsafe { malloc::reallocarray(block, count, size) });
            }
            Op::Free { index, stride, count } => {
                for nth in 0..=u16::from(count) {
                    self.free(index.wrapping_add(nth.wrapping_mul(stride.into())));
                }
            }
            Op::FreeSized { index } => {
                if let Some(block) = self.blocks.pick(index) {
                    let start = block.start().as_ptr().cast();
                    // SAFETY: it is live, and forgotten.
                    unsafe {
                        match block.align() {
                            16 => malloc::free_sized(start, block.size()),
                            align => malloc::free_aligned_sized(start, align, block.size()),
                        }
                    }
                }
            }
            Op::Send { index, count } => self.send(index, count),
            Op::Thread { size, count } => self.thread(bytes(size) % 8192, count),
            Op::Trim => _ = hmm::trim(),
            Op::KeepFree { bytes } => _ = hmm::set_option(hmm::HMM_OPTION_KEEP, bytes as usize),
            Op::Impossible { door, excess } => Self::impossible(door, excess),
        }
    }

    /// The misuse; `None` if there is no block to do it to.
    fn misuse(&mut self, end: Misuse) -> Option<()> {
        let address = |block: hmm_fuzz::Live| block.start().as_ptr().cast::<c_void>();
        match end {
            Misuse::Nothing => return None,
            Misuse::Twice { index, by_thread } => {
                let block = address(self.blocks.look(index)?);
                // SAFETY: live; forgotten by the child, which ends here.
                unsafe { malloc::free(block) };
                let again = block.expose_provenance();
                // SAFETY: must be found out.
                let free = move || unsafe { malloc::free(ptr::with_exposed_provenance_mut(again)) };
                if by_thread {
                    thread::spawn(free).join().ok()?;
                }
                free();
            }
            Misuse::Inside { index, offset } => {
                let block = self.blocks.look(index).filter(|block| block.size() > 1)?;
                // SAFETY: must be found out.
                unsafe { malloc::free(address(block).wrapping_byte_add(1 + usize::from(offset) % (block.size() - 1))) };
            }
            // SAFETY: must be found out.
            Misuse::Foreign => unsafe { malloc::free((&raw mut self.blocks).cast()) },
            Misuse::WrongSize { index } => {
                let block = self.blocks.look(index)?;
                // SAFETY: must be found out.
                unsafe { malloc::free_sized(address(block), malloc::malloc_usable_size(address(block)) + 1) };
            }
        }
        Some(())
    }

    /// A child does it, and must be stopped.
    fn misuse_in_child(&mut self, end: Misuse) {
        if matches!(end, Misuse::Nothing) {
            return;
        }
        // SAFETY: the child calls what a child may: HMM's functions, and libc's that need
        // no lock but HMM's.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: its own descriptors and handlers.
            unsafe {
                libc::close(2);
                libc::signal(libc::SIGABRT, libc::SIG_DFL);
            }
            let code = if self.misuse(end).is_some() { 1 } else { 0 };
            // SAFETY: ends the child.
            unsafe { libc::_exit(code) };
        }
        assert!(child > 0, "fork");
        let mut status = 0;
        // libFuzzer's clock interrupts.
        // SAFETY: our child, and our integer.
        while unsafe { libc::waitpid(child, &raw mut status, 0) } != child {
            assert_eq!(io::Error::last_os_error().kind(), io::ErrorKind::Interrupted);
        }
        let stopped = libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGABRT;
        let nothing = libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0;
        assert!(stopped || nothing, "not found out: {end:?}, status {status:#x}");
    }
}

fuzz_target!(|input: Input| {
    // One thread for all inputs: one that is still ending is no quiet moment.
    static FREER: OnceLock<Mutex<Freer>> = OnceLock::new();
    let mut freer = FREER.get_or_init(|| Mutex::new(Freer::new())).lock().expect("nothing failed so far");
    let mut run = Run { blocks: Blocks::default(), freer: &mut freer };
    for &op in &input.ops {
        run.step(op);
    }
    run.freer.join();
    assert_eq!(hmm::check(), 0);
    run.misuse_in_child(input.end);
    while run.blocks.count() > 0 {
        run.free(0);
    }
    assert_eq!(hmm::check(), 0);
});
