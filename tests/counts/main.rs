//! The instructions of the fast paths, counted: they are the same on every machine, where times are
//! not. The bounds have a few instructions of slack for other compilers; what is beyond them was
//! not meant.

#![cfg(target_arch = "x86_64")]

use hmm_tests::{Run, Source, Way};

/// The instructions of one round of `loops.c`, call and dynamic linkage included.
fn count(what: &str, size: usize) -> u64 {
    let source = Source::file("counts/loops.c");
    let program = source.compile(Way::Preload);
    let run = |rounds: u64| {
        let outcome = Run::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(&program)
            .args([what.to_owned(), size.to_string(), rounds.to_string()])
            .preload()
            .run()
            .exits(0);
        let line =
            outcome.stderr_of_program().lines().find_map(|line| line.split("Collected :").nth(1).map(str::to_owned));
        let number = line.and_then(|number| number.trim().parse::<u64>().ok());
        number.expect("callgrind says what it collected")
    };
    let (short, long) = (5_000, 15_000);
    let per_round = (run(long) - run(short)) / (long - short);
    println!("{what} {size}: {per_round} instructions");
    per_round
}

#[test]
fn small_pair() {
    for size in [16, 32, 64, 1000, 16 * 1024] {
        assert!(count("pair", size) <= 52);
    }
}

#[test]
fn stack() {
    assert!(count("stack", 32) <= 91);
}

#[test]
fn aligned_pair() {
    assert!(count("aligned", 192) <= 90);
}

#[test]
fn realloc_that_stays() {
    assert!(count("stay", 500) <= 76);
    for size in [20_000, 300_000] {
        assert!(count("stay", size) <= 310);
    }
}

#[test]
fn realloc_that_moves() {
    assert!(count("grow", 64) <= 285);
    assert!(count("shrink", 600) <= 440);
}

#[test]
fn zeroed_pair() {
    assert!(count("zeroed", 64) <= 85);
    // Most of it writes the zeroes.
    assert!(count("zeroed", 2000) <= 250);
}

#[test]
fn usable_size() {
    for size in [64, 5_000] {
        assert!(count("usable", size) <= 65);
    }
}

#[test]
fn medium_pair() {
    for size in [20_000, 64 * 1024] {
        assert!(count("pair", size) <= 103);
    }
}

#[test]
fn large_pair() {
    for size in [100_000, 256 * 1024, 4_000_000] {
        assert!(count("pair", size) <= 165);
    }
}

#[test]
fn large_in_turns() {
    assert!(count("turns", 4_000_000) <= 180);
}

#[test]
fn remote_free() {
    assert!(count("remote", 64) - count("alone", 64) <= 56);
}
