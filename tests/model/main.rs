//! The core against a shadow heap: long random sequences of all operations.
//!
//! ```text
//!   HMM_SEED=7 cargo test -p hmm-tests --test model     one seed again
//!   HMM_ROUNDS=50 …                                     longer
//! ```
//!
//! The [`shadow`] owns every byte of every live block once and knows what is
//! in it; the validator walks the heap along the way. Each run prints its seed.

mod backends;
mod cases;
mod failing;
mod faults;
mod faults_shared;
mod owners;
mod ready;
mod shadow;
mod single;
mod sized;
mod threads;

use fastrand::Rng;
use hmm_core::HOSTED_SHIFT;

/// Bytes of a page of hosted heaps: 64 KiB, or 16 where addresses have 32 bits.
pub(crate) const PAGE: usize = 1 << HOSTED_SHIFT;

/// The number in an environment variable.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// How many times as long as usual: `HMM_ROUNDS`.
fn rounds() -> usize {
    number("HMM_ROUNDS").unwrap_or(1).max(1) as usize
}

/// Seeds to run with: the one in `HMM_SEED`, or fresh ones.
fn seeds(rounds: u64) -> Vec<u64> {
    match number("HMM_SEED") {
        Some(seed) => vec![seed],
        None => {
            let first = fastrand::u64(..) >> 16;
            (first..first + number("HMM_ROUNDS").unwrap_or(rounds)).collect()
        }
    }
}

/// Runs `test` with each seed and names the one at which it fails.
fn each_seed(rounds: u64, test: impl Fn(u64)) {
    for seed in seeds(rounds) {
        println!("HMM_SEED={seed}");
        test(seed);
    }
}

/// A size such as programs ask for: mostly small, sometimes around the edges
/// of `edge`, seldom large, never above `most`.
pub(crate) fn size(rng: &mut Rng, edge: usize, most: usize) -> usize {
    let size = match rng.u32(..100) {
        0..=54 => rng.usize(..300),
        55..=79 => rng.usize(..5000),
        80..=89 => edge.saturating_sub(20) + rng.usize(..40),
        90..=93 => 1 << rng.usize(..=most.ilog2() as usize),
        94..=96 => rng.usize(..2 * edge),
        _ => rng.usize(..most),
    };
    size.min(most)
}
