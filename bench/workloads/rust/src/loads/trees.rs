//! Documents as a JSON parser makes them.

use std::collections::BTreeMap;
use std::hint::black_box;

use crate::measure::{Measured, expect, measured, times};
use crate::random::Random;

enum Value {
    Null,
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Object(BTreeMap<String, Value>),
}

impl Value {
    /// A random value with containers to `depth`; a text says how long it is.
    fn new(depth: usize, random: &mut Random) -> Self {
        if depth == 0 || random.below(4) == 0 {
            return match random.below(5) {
                0 => Self::Null,
                1 | 2 => Self::Number(random.draw() as f64),
                _ => {
                    let letters = random.below(40);
                    Self::Text(format!("{letters}:{}", "x".repeat(letters)))
                }
            };
        }
        let length = random.below(10);
        if random.below(2) == 0 {
            Self::List((0..length).map(|_| Self::new(depth - 1, random)).collect())
        } else {
            Self::Object((0..length).map(|n| (format!("field {n}"), Self::new(depth - 1, random))).collect())
        }
    }

    /// How many values there are in this one, itself included; texts and numbers are looked at.
    fn count(&self) -> u64 {
        match self {
            Self::Null => 1,
            Self::Number(number) => {
                expect(number.fract() == 0.0, "a number has changed");
                1
            }
            Self::Text(text) => {
                let said = text.split_once(':').and_then(|(said, letters)| Some((said.parse().ok()?, letters.len())));
                expect(said.is_some_and(|(said, letters): (usize, usize)| said == letters), "a text has changed");
                1
            }
            Self::List(values) => 1 + values.iter().map(Self::count).sum::<u64>(),
            Self::Object(values) => 1 + values.values().map(Self::count).sum::<u64>(),
        }
    }
}

/// Documents are made, counted and dropped, some dozens of them living at a time. An operation is a
/// value.
pub(crate) fn documents(scale: f64) -> Measured {
    const DEPTH: usize = 6;
    const KEPT: usize = 32;
    let mut random = Random::new(0);
    let mut kept: Vec<Value> = (0..KEPT).map(|_| Value::Null).collect();
    let rounds = times(scale, 1000.0);
    let mut values = 0;
    let mut run = measured(0, || {
        for _ in 0..rounds {
            let slot = random.below(KEPT);
            kept[slot] = black_box(Value::new(DEPTH, &mut random));
            values += kept[slot].count();
        }
    });
    run.operations = values;
    run
}
