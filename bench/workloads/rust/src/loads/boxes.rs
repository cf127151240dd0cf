//! Single boxes, and structures of them.

use std::hint::black_box;

use crate::measure::{Measured, expect, measured, times};
use crate::random::Random;

/// Boxes of 8 bytes, replaced at random.
pub(crate) fn small(scale: f64) -> Measured {
    const LIVE: usize = 100_000;
    let mut random = Random::new(0);
    let mut boxes: Vec<Box<u64>> = (0..LIVE as u64).map(Box::new).collect();
    let operations = times(scale, 12e6);
    measured(operations, || {
        for _ in 0..operations {
            let slot = random.below(LIVE);
            expect(*boxes[slot] == slot as u64, "a box has changed");
            // The new one is made before the old one is dropped.
            boxes[slot] = black_box(Box::new(slot as u64));
        }
    })
}

struct Node {
    number: u64,
    payload: [u32; 4],
    next: List,
}

type List = Option<Box<Node>>;

/// A list made from its end and taken apart from its head; dropping it whole would recurse.
pub(crate) fn list(scale: f64) -> Measured {
    const NODES: u64 = 100_000;
    let rounds = times(scale, 200.0);
    measured(rounds * NODES, || {
        for round in 0..rounds {
            let mut head: List = None;
            for number in 0..NODES {
                head = Some(black_box(Box::new(Node { number, payload: [round as u32; 4], next: head })));
            }
            let mut expected = NODES;
            while let Some(node) = head {
                expected -= 1;
                expect(node.number == expected && node.payload[3] == round as u32, "a node has changed");
                head = node.next;
            }
        }
    })
}
