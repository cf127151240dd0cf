//! All that has to be there before anything is measured: HMM, the workloads,
//! the other allocators, programs from Debian. What cannot be had is told in
//! one line, and the benchmark goes on without.

pub(crate) mod command;
pub(crate) mod loads;
pub(crate) mod packages;
pub(crate) mod peers;
pub(crate) mod places;
