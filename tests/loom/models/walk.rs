//! A walk over the heap, under the lock, while a thread cuts, joins or lengthens a large block.

use crate::Tiny;
use crate::world::World;

/// Thread 0 keeps a run of sixteen pages, and takes and frees its blocks in turns.
fn keep<const SHIFT: u32, const C: usize>(w: &World<SHIFT, C>) {
    for _ in 0..2 {
        w.alloc(0, 8192);
        w.free(0, 0);
    }
}

#[test]
fn walk_while_kept_is_cut() {
    Tiny {
        set_up: |w| {
            w.renew(2);
            keep(w);
        },
        threads: &[|w| w.alloc(0, 4096), |w| _ = w.heap().stats()],
        after: World::assert_whole,
    }
    .explore(3);
}

#[test]
fn walk_while_kept_is_joined() {
    Tiny {
        set_up: |w| {
            w.renew(2);
            keep(w);
            w.alloc(0, 4096);
        },
        threads: &[|w| w.free(0, 0), |w| _ = w.heap().stats()],
        after: World::assert_whole,
    }
    .explore(3);
}

#[test]
fn walk_while_a_block_grows_into_kept() {
    Tiny {
        set_up: |w| {
            w.renew(2);
            keep(w);
            w.alloc(0, 2048);
        },
        threads: &[|w| w.grow(0, 0, 4096), |w| _ = w.heap().stats()],
        after: World::assert_whole,
    }
    .explore(3);
}
