//! A model as a table: what is there, what the threads do, what must hold then.

use std::time::Instant;

use hmm_twins::{Model, explore};

use crate::world::World;

type Act<const SHIFT: u32, const C: usize> = fn(&World<SHIFT, C>);

/// What happens in a world.
pub(crate) struct Story<const SHIFT: u32, const C: usize> {
    /// On one thread, before the others begin.
    pub(crate) set_up: Act<SHIFT, C>,
    /// What each thread does.
    pub(crate) threads: &'static [Act<SHIFT, C>],
    /// On one thread, after them.
    pub(crate) after: Act<SHIFT, C>,
}

struct Told<const SHIFT: u32, const C: usize>(Story<SHIFT, C>, World<SHIFT, C>);

impl<const SHIFT: u32, const C: usize> Model for Told<SHIFT, C> {
    fn threads(&self) -> usize {
        self.0.threads.len()
    }

    fn set_up(&self) {
        (self.0.set_up)(&self.1);
    }

    fn run(&self, number: usize) {
        self.0.threads[number](&self.1);
    }

    fn after(&self) {
        (self.0.after)(&self.1);
    }
}

impl<const SHIFT: u32, const C: usize> Story<SHIFT, C> {
    /// Tells it in every order of events with at most `preemptions` preemptions, or
    /// as many as `HMM_PREEMPTIONS` says.
    pub(crate) fn explore(self, preemptions: usize) {
        let preemptions = std::env::var("HMM_PREEMPTIONS").map_or(preemptions, |n| n.parse().expect("a number"));
        let started = Instant::now();
        let executions = explore(Told(self, World::new()), preemptions);
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        println!("{name}: {executions} executions with {preemptions} preemptions, {:.1?}", started.elapsed());
    }
}
