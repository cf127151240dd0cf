//! Frees by others against what a slab's owner does meanwhile.

use crate::world::{MEDIUM, World};
use crate::{Tiny, Wide};

/// Two free slots of one bitmap word; the owner moves them over and takes them again.
#[test]
fn drain() {
    Tiny {
        set_up: |w| {
            w.renew(3);
            w.alloc_many(0, 128, 4);
            w.pass(0, 0, 1);
            w.pass(0, 0, 2);
        },
        threads: &[|w| w.alloc_many(0, 128, 2), |w| w.free(1, 0), |w| w.free(2, 0)],
        after: World::assert_whole,
    }
    .explore(2);
}

/// Likewise, of two words; the owner frees a slot of its own in between.
#[test]
fn drain_of_words() {
    Wide {
        set_up: |w| {
            w.renew(3);
            w.alloc_many(0, 16, 129);
            w.pass(0, 0, 1);
            w.pass(0, 63, 2);
        },
        threads: &[
            |w| {
                w.free(0, 0);
                w.alloc_many(0, 16, 2);
            },
            |w| w.free(1, 0),
            |w| w.free(2, 0),
        ],
        after: World::assert_whole,
    }
    .explore(2);
}

/// Slots of a slab of several pages.
#[test]
fn drain_of_medium_slots() {
    Wide {
        set_up: |w| {
            w.renew(2);
            w.fill_medium(0);
            w.pass(0, 0, 1);
            w.pass(0, 0, 1);
        },
        threads: &[
            |w| {
                w.free(0, 0);
                w.alloc_many(0, MEDIUM, 2);
            },
            |w| {
                w.free(1, 0);
                w.free(1, 0);
            },
        ],
        after: World::assert_whole,
    }
    .explore(2);
}

/// Slots of a slab that was zero are freed by another thread, and taken again as zero.
#[test]
fn zero_again() {
    Wide {
        set_up: |w| {
            w.renew(2);
            w.fill_medium(0);
            w.pass(0, 0, 1);
            w.pass(0, 0, 1);
        },
        threads: &[
            |w| {
                w.alloc_zeroed(0, MEDIUM);
                w.alloc_zeroed(0, MEDIUM);
            },
            |w| {
                w.free(1, 0);
                w.free(1, 0);
            },
        ],
        after: World::assert_whole,
    }
    .explore(3);
}

/// Likewise, and the owner gives the memory of free slots back.
#[test]
fn purge() {
    Wide {
        set_up: |w| {
            w.renew(2);
            w.fill_medium(0);
            w.free(0, 3);
            w.pass(0, 0, 1);
        },
        threads: &[
            |w| {
                w.trim(0);
                w.alloc_zeroed(0, MEDIUM);
                w.alloc_zeroed(0, MEDIUM);
            },
            |w| w.free(1, 0),
        ],
        after: World::assert_whole,
    }
    .explore(2);
}

/// A slab becomes empty by the free of another thread, which then tells of it; by
/// then its page has another life.
#[test]
fn next_life() {
    Tiny {
        set_up: |w| {
            w.renew(2);
            w.alloc(0, 256);
            w.pass(0, 0, 1);
        },
        threads: &[
            |w| {
                w.detach(0);
                w.attach(0);
                w.alloc_many(0, 128, 5);
            },
            |w| w.free(1, 0),
        ],
        after: World::assert_whole,
    }
    .explore(3);
}
