//! Long and wide: crowds of threads, threads without end, and more addresses than there is memory. In
//! seconds here; in the form that takes a quarter of an hour by
//!
//! ```text
//!   HMM_LONG=1 cargo test -p hmm-tests --test endurance -- --nocapture
//!   CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true …              with the library's assertions on
//!   HMM_SEED=7 …                                               one crowd again
//! ```

use std::env;

use hmm_tests::{Source, Way};

/// `long` if the long form is asked for, else `short`.
fn form(short: &str, long: &str) -> String {
    if env::var_os("HMM_LONG").is_some() { long } else { short }.to_owned()
}

/// A program of this folder passes by preload, and tells what it came to.
fn passes(file: &str, args: &[&str]) {
    let source = Source::file(&format!("endurance/{file}"));
    let run = source.run(Way::Preload).args(args).seconds(3600).run().ok().served();
    print!("{run}");
}

/// Sixty-four threads at a time that pass blocks on, end, and are followed by others.
#[test]
fn crowd() {
    let seed = env::var("HMM_SEED").unwrap_or_else(|_| (fastrand::u64(..) >> 16).to_string());
    println!("HMM_SEED={seed}");
    passes("crowd.c", &[&form("5", "600"), &seed]);
}

/// A thread takes over the heap of one that ended; a million need no more heaps than ten.
#[test]
fn generations() {
    passes("generations.c", &[&form("20000", "1000000")]);
}

/// A hundred GiB of addresses with little memory behind them.
#[test]
fn vast() {
    const ALL: &str = "107374182400";
    for block in [1_u64 << 26, 1 << 32] {
        passes("vast.c", &[ALL, &block.to_string()]);
    }
    passes("vast.c", &[&form("10737418240", ALL), &(1_u64 << 20).to_string()]);
}
