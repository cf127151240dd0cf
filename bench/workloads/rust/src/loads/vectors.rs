//! Vectors that grow by themselves.

use std::hint::black_box;

use crate::measure::{Measured, expect, measured, times};
use crate::random::Random;

/// Vectors grown by push, as without a size hint.
pub(crate) fn push(scale: f64) -> Measured {
    const LONGEST: usize = 10_000;
    const KEPT: usize = 64;
    let mut random = Random::new(0);
    let mut kept: Vec<Vec<u64>> = vec![Vec::new(); KEPT];
    let operations = times(scale, 250e3);
    measured(operations, || {
        for turn in 0..operations {
            // As many short ones as long ones, by doublings.
            let most = LONGEST >> random.below(13);
            let length = 1 + random.below(1 + most);
            let mut grown = Vec::new();
            for i in 0..length {
                grown.push(turn ^ i as u64);
            }
            let slot = random.below(KEPT);
            let old = std::mem::replace(&mut kept[slot], black_box(grown));
            if let [first, .., last] = old[..] {
                expect(first ^ last == old.len() as u64 - 1, "a vector has changed");
            }
        }
    })
}

/// A table of short vectors, filled in random order and then cleared.
pub(crate) fn nested(scale: f64) -> Measured {
    const ROWS: usize = 10_000;
    const ADDED: usize = 8 * ROWS;
    let mut random = Random::new(0);
    let rounds = times(scale, 160.0);
    measured(rounds * ADDED as u64, || {
        for _ in 0..rounds {
            let mut rows: Vec<Vec<u32>> = vec![Vec::new(); ROWS];
            for _ in 0..ADDED {
                let row = random.below(ROWS);
                rows[row].push(row as u32);
            }
            for (number, row) in rows.iter().enumerate() {
                expect(row.last().is_none_or(|last| *last == number as u32), "a row has changed");
            }
            black_box(&mut rows).clear();
        }
    })
}
