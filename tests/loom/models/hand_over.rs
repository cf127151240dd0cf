//! Slabs that change hands: FULL, LISTED, adopted.

use crate::world::World;
use crate::{Tiny, Wide};

/// An owner marks its slab FULL while others free all of it.
#[test]
fn close() {
    Tiny {
        set_up: |w| {
            w.renew(3);
            w.alloc_many(0, 256, 2);
            w.pass(0, 0, 1);
            w.pass(0, 0, 2);
        },
        threads: &[|w| w.alloc(0, 256), |w| w.free(1, 0), |w| w.free(2, 0)],
        after: World::assert_whole,
    }
    .explore(2);
}

/// Likewise of many words, where one more is too few to hand it over.
#[test]
fn close_of_words() {
    Wide {
        set_up: |w| {
            w.renew(3);
            w.alloc_many(0, 16, 1024);
            w.pass(0, 0, 1);
            w.pass(0, 63, 2);
        },
        threads: &[|w| w.alloc(0, 16), |w| w.free(1, 0), |w| w.free(2, 0)],
        after: World::assert_whole,
    }
    .explore(2);
}

/// Likewise, and that one is all there is: the slab stays FULL.
#[test]
fn close_beside_few() {
    Wide {
        set_up: |w| {
            w.renew(2);
            w.alloc_many(0, 16, 1024);
            w.pass(0, 0, 1);
        },
        threads: &[|w| w.alloc(0, 16), |w| w.free(1, 0)],
        after: World::assert_whole,
    }
    .explore(3);
}

/// The owner takes its FULL slab back, another hands it over, a third wants one.
#[test]
fn reopen() {
    Tiny {
        set_up: |w| {
            w.renew(3);
            w.alloc_many(0, 256, 3);
            w.pass(0, 0, 1);
        },
        threads: &[|w| w.free(0, 0), |w| w.free(1, 0), |w| w.alloc(2, 256)],
        after: World::assert_whole,
    }
    .explore(2);
}

/// The owner takes its FULL slab of many words back while two others free in it, each in
/// another word.
#[test]
fn reopen_of_words() {
    Wide {
        set_up: |w| {
            w.renew(3);
            w.alloc_many(0, 16, 1024);
            w.pass(0, 0, 1);
            w.pass(0, 63, 2);
        },
        threads: &[
            |w| {
                w.alloc_many(0, 16, 2);
                w.free(0, 0);
            },
            |w| w.free(1, 0),
            |w| w.free(2, 0),
        ],
        after: World::assert_whole,
    }
    .explore(2);
}

/// Two others free in a FULL slab; both may hand it over, one does. The owner adopts.
#[test]
fn adopt() {
    Tiny {
        set_up: |w| {
            w.renew(3);
            w.alloc_many(0, 256, 4);
            w.pass(0, 0, 1);
            w.pass(0, 0, 2);
        },
        threads: &[|w| w.alloc(0, 256), |w| w.free(1, 0), |w| w.free(2, 0)],
        after: World::assert_whole,
    }
    .explore(2);
}

/// One adopts a slab of many words while two others free in it: each names its word.
#[test]
fn adopt_of_words() {
    Wide {
        set_up: |w| {
            w.renew(4);
            w.alloc_many(3, 16, 1025);
            w.pass(3, 192, 2);
            w.pass(3, 128, 1);
            w.pass(3, 64, 2);
            w.pass(3, 0, 2);
            w.free(2, 1);
            w.free(2, 1);
        },
        threads: &[|w| w.alloc(0, 16), |w| w.free(1, 0), |w| w.free(2, 0)],
        after: World::assert_whole,
    }
    .explore(2);
}

/// Two slabs of the fourth thread wait on a list, with a slot free in each. The third
/// thread has a block in the upper one.
fn listed(w: &World<9, 20>) {
    w.renew(4);
    w.alloc_many(3, 256, 5);
    w.pass(3, 0, 2);
    w.pass(3, 1, 2);
    w.pass(3, 0, 2);
    w.free(2, 1);
    w.free(2, 0);
}

/// One is about to take the upper slab; another takes both, uses the first up, and it
/// comes back: the same on top, but with nothing below.
#[test]
fn pop_and_back() {
    Tiny {
        set_up: listed,
        threads: &[|w| w.alloc(0, 256), |w| w.alloc_many(1, 256, 2), |w| w.free(2, 0)],
        after: World::assert_whole,
    }
    .explore(1);
}

/// A sweep looks through the lists while a slab leaves them.
#[test]
fn sweep() {
    Tiny { set_up: listed, threads: &[|w| w.trim(0), |w| w.alloc(1, 256)], after: World::assert_whole }.explore(2);
}

/// Likewise, and one comes to them.
#[test]
fn sweep_and_back() {
    Tiny {
        set_up: listed,
        threads: &[|w| w.trim(0), |w| w.alloc_many(1, 256, 2), |w| w.free(2, 0)],
        after: World::assert_whole,
    }
    .explore(1);
}

/// Two sweep at once: one of them does.
#[test]
fn two_sweeps() {
    Tiny {
        set_up: |w| {
            listed(w);
            w.detach(3);
        },
        threads: &[|w| w.trim(0), |w| w.trim(1), |w| w.alloc(2, 256)],
        after: World::assert_whole,
    }
    .explore(1);
}

/// One has much to sweep and loses patience with the sweep under way, which was only slow; a third takes a slab.
#[test]
fn sweep_taken_over() {
    Tiny {
        set_up: |w| {
            listed(w);
            for size in [16, 32, 64, 128] {
                w.alloc(1, size);
            }
        },
        threads: &[|w| w.trim(0), |w| w.detach(1), |w| w.alloc(2, 256)],
        after: World::assert_whole,
    }
    .explore(1);
}

/// One has much to sweep, but is patient, and asks for another look: a thread without an owner sweeps, with the
/// lock of the common one.
#[test]
fn sweep_asked_of_the_common_owner() {
    Tiny {
        set_up: |w| {
            listed(w);
            for size in [16, 32, 64] {
                w.alloc(1, size);
            }
            w.detach(0);
        },
        threads: &[|w| w.alloc(0, 1500), |w| w.detach(1)],
        after: World::assert_whole,
    }
    .explore(2);
}
