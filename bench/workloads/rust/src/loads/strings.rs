//! Text: many strings of all lengths, most of them short-lived.

use std::hint::black_box;

use crate::measure::{Measured, expect, measured, times};
use crate::random::Random;

/// Lines are formatted, split into words of their own, sorted, and joined.
pub(crate) fn build(scale: f64) -> Measured {
    const WORDS: usize = 12;
    let mut random = Random::new(0);
    let operations = times(scale, 150e3);
    measured(operations, || {
        for turn in 0..operations {
            let mut line = String::new();
            for _ in 0..WORDS {
                line += &format!("{:x} ", random.draw() >> random.below(60));
            }
            let mut words: Vec<String> = line.split_whitespace().map(str::to_uppercase).collect();
            words.sort_unstable();
            let joined = black_box(words.join(", ") + &format!(" ({turn})"));
            expect(joined.len() >= line.len() + WORDS - 2, "a line has lost letters");
        }
    })
}
