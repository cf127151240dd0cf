//! The list of the workloads.

mod boxes;
mod maps;
mod strings;
mod threads;
mod trees;
mod vectors;

use crate::measure::Measured;

/// A row of the benchmark.
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    /// What it stands for.
    pub(crate) about: &'static str,
    /// Does the work, multiplied by the scale.
    pub(crate) run: fn(f64) -> Measured,
}

const fn row(name: &'static str, about: &'static str, run: fn(f64) -> Measured) -> Workload {
    Workload { name, about, run }
}

pub(crate) const WORKLOADS: &[Workload] = &[
    row("small-boxes", "100 000 Box<u64>, replaced at random: the smallest objects", boxes::small),
    row("boxed-list", "lists of Box nodes made and dropped: recursive data types", boxes::list),
    row("vec-push", "vectors grown by push to 1-10 000 elements: collecting results", vectors::push),
    row("vec-of-vec", "a table of 10 000 short vectors, made and cleared: rows and adjacency lists", vectors::nested),
    row("string-build", "lines formatted, split into words, joined: text processing", strings::build),
    row("btreemap", "BTreeMap<u64, String>, inserts and removals at random: an index", maps::ordered),
    row("hashmap", "HashMap<String, Vec<u32>>, inserts and removals at random: a word table", maps::hashed),
    row("json-tree", "documents of nested objects, lists and texts, made and dropped: serde_json", trees::documents),
    row("arc-churn", "2 threads replace and clone shared Arcs: the last to let go frees", threads::arcs),
    row("channels-2", "boxed messages from a thread to another through mpsc: a worker", threads::one_channel),
    row("channels-8", "boxed messages through 4 mpsc channels between 8 threads: a pipeline", threads::four_channels),
];
