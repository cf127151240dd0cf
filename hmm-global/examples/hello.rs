//! A program on HMM: threads, maps and strings, and what the heap says of them.
//!
//! ```sh
//! cargo run --release -p hmm-global --example hello
//! ```

use std::collections::HashMap;
use std::sync::mpsc;
use std::thread;

use hmm_global::Hmm;

#[global_allocator]
static ALLOCATOR: Hmm = Hmm::new();

fn main() {
    // Four threads build maps and send them; this one keeps them.
    let (sender, receiver) = mpsc::channel();
    for thread in 0..4_usize {
        let sender = sender.clone();
        thread::spawn(move || {
            let words: HashMap<usize, String> = (0..25_000).map(|n| (n, format!("word {n} of {thread}"))).collect();
            sender.send(words).expect("the main thread listens");
        });
    }
    drop(sender);
    let maps: Vec<HashMap<usize, String>> = receiver.iter().collect();

    let words: usize = maps.iter().map(HashMap::len).sum();
    println!("hello from HMM: {words} strings in {} maps, made by 4 threads", maps.len());
    tell("live");

    // Freed by another thread than the one that allocated them.
    drop(maps);
    tell("all dropped");

    Hmm::trim();
    tell("given back");
    match Hmm::check() {
        Ok(()) => println!("the heap is sound"),
        Err(violation) => println!("the heap is damaged: {violation}"),
    }
}

fn tell(title: &str) {
    let stats = Hmm::stats();
    println!(
        "{title:>12}: {:>7} blocks, {:>6} KiB allocated, {:>6} KiB active, {:>6} KiB resident, {} heaps",
        stats.blocks,
        stats.allocated / 1024,
        stats.active / 1024,
        stats.resident / 1024,
        stats.heaps,
    );
}
