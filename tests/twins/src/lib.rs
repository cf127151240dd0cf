//! Atomics that [loom](https://docs.rs/loom) watches, where they lie: for the model
//! checking of `hmm-core` in `tests/loom`.
//!
//! ```text
//!   the heap's memory     | word | word | word |      as ever: zeroed tables, casts
//!                            │             │
//!   their twins           loom's atomic  loom's atomic      by address: of words
//!                                                           that threads share
//! ```
//!
//! loom's own atomics are objects that must be made one by one; the heap's lie in
//! tables that are reserved, zeroed, and never constructed. So each atomic here is
//! a plain word of the usual size, and while a model runs, what is done to it
//! happens to a twin that is found by its address.
//!
//! A model is run by [`explore`], again and again, at the same addresses. Words
//! that only one of its threads touches, or that none writes, have no twin: they
//! cannot go wrong, and loom would ask for each of them who comes next. Which those
//! are is learned by letting the threads run one after another first; should it turn
//! out otherwise in some order of events, everything begins anew with a twin more.
//!
//! **Sequential consistency.** loom takes such operations for acquire and release,
//! but knows fences of that order. There are two ways to make the one of the other:
//! a fence before each operation, or one after it. Both keep what the language
//! promises, and each more than that, where the other does not: so all is explored
//! with both.

mod atomics;
mod explore;
mod memory;

pub use atomics::{AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize};
pub use explore::{Model, explore};
pub use memory::{Gate, touch};
