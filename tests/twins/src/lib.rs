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
//! **What loom takes memory for.** Loads may see any value that the language lets them
//! see, but for stores that come after them in the order of events. Sequentially
//! consistent loads see none that is older than the last store of that order;
//! such operations order nothing beyond that, as fences would.

mod atomics;
mod explore;
mod memory;

pub use atomics::{AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64, AtomicUsize};
pub use explore::{Model, explore};
pub use memory::{Gate, touch, vanish_after};
