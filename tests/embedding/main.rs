//! The heap in other people's machines: the embedding examples run, the bare one is truly bare,
//! and a small arena holds as much as the README says.

use std::path::Path;
use std::process::Command;
use std::ptr::NonNull;

use hmm_core::{FixedRegion, Heap, TinyHeap};
use hmm_tests::{Run, library};

/// What cargo, and the program that it runs, print on standard output.
fn cargo(folder: &Path, target: &Path, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO"));
    command.args(args).current_dir(folder).env("CARGO_TARGET_DIR", target);
    let output = command.output().expect("cargo starts");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {args:?}: {}\n{told}{errors}", output.status);
    told
}

fn target() -> &'static Path {
    let release = library().shared.parent().expect("libhmm.so lies in target/release");
    release.parent().expect("which lies in target")
}

/// An example of hmm-core's, and what it prints.
fn example(name: &str) -> String {
    cargo(&library().root, target(), &["run", "--quiet", "-p", "hmm-core", "--example", name])
}

/// All these texts are told, in this order.
#[track_caller]
fn tells(told: &str, texts: &[&str]) {
    let mut rest = told;
    for text in texts {
        let Some(at) = rest.find(text) else { panic!("`{text}` is missing, or out of order, in\n{told}") };
        rest = &rest[at + text.len()..];
    }
}

#[test]
fn static_array() {
    tells(
        &example("static_array"),
        &[
            "arena: 65536 bytes",
            "after realloc: \"a block in a static array\"",
            "a second free answers: double free: 0x… (256-byte block, page ",
            "a free in the middle answers: invalid free: 0x… (large block, page ",
            "a free of something else answers: foreign free: 0x… (not from this heap)",
            "blocks of 200 bytes fit",
            "all freed: 0 blocks live, the heap is sound",
        ],
    );
}

/// What was one block's serves small ones, tables and all.
#[test]
fn small_blocks_after_a_large_one() {
    let blocks_in = |bytes: usize, after_large: bool| {
        let memory = vec![core::mem::MaybeUninit::uninit(); bytes].leak();
        let mut heap = Heap::<FixedRegion, 12, 44>::new(FixedRegion::new(memory));
        if after_large {
            let largest = (1..bytes / 4096).rev().find_map(|pages| heap.alloc(pages * 4096));
            // SAFETY: a live block, not used again.
            assert_eq!(unsafe { heap.free(largest.expect("there is memory")) }, Ok(()));
        }
        (0..bytes / 16).take_while(|_| heap.alloc(16).is_some()).count()
    };
    for bytes in [128, 256, 512, 768].map(|kib| kib * 1024) {
        let (fresh, after) = (blocks_in(bytes, false), blocks_in(bytes, true));
        assert!(after >= fresh / 10 * 9, "{after} of {fresh} blocks in {bytes} bytes");
    }
}

#[test]
fn own_backend() {
    let told = example("own_backend");
    tells(&told, &["a machine of 512 frames", "in the middle: ", "all freed: 0 blocks live", "holds 0\n"]);
}

/// The bare example runs without a libc, and no `malloc` but ours is in it.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn bare_metal() {
    let folder = library().root.join("examples/bare-metal");
    let target = target().join("bare-metal");
    let told = cargo(&folder, &target, &["run", "--quiet", "--release", "--locked"]);
    tells(
        &told,
        &[
            "arena in .bss: 65536 bytes",
            "Vec: 500 numbers, the last is 249001",
            "BTreeMap: 100 entries, \"word 42\" under 42",
            "Box: 300 bytes that sum up to 2100",
            "all dropped: 0 blocks live",
            "a second free answers: double free: 0x",
            " (48-byte block, page ",
            "more than the arena holds: refused, and the program goes on",
            "the heap is sound",
        ],
    );

    let program = target.join("release/bare-metal");
    let symbols = Run::new("nm").arg(&program).run().exits(0).text();
    let names: Vec<&str> = symbols.lines().filter_map(|line| line.split_whitespace().last()).collect();
    assert!(names.contains(&"_start") && names.contains(&"memcpy"), "{names:?}");
    for libc in ["malloc", "free", "calloc", "realloc", "sbrk", "mmap", "__libc_start_main"] {
        assert!(!names.contains(&libc), "`{libc}` in a program without libc");
    }
    let headers = Run::new("readelf").args(["-lW"]).arg(&program).run().exits(0).text();
    assert!(!headers.contains("INTERP") && !headers.contains("DYNAMIC"), "not static:\n{headers}");
    let sections = Run::new("readelf").args(["-SW"]).arg(&program).run().exits(0).text();
    let bss = sections.lines().find(|line| line.contains(" .bss ")).expect("a .bss");
    let size = bss.split_whitespace().rev().nth(5).and_then(|size| usize::from_str_radix(size, 16).ok());
    assert!(size.is_some_and(|size| size >= 65536), "the arena lies in .bss: {bss}");
}

const ARENA: usize = 64 * 1024;

#[repr(align(4096))]
struct Arena {
    bytes: [u8; ARENA],
}

/// How much of an arena live blocks hold, in percent of its bytes, when the first allocation is
/// refused: the mean of many random loads. 55 of 100 steps allocate, the others free.
fn live_at_first_failure<const SHIFT: u32, const C: usize>(size: fn(&mut fastrand::Rng) -> usize) -> f64 {
    const LOADS: u64 = 50;
    let mut arena = Box::new(Arena { bytes: [0; ARENA] });
    let mut sum = 0;
    for seed in 0..LOADS {
        // SAFETY: the array outlives the heap, and one heap at a time uses it.
        let region = unsafe { FixedRegion::from_raw(arena.bytes.as_mut_ptr(), ARENA) };
        let mut heap = Heap::<FixedRegion, SHIFT, C>::new(region);
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut live: Vec<(NonNull<u8>, usize)> = Vec::new();
        loop {
            if !live.is_empty() && dice.u32(..100) >= 55 {
                let (block, _) = live.swap_remove(dice.usize(..live.len()));
                // SAFETY: a live block, not used again.
                unsafe { heap.free(block) }.expect("a live block");
                continue;
            }
            let size = size(&mut dice);
            match heap.alloc(size) {
                Some(block) => live.push((block, size)),
                None => break,
            }
        }
        heap.check().unwrap_or_else(|violation| panic!("seed {seed}: {violation}"));
        sum += live.iter().map(|(_, size)| size).sum::<usize>();
    }
    100.0 * sum as f64 / (LOADS as usize * ARENA) as f64
}

/// The figures of README's embedding section. Prints them as its table has them:
/// `cargo test -p hmm-tests --test embedding -- --nocapture memory_costs`.
#[test]
fn memory_costs() {
    type Sizes = fn(&mut fastrand::Rng) -> usize;
    let mixes: [(&str, Sizes, f64); 4] = [
        ("16 to 64 bytes", |dice| dice.usize(16..=64), 65.0),
        ("1 to 256 bytes", |dice| dice.usize(1..=256), 60.0),
        ("1 to 1024 bytes", |dice| dice.usize(1..=1024), 54.0),
        ("8 to 2048 bytes, small ones more often", |dice| (8.0 * 256_f64.powf(dice.f64())) as usize, 54.0),
    ];
    println!("heap value with pages of 256, 512, 1024 bytes:");
    println!(
        "  {} {} {} bytes",
        size_of::<Heap<FixedRegion, 8, 12>>(),
        size_of::<TinyHeap<FixedRegion>>(),
        size_of::<Heap<FixedRegion, 10, 28>>()
    );
    println!("| sizes of the blocks | pages of 256 | 512 | 1024 |");
    for (name, sizes, least) in mixes {
        let shares = [
            live_at_first_failure::<8, 12>(sizes),
            live_at_first_failure::<9, 20>(sizes),
            live_at_first_failure::<10, 28>(sizes),
        ];
        println!("| {name} | {:.0} % | {:.0} % | {:.0} % |", shares[0], shares[1], shares[2]);
        assert!(shares[1] >= least, "{name}: only {:.1} % of the arena", shares[1]);
    }

    #[cfg(target_pointer_width = "64")]
    {
        let value = size_of::<TinyHeap<FixedRegion>>();
        let readme = std::fs::read_to_string(library().root.join("README.md")).expect("README.md is there");
        let said = format!("the heap value is {} {:03} bytes", value / 1000, value % 1000);
        assert!(readme.contains(&said), "README does not say: {said}");
        let mut arena = Box::new(Arena { bytes: [0; ARENA] });
        // SAFETY: the array outlives the heap.
        let region = unsafe { FixedRegion::from_raw(arena.bytes.as_mut_ptr(), ARENA) };
        let mut heap = TinyHeap::new(region);
        heap.alloc(1).expect("an empty arena");
        let tables = heap.stats().metadata;
        println!("tables of a 64 KiB arena with pages of 512 bytes: {tables} bytes");
        let said = format!("{} {:03} of the 65 536 bytes", tables / 1000, tables % 1000);
        assert!(readme.contains(&said), "README does not say: {said}");
        assert!(tables <= ARENA / (512 + 64) * 64 + 64, "{tables} bytes of tables, for pages that there cannot be");
    }
}
