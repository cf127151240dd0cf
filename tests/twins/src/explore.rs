//! Running a model: every order of events, up to a number of preemptions.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use loom::model::Builder;
use loom::thread;

use crate::memory::{Learned, become_thread, drop_twins, forget, learn, make_twins, write_back};

/// Words of a thread's stack.
const STACK: usize = 8 * 1024;

/// Events in one execution at most.
const EVENTS: usize = 100_000;

/// A protocol under test. All its memory lies at the same addresses every time.
pub trait Model: Send + Sync + 'static {
    /// How many threads there are.
    fn threads(&self) -> usize;

    /// Makes everything anew, on one thread.
    fn set_up(&self);

    /// What thread `number` does.
    fn run(&self, number: usize);

    /// What must hold when all have ended; may do more, on one thread.
    fn after(&self);
}

/// Runs the model's threads in every order of events with at most `preemptions`
/// switches that no thread asked for. Says how many there were.
///
/// # Panics
/// If the model does, in one of them, or loom finds two threads at one block.
pub fn explore(model: impl Model, preemptions: usize) -> usize {
    let model = Arc::new(model);
    forget();
    for order in [false, true] {
        run_in_turn(&*model, order);
    }
    loop {
        if let Some(executions) = explore_known(&model, preemptions) {
            return executions;
        }
    }
}

/// Lets the threads run one after another, to see what they touch.
fn run_in_turn(model: &impl Model, reversed: bool) {
    model.set_up();
    learn(true);
    for nth in 0..model.threads() {
        let number = if reversed { model.threads() - 1 - nth } else { nth };
        become_thread(number);
        model.run(number);
    }
    learn(false);
    model.after();
}

/// Explores with twins for the words that are known to be shared; `None` if one more
/// turned out to be.
fn explore_known(model: &Arc<impl Model>, preemptions: usize) -> Option<usize> {
    let executions = Arc::new(AtomicUsize::new(0));
    let run = || {
        let (model, executions) = (Arc::clone(model), Arc::clone(&executions));
        let mut builder = Builder::new();
        builder.preemption_bound = Some(preemptions);
        builder.max_branches = EVENTS;
        builder.check(move || {
            executions.fetch_add(1, Relaxed);
            execute(&model);
        });
    };
    let ended = catch_unwind(AssertUnwindSafe(run));
    drop_twins();
    match ended {
        Ok(()) => Some(executions.load(Relaxed)),
        Err(panic) if panic.is::<Learned>() => None,
        Err(panic) => {
            eprintln!("in execution {}", executions.load(Relaxed));
            resume_unwind(panic)
        }
    }
}

fn execute(model: &Arc<impl Model>) {
    model.set_up();
    make_twins();
    let spawn = |number| {
        let model = Arc::clone(model);
        let run = move || {
            become_thread(number);
            model.run(number);
        };
        thread::Builder::new().stack_size(STACK).spawn(run).expect("loom's threads cost nothing")
    };
    let threads: Vec<_> = (0..model.threads()).map(spawn).collect();
    for thread in threads {
        thread.join().expect("no thread panics");
    }
    write_back();
    model.after();
}
