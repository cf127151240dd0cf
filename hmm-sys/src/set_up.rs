//! How far the process is set up: one thread sees to that, and those that come meanwhile sleep.
//!
//! ```text
//!   NEW ──► BEGUN ──────────────► READY, or NO_KEY
//!             └───► AWAITED ────────┘ who sleeps is woken
//! ```

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use crate::futex;

/// How far the process is.
pub(crate) static SET_UP: SetUp = SetUp::new();

/// One of the states below.
pub(crate) struct SetUp(AtomicU32);

const NEW: u32 = 0;
const BEGUN: u32 = 1;
/// As `BEGUN`, and somebody sleeps until that is done.
const AWAITED: u32 = 2;
/// There is a key whose destructor tells of threads' ends.
pub(crate) const READY: u32 = 3;
/// Nobody tells of them: there was no key to be had, or it is gone.
pub(crate) const NO_KEY: u32 = 4;

impl SetUp {
    const fn new() -> Self {
        Self(AtomicU32::new(NEW))
    }

    pub(crate) fn state(&self) -> u32 {
        self.0.load(Relaxed)
    }

    /// Whether it is the caller who sets up: nobody did, and from now on the caller does.
    pub(crate) fn begin(&self) -> bool {
        self.0.compare_exchange(NEW, BEGUN, Acquire, Acquire).is_ok()
    }

    /// What was begun has come to `end`: who sleeps until then is told.
    pub(crate) fn end(&self, end: u32) {
        if self.0.swap(end, AcqRel) != BEGUN {
            futex::wake(self.0.as_ptr(), libc::c_int::MAX);
        }
    }

    /// Sleeps while another thread is at what was begun; returns what that came to. (To yield instead would be for good where
    /// this thread goes before that one, by `SCHED_FIFO`, on the same processor.)
    pub(crate) fn wait(&self) -> u32 {
        loop {
            match self.0.compare_exchange(BEGUN, AWAITED, Acquire, Acquire) {
                Ok(_) | Err(AWAITED) => futex::sleep_while(self.0.as_ptr(), AWAITED),
                Err(end) => return end,
            }
        }
    }

    /// The key is about to go. Returns what was before.
    pub(crate) fn withdraw(&self) -> u32 {
        self.0.swap(NO_KEY, AcqRel)
    }

    /// In a fork's child: the thread that was setting up did not come along.
    pub(crate) fn begin_anew(&self) {
        if matches!(self.state(), BEGUN | AWAITED) {
            self.0.store(NEW, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    /// What the calling thread took of the processor.
    fn used() -> Duration {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the time is ours.
        assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) }, 0);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }

    #[test]
    fn who_waits_for_the_set_up_sleeps() {
        let set_up = SetUp::new();
        assert!(set_up.begin() && !set_up.begin());
        let waits = || {
            let before = used();
            (set_up.wait(), used() - before)
        };
        thread::scope(|scope| {
            let waiting = [scope.spawn(waits), scope.spawn(waits)];
            thread::sleep(Duration::from_millis(300));
            set_up.end(READY);
            for waiting in waiting {
                let (end, used) = waiting.join().expect("it ends");
                assert_eq!(end, READY);
                assert!(used < Duration::from_millis(10), "{used:?}");
            }
        });
        assert_eq!(set_up.wait(), READY, "who comes later does not wait");
    }
}
