//! Maps whose entries come and go.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, DefaultHasher};

use crate::measure::{Measured, expect, measured, times};
use crate::random::Random;

/// An ordered map of half as many entries as there are keys.
pub(crate) fn ordered(scale: f64) -> Measured {
    const KEYS: usize = 40_000;
    let mut random = Random::new(0);
    let mut map: BTreeMap<usize, String> = BTreeMap::new();
    let operations = times(scale, 1.5e6);
    measured(operations, || {
        for _ in 0..operations {
            let key = random.below(KEYS);
            match map.remove(&key) {
                Some(name) => expect(name.ends_with('!'), "an entry of the ordered map has changed"),
                None => {
                    map.insert(key, format!("entry {key}!"));
                }
            }
        }
    })
}

/// A hash map from words to the places where they stand, without random seeds, so that each run is
/// the same.
pub(crate) fn hashed(scale: f64) -> Measured {
    const KEYS: usize = 40_000;
    let mut random = Random::new(0);
    let mut map: HashMap<String, Vec<u32>, BuildHasherDefault<DefaultHasher>> = HashMap::default();
    let operations = times(scale, 1.5e6);
    measured(operations, || {
        for turn in 0..operations {
            let number = random.below(KEYS) as u32;
            let places = map.entry(format!("word-{number}")).or_default();
            expect(places.first().is_none_or(|first| *first == number), "an entry of the hash map has changed");
            places.push(number);
            if turn % 4 == 0 {
                map.remove(&format!("word-{}", random.below(KEYS)));
            }
        }
    })
}
