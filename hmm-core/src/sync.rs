//! The atomics that threads share, in one place: `core`'s, or, where `tests/loom`
//! compiles this crate, a model checker's. What only an owner's thread and its signal
//! handlers touch stays with `core`'s atomics.

#[cfg(not(loom))]
use core::sync::atomic;
#[cfg(loom)]
use hmm_twins as atomic;

pub(crate) use atomic::{AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicUsize};
pub(crate) use core::sync::atomic::Ordering;

#[cfg(target_has_atomic = "64")]
pub(crate) use atomic::AtomicU64;
