//! Threads that come, go, and free when they have no owner any more.

use crate::Tiny;
use crate::world::World;

/// A thread ends, with one slab FULL and one in use, while others free in both and a
/// new thread may get its owner.
#[test]
fn exit() {
    Tiny {
        set_up: |w| {
            w.renew(2);
            w.alloc_many(0, 256, 3);
            w.pass(0, 0, 1);
            w.pass(0, 1, 1);
        },
        threads: &[
            |w| w.detach(0),
            |w| {
                w.free(1, 0);
                w.free(1, 0);
            },
            |w| {
                w.attach(2);
                w.alloc(2, 256);
            },
        ],
        after: World::assert_whole,
    }
    .explore(2);
}

/// A thread ends, and its slab, used up, is marked FULL while all of it is freed.
#[test]
fn exit_closes() {
    Tiny {
        set_up: |w| {
            w.renew(2);
            w.alloc_many(0, 256, 2);
            w.pass(0, 0, 1);
            w.pass(0, 0, 1);
        },
        threads: &[
            |w| w.detach(0),
            |w| {
                w.free(1, 0);
                w.free(1, 0);
            },
            |w| {
                w.attach(2);
                w.alloc(2, 256);
            },
        ],
        after: World::assert_whole,
    }
    .explore(2);
}

/// Two threads without an owner free and allocate, beside the blocks' owner.
#[test]
fn late() {
    Tiny {
        set_up: |w| {
            w.renew(1);
            w.alloc_many(0, 256, 2);
            w.pass(0, 0, 1);
            w.pass(0, 0, 2);
        },
        threads: &[
            |w| w.alloc(0, 256),
            |w| {
                w.free(1, 0);
                w.alloc(1, 256);
            },
            |w| {
                w.free(2, 0);
                w.alloc(2, 256);
            },
        ],
        after: World::assert_counted,
    }
    .explore(1);
}

/// A thread without an owner frees what the common owner served it, while another
/// allocates there.
#[test]
fn late_frees() {
    Tiny {
        set_up: |w| {
            w.renew(0);
            w.alloc_many(0, 256, 2);
            w.pass(0, 0, 1);
        },
        threads: &[
            |w| {
                w.free(0, 0);
                w.alloc(0, 256);
            },
            |w| {
                w.free(1, 0);
                w.alloc(1, 256);
            },
        ],
        after: World::assert_counted,
    }
    .explore(3);
}

/// Two threads' first blocks come from the common owner, which one of them frees to
/// while the other takes.
#[test]
fn borrow() {
    Tiny {
        set_up: |w| {
            w.renew(2);
            w.heap().lend_first(Some(3));
            w.alloc(0, 64);
            w.pass(0, 0, 1);
        },
        threads: &[
            |w| w.alloc_many(0, 64, 2),
            |w| {
                w.free(1, 0);
                w.alloc(1, 64);
            },
        ],
        after: World::assert_whole,
    }
    .explore(2);
}

/// Two threads take what lies ready, and lay out more when it is used up.
#[test]
fn take_ready() {
    Tiny {
        set_up: |w| {
            w.renew(2);
            w.heap().lend_first(Some(16));
            w.alloc_many(0, 64, 7);
        },
        threads: &[|w| w.alloc_many(0, 64, 2), |w| w.alloc_many(1, 64, 2)],
        after: World::assert_whole,
    }
    .explore(2);
}

/// A thread takes one block that lies ready, while another takes them all and lays out as many.
#[test]
fn take_all_ready() {
    Tiny {
        set_up: |w| {
            w.renew(2);
            w.heap().lend_first(Some(16));
            w.alloc(0, 128);
        },
        threads: &[|w| w.alloc(0, 128), |w| w.alloc_many(1, 128, 4)],
        after: World::assert_whole,
    }
    .explore(1);
}

/// A thread takes what lies ready while another clears it away, and lays it out again.
#[test]
fn clear_ready() {
    Tiny {
        set_up: |w| {
            w.renew(2);
            w.heap().lend_first(Some(16));
            w.alloc_many(0, 64, 6);
        },
        threads: &[
            |w| w.alloc(0, 64),
            |w| {
                w.trim(1);
                w.alloc(1, 64);
            },
        ],
        after: World::assert_whole,
    }
    .explore(2);
}

/// A thread takes what lies ready and frees it, while another looks for free memory before the heap
/// grows, and moves frees over.
#[test]
fn free_what_lay_ready() {
    Tiny {
        set_up: |w| {
            w.renew(2);
            w.heap().lend_first(Some(16));
            w.alloc_many(0, 64, 6);
            w.free(0, 0);
        },
        threads: &[
            |w| {
                w.alloc(0, 64);
                w.free(0, 5);
            },
            |w| w.alloc(1, 4096),
        ],
        after: World::assert_whole,
    }
    .explore(2);
}

/// A thread ends while another frees what it borrowed, and gets slabs of its own.
#[test]
fn borrow_and_exit() {
    Tiny {
        set_up: |w| {
            w.renew(2);
            w.heap().lend_first(Some(1));
            w.alloc(0, 128);
            w.pass(0, 0, 1);
        },
        threads: &[
            |w| w.detach(0),
            |w| {
                w.free(1, 0);
                w.alloc_many(1, 128, 2);
            },
        ],
        after: World::assert_whole,
    }
    .explore(2);
}
