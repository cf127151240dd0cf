//! Counts primes on two threads, with maps and strings enough to need a heap.
use std::collections::{BTreeMap, HashSet};
use std::thread;

fn primes(to: usize) -> HashSet<usize> {
    (2..to).filter(|n| (2..*n).all(|d| n % d != 0)).collect()
}

fn main() {
    let to: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let workers: Vec<_> = (1..=2).map(|k| thread::spawn(move || primes(to * k))).collect();
    for worker in workers {
        let found = worker.join().unwrap();
        let mut by_digits: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for prime in &found {
            let text = prime.to_string();
            by_digits.entry(text.len()).or_default().push(text);
        }
        for (digits, mut list) in by_digits {
            list.sort();
            println!("{digits}: {} from {} to {}", list.len(), list[0], list[list.len() - 1]);
        }
    }
}
