//! Blocks that two threads free at once: one of them is told.

use crate::Tiny;
use crate::world::World;

/// Exactly one of them was told, or the owner is when it looks.
fn one_is_told(w: &World<9, 20>) {
    assert_eq!(w.told(), 1, "frees found to be one too many");
}

/// Two others free a slot.
#[test]
fn by_others() {
    Tiny {
        set_up: |w| {
            w.renew(3);
            w.alloc_many(0, 256, 2);
            w.pass_twice(0, 0, 1);
            w.pass_twice(0, 0, 2);
        },
        threads: &[|_| (), |w| w.free_twice(1, 0), |w| w.free_twice(2, 0)],
        after: one_is_told,
    }
    .explore(3);
}

/// Two others free a slot while its owner looks: those beside it stay in use, as many as they were.
#[test]
fn by_others_while_the_owner_looks() {
    Tiny {
        set_up: |w| {
            w.renew(3);
            w.alloc_many(0, 32, 4);
            w.pass_twice(0, 0, 1);
            w.pass_twice(0, 0, 2);
        },
        threads: &[|w| w.trim(0), |w| w.free_twice(1, 0), |w| w.free_twice(2, 0)],
        after: |w| {
            w.notice(|| w.trim(0));
            one_is_told(w);
            assert_eq!(w.heap().stats().blocks, 3, "live blocks");
        },
    }
    .explore(3);
}

/// The owner and another one free a slot. Both may have gone through; the owner finds
/// it when it looks.
#[test]
fn by_owner() {
    Tiny {
        set_up: |w| {
            w.renew(2);
            w.alloc_many(0, 256, 2);
            w.pass_twice(0, 0, 1);
        },
        threads: &[|w| w.free_twice(0, 0), |w| w.free_twice(1, 0)],
        after: |w| {
            if w.told() == 0 {
                w.notice(|| w.trim(0));
            }
            one_is_told(w);
        },
    }
    .explore(3);
}

/// Two free a large block at once, after `set_up`.
fn large_freed_twice(set_up: fn(&World<9, 20>)) {
    Tiny {
        set_up,
        threads: &[|w| w.free_twice(0, 0), |w| w.free_twice(1, 0)],
        after: |w| {
            one_is_told(w);
            w.assert_whole();
        },
    }
    .explore(3);
}

/// Either might keep it.
#[test]
fn large() {
    large_freed_twice(|w| {
        w.renew(2);
        w.alloc(0, 1024);
        w.pass_twice(0, 0, 1);
    });
}

/// Who keeps it has kept and taken one before: one look tells.
#[test]
fn large_in_turns() {
    large_freed_twice(|w| {
        w.renew(2);
        w.alloc(0, 1024);
        w.free(0, 0);
        w.alloc(0, 1024);
        w.pass_twice(0, 0, 1);
    });
}

/// One keeps it, the other, without an owner, gives it back.
#[test]
fn large_kept_and_given() {
    large_freed_twice(|w| {
        w.renew(1);
        w.alloc(0, 1024);
        w.pass_twice(0, 0, 1);
    });
}

/// After `set_up`, one thread resizes its first block to `SIZE` bytes, the other frees it: in any order the heap is
/// whole. (That it is misuse is seen, unless the free comes last.)
fn large_resized_and_freed<const SIZE: usize>(set_up: fn(&World<9, 20>)) {
    Tiny {
        set_up,
        threads: &[|w| w.resize_in_vain(0, 0, SIZE), |w| w.free_twice(1, 0)],
        after: |w| {
            assert_eq!(w.heap().check(), Ok(()));
            match w.told() {
                0 => w.assert_whole(),
                told => assert_eq!(told, 1, "one of them is right"),
            }
        },
    }
    .explore(3);
}

/// What it loses goes back, and nobody keeps it.
#[test]
fn large_shortened_and_freed() {
    let set_up = |w: &World<9, 20>| {
        w.renew(2);
        w.alloc(0, 4096);
        w.pass_twice(0, 0, 1);
    };
    large_resized_and_freed::<1024>(set_up);
}

/// The same, of one that would be kept at one look.
#[test]
fn large_in_turns_shortened_and_freed() {
    let set_up = |w: &World<9, 20>| {
        w.renew(2);
        w.alloc(1, 4096);
        w.free(1, 0);
        w.alloc(1, 4096);
        w.pass_twice(1, 0, 0);
    };
    large_resized_and_freed::<1024>(set_up);
}

/// It grows into what its thread keeps right behind it.
#[test]
fn large_lengthened_and_freed() {
    let set_up = |w: &World<9, 20>| {
        w.renew(2);
        for _ in 0..2 {
            w.alloc(0, 8192);
            w.free(0, 0);
        }
        w.alloc(0, 2048);
        w.pass_twice(0, 0, 1);
    };
    large_resized_and_freed::<4096>(set_up);
}

/// Of two blocks that thread 0 borrowed and freed, one lies ready. Thread 1 has it, too, and
/// thread 2 has no owner.
fn lay_ready(w: &World<9, 20>) {
    w.renew(2);
    w.heap().lend_first(Some(16));
    w.alloc_many(0, 64, 2);
    w.pass_twice(0, 1, 1);
    // All of the slab.
    w.alloc_many(0, 64, 6);
    w.free(0, 1);
    w.free(0, 0);
    w.alloc(0, 64);
}

/// A block was freed once more while it lay ready: who takes it is told.
#[test]
fn while_it_lay_ready() {
    Tiny {
        set_up: |w| {
            lay_ready(w);
            w.free_twice(1, 0);
        },
        threads: &[|w| w.notice(|| w.alloc(0, 64))],
        after: one_is_told,
    }
    .explore(3);
}

/// The same; who allocates where it comes from is told.
#[test]
fn before_it_is_moved_over() {
    Tiny {
        set_up: |w| {
            lay_ready(w);
            w.free_twice(1, 0);
        },
        threads: &[|_| (), |_| (), |w| w.notice(|| w.alloc(2, 64))],
        after: one_is_told,
    }
    .explore(3);
}

/// A block is freed once more while it lies ready, and somebody allocates where it comes from. Who does
/// is told, or who clears it away, or who got it before and frees it in its turn.
#[test]
fn while_it_lies_ready() {
    Tiny {
        set_up: lay_ready,
        threads: &[|_| (), |w| w.free_twice(1, 0), |w| w.notice(|| w.alloc(2, 64))],
        after: |w| {
            if w.told() == 0 {
                w.notice(|| w.trim(0));
            }
            if w.told() == 0 {
                w.free_twice(2, 0);
            }
            one_is_told(w);
        },
    }
    .explore(3);
}
