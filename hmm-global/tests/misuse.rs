//! Misuse ends the program at once, by one line and SIGABRT. Each case runs in a process of its
//! own: this test binary again, told by an environment variable to misuse the heap.

use std::alloc::{Layout, alloc, dealloc};
use std::env;
use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::thread;

use hmm_global::Hmm;

#[global_allocator]
static ALLOCATOR: Hmm = Hmm::new();

const CASE: &str = "HMM_MISUSE_CASE";
const SIGABRT: i32 = 6;

/// Two blocks of one layout: the first to be misused, the second so that their slab stays.
fn blocks(size: usize, align: usize) -> (*mut u8, Layout) {
    let layout = Layout::from_size_align(size, align).expect("a layout");
    // SAFETY: the size is not 0.
    let block = black_box(unsafe { alloc(layout) });
    // SAFETY: as above.
    black_box(unsafe { alloc(layout) });
    (block, layout)
}

/// Frees what may be no block, after telling its address.
fn bad(p: *mut u8, layout: Layout) {
    println!("bad {p:?}");
    // SAFETY: a promise that these tests break on purpose; HMM ends the program for it.
    unsafe { dealloc(black_box(p), layout) };
}

/// A free that is in order.
fn good(p: *mut u8, layout: Layout) {
    // SAFETY: a live block with its own layout.
    unsafe { dealloc(black_box(p), layout) };
}

/// The cases: a name, the misuse, what the line says of it, and of the block.
type Case = (&'static str, fn(), &'static str, &'static str);

const CASES: &[Case] = &[
    (
        "twice",
        || {
            let (p, layout) = blocks(48, 8);
            good(p, layout);
            bad(p, layout);
        },
        "double free",
        "48-byte block, page #",
    ),
    (
        "twice, by another thread",
        || {
            let (p, layout) = blocks(48, 8);
            let address = p.expose_provenance();
            let other = thread::spawn(move || {
                good(std::ptr::with_exposed_provenance_mut(address), layout);
            });
            other.join().expect("the first free is in order");
            bad(p, layout);
        },
        "double free",
        "48-byte block, page #",
    ),
    (
        "a size too small",
        || {
            let (p, _) = blocks(48, 8);
            bad(p, Layout::new::<u64>());
        },
        "size mismatch",
        "48-byte block, page #",
    ),
    (
        "a size too large",
        || {
            let (p, _) = blocks(48, 8);
            bad(p, Layout::new::<[u64; 7]>());
        },
        "size mismatch",
        "48-byte block, page #",
    ),
    (
        "an alignment it does not have",
        || {
            // Two neighbours can not both lie at a multiple of 4096.
            let (p, layout) = blocks(48, 8);
            let p = if p.addr() % 4096 == 0 { p.wrapping_add(48) } else { p };
            bad(p, layout.align_to(4096).expect("a layout"));
        },
        "size mismatch",
        "48-byte block, page #",
    ),
    (
        "a large block's size",
        || {
            let (p, _) = blocks(1 << 20, 8);
            bad(p, Layout::new::<[u8; 1 << 19]>());
        },
        "size mismatch",
        "large block, page #",
    ),
    (
        "the middle of a block",
        || {
            let (p, layout) = blocks(48, 8);
            bad(p.wrapping_add(16), layout);
        },
        "invalid free",
        "48-byte block, page #",
    ),
    (
        "something on the stack",
        || {
            let mut here = [0_u64; 6];
            bad((&raw mut here).cast(), Layout::new::<[u64; 6]>());
        },
        "foreign free",
        "not from this heap",
    ),
];

#[test]
fn misuse_is_caught() {
    if let Ok(case) = env::var(CASE) {
        let (_, misuse, ..) = CASES.iter().find(|(name, ..)| *name == case).expect("a known case");
        misuse();
        println!("survived");
        return;
    }
    for &(name, _, what, place) in CASES {
        println!("{name}");
        // Through a shell, which turns core dumps off.
        let child = Command::new("/bin/sh")
            .args(["-c", "ulimit -c 0; exec \"$0\" \"$@\""])
            .arg(env::current_exe().expect("this test"))
            .args(["misuse_is_caught", "--exact", "--nocapture", "--test-threads=1"])
            .env(CASE, name)
            .output()
            .expect("the test starts once more");
        let told = String::from_utf8_lossy(&child.stdout);
        assert_eq!(child.status.signal(), Some(SIGABRT), "{name}: {}: {told}", child.status);
        let address = told.split("bad ").nth(1).and_then(|rest| rest.lines().next()).expect("the address");
        let line = String::from_utf8_lossy(&child.stderr);
        assert_eq!(without_page(&line), format!("hmm: {what}: {address} ({place})\n"), "{name}");
    }
}

/// The line with `#` for the page's number, which no test can know.
fn without_page(line: &str) -> String {
    let Some((before, number)) = line.split_once(", page ") else { return line.to_owned() };
    let after = number.trim_start_matches(|digit: char| digit.is_ascii_digit());
    assert!(after.len() < number.len(), "a page has a number: {line}");
    format!("{before}, page #{after}")
}
