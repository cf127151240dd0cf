//! The atomics that threads share, in one place: where a model checker's could
//! stand instead. What only an owner's thread and its signal handlers touch stays
//! with `core`'s atomics.

pub(crate) use core::sync::atomic::Ordering;
pub(crate) use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicUsize};

#[cfg(target_has_atomic = "64")]
pub(crate) use core::sync::atomic::AtomicU64;

/// A word of a bitmap: one bit for each of so many slots of a slab.
pub(crate) type BitWord = AtomicUsize;
