//! Values that one thread makes and another drops.

use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::measure::{Measured, expect, measured, times};
use crate::random::Random;

struct Record {
    number: usize,
    text: String,
}

/// Two threads take a look at shared records and put new ones in their places; whoever lets go last
/// frees.
pub(crate) fn arcs(scale: f64) -> Measured {
    const SHARED: usize = 256;
    const HELD: usize = 512;
    const THREADS: u64 = 2;
    let record = |number| Arc::new(Record { number, text: format!("record {number}") });
    let shared: Vec<Mutex<Arc<Record>>> = (0..SHARED).map(|number| Mutex::new(record(number))).collect();
    let each = times(scale, 2.5e6);
    let work = |seed| {
        let mut random = Random::new(seed);
        let mut held = vec![record(0); HELD];
        for _ in 0..each {
            let number = random.below(SHARED);
            let made = record(number);
            let found = {
                let mut place = shared[number].lock().expect("no thread panics");
                std::mem::replace(&mut *place, Arc::clone(&made))
            };
            expect(found.number == number && found.text.starts_with("record"), "a record has changed");
            held[random.below(HELD)] = found;
        }
    };
    measured(each * THREADS, || {
        thread::scope(|scope| {
            for seed in 0..THREADS {
                let work = &work;
                scope.spawn(move || work(seed));
            }
        });
    })
}

struct Message {
    number: u64,
    body: Vec<u8>,
}

/// `pairs` of a thread that sends and one that receives.
fn channels(pairs: u64, messages: f64) -> Measured {
    const ROOM: usize = 1024;
    let each = times(1.0, messages / pairs as f64);
    measured(each * pairs, || {
        thread::scope(|scope| {
            for pair in 0..pairs {
                let (sender, receiver) = sync_channel(ROOM);
                scope.spawn(move || {
                    let mut random = Random::new(pair);
                    for number in 0..each {
                        let body = vec![number as u8; 1 + random.below(200)];
                        let sent = sender.send(Box::new(Message { number, body }));
                        expect(sent.is_ok(), "a receiver has gone");
                    }
                });
                scope.spawn(move || {
                    for (expected, message) in receiver.into_iter().enumerate() {
                        let whole = message.body.last() == Some(&(message.number as u8));
                        expect(whole && message.number == expected as u64, "a message has changed");
                    }
                });
            }
        });
    })
}

pub(crate) fn one_channel(scale: f64) -> Measured {
    channels(1, scale * 3e6)
}

pub(crate) fn four_channels(scale: f64) -> Measured {
    channels(4, scale * 3e6)
}
