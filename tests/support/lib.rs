//! What all suites share: the library under test, programs run with a time limit, C programs
//! compiled in the ways a user may take, and stories told twice, without HMM and on it.
//!
//! Everything here looks at HMM from outside: files that `cargo build --release` leaves,
//! processes, their output.

#![forbid(unsafe_code)]

mod compile;
mod library;
mod packages;
mod run;
mod story;

pub use compile::{Source, Way};
pub use library::{Library, library};
pub use packages::{PACKAGES, find};
pub use run::{Outcome, Run};
pub use story::{Story, same};
