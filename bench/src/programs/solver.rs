//! Z3: products of bit vectors to be taken apart, and shops' schedules.

use super::{Job, input, scaled, word};
use crate::measured::Program;
use crate::setup::places::Places;
use anyhow::Result;
use std::fmt::Write;

pub(super) fn prepare(places: &Places, scale: f64) -> Result<Box<dyn Job>> {
    let problems = input(places, "problems.smt2", scale, || {
        let mut text = String::new();
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..scaled(20, scale) {
            factor(&mut text, &mut random);
            schedule(&mut text, &mut random);
        }
        text
    })?;
    Ok(Box::new(Program::new("z3", [word(&problems)])))
}

/// Two numbers of 11 bits whose product is given.
fn factor(text: &mut String, random: &mut fastrand::Rng) {
    let product = random.u32(1024..2048) * random.u32(1024..2048);
    _ = writeln!(
        text,
        "(reset)\n(set-logic QF_BV)\n(declare-const a (_ BitVec 22))\n(declare-const b (_ BitVec 22))\n\
         (assert (= (bvmul a b) (_ bv{product} 22)))\n\
         (assert (bvult a (_ bv2048 22)))\n(assert (bvult b (_ bv2048 22)))\n(check-sat)"
    );
}

/// Eight jobs, each on six machines in an order of its own, in little time.
fn schedule(text: &mut String, random: &mut fastrand::Rng) {
    const JOBS: usize = 8;
    const MACHINES: usize = 6;
    let lengths: [[u32; MACHINES]; JOBS] = std::array::from_fn(|_| std::array::from_fn(|_| random.u32(1..10)));
    _ = writeln!(text, "(reset)\n(set-logic QF_IDL)");
    for (job, lengths) in lengths.iter().enumerate() {
        for machine in 0..MACHINES {
            _ = writeln!(text, "(declare-const s{job}m{machine} Int)");
        }
        let mut order: [usize; MACHINES] = std::array::from_fn(|machine| machine);
        random.shuffle(&mut order);
        _ = writeln!(text, "(assert (>= s{job}m{} 0))", order[0]);
        for pair in order.windows(2) {
            let (this, next) = (pair[0], pair[1]);
            _ = writeln!(text, "(assert (>= (- s{job}m{next} s{job}m{this}) {}))", lengths[this]);
        }
        _ = writeln!(text, "(assert (<= s{job}m{} 56))", order[MACHINES - 1]);
    }
    let length = |job: usize, machine: usize| lengths[job][machine];
    for machine in 0..MACHINES {
        for (one, other) in (0..JOBS).flat_map(|one| (0..one).map(move |other| (one, other))) {
            let (first, second) = (length(one, machine), length(other, machine));
            let difference = format!("(- s{one}m{machine} s{other}m{machine})");
            _ = writeln!(text, "(assert (or (>= {difference} {second}) (<= {difference} (- {first}))))");
        }
    }
    _ = writeln!(text, "(check-sat)");
}
