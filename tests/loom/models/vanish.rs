//! Threads that vanish from the midst of a free: a fork's child lacks them, or a signal handler left by a jump.

use crate::world::World;
use crate::{Tiny, Wide};

/// Changes that a free has made when its slot has its bit, and when the summary names the word.
const MARKED: usize = 1;
const NAMED: usize = 2;

/// Whoever vanished, nothing is lost.
fn assert_whole<const SHIFT: u32, const C: usize>(w: &World<SHIFT, C>) {
    w.heap().expect_jumps(true);
    w.assert_whole();
}

/// Thread 0 has used one slab up and begun another; others have both blocks of the first.
fn full(w: &World<9, 20>) {
    w.renew(3);
    w.alloc_many(0, 256, 3);
    w.pass(0, 0, 1);
    w.pass(0, 0, 2);
}

/// One that frees in a FULL slab does not name its word; another frees there, too.
#[test]
fn before_naming() {
    Tiny {
        set_up: full,
        threads: &[|w| w.alloc(0, 256), |w| w.free_and_vanish(1, 0, MARKED), |w| w.free(2, 0)],
        after: assert_whole,
    }
    .explore(2);
}

/// Likewise, it has named the word, but does not hand the slab over.
#[test]
fn before_handing_over() {
    Tiny {
        set_up: full,
        threads: &[|w| w.alloc(0, 256), |w| w.free_and_vanish(1, 0, NAMED), |w| w.free(2, 0)],
        after: assert_whole,
    }
    .explore(2);
}

/// An owner marks its slab FULL, and one does not name its word.
#[test]
fn before_naming_what_closes() {
    Tiny {
        set_up: |w| {
            w.renew(2);
            w.alloc_many(0, 256, 2);
            w.pass(0, 0, 1);
        },
        threads: &[|w| w.alloc(0, 256), |w| w.free_and_vanish(1, 0, MARKED)],
        after: assert_whole,
    }
    .explore(3);
}

/// Of many words, one is not named. Somebody makes up for it while another frees in a further word, and the owner
/// takes the slab back.
#[test]
fn before_naming_one_of_many() {
    Wide {
        set_up: |w| {
            w.renew(3);
            w.alloc_many(0, 16, 1024);
            w.pass(0, 0, 1);
            w.pass(0, 63, 1);
            w.pass(0, 126, 2);
            w.free_and_vanish(1, 0, MARKED);
            w.heap().expect_jumps(true);
        },
        threads: &[
            |w| {
                w.alloc_many(0, 16, 2);
                w.free(0, 0);
            },
            |w| w.free_and_vanish(1, 0, MARKED),
            |w| w.trim(2),
        ],
        after: assert_whole,
    }
    .explore(1);
}

/// Somebody makes up for what another one is only slow to say.
#[test]
fn slow_and_not_gone() {
    Tiny {
        set_up: |w| {
            full(w);
            w.heap().expect_jumps(true);
        },
        threads: &[|w| w.alloc_many(0, 256, 2), |w| w.free(1, 0), |w| w.trim(2)],
        after: assert_whole,
    }
    .explore(1);
}
