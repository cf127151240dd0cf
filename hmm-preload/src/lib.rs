//! HMM's C library: `libhmm.so`, to preload or to link, and `libhmm.a`.
//!
//! Every function here is a *door*: it converts C's arguments, makes one call,
//! and tells the result the way C does. Nothing about blocks is decided in this crate.
//!
//! ```text
//!   malloc   free     operator new     HmmAlloc   HmmFree     malloc_info
//!   calloc   realloc  operator delete  HmmStats   HmmCheck    mallinfo2 …
//!      │                   │               │                      │
//!   [malloc]             [cxx]           [hmm]                  [info]
//!      └─────── door ──────┴───── door ────┘                      │
//!                │  errno, overflow, size 0                       │
//!                ▼                                                ▼
//!   hmm-sys      threads, fork, break and mappings, settings, statistics
//!                │
//!   hmm-core     pages, slabs, owners; finds the block of a pointer, checks it
//! ```
//!
//! Besides, [`dlopen`] keeps modules from looking for another `malloc`.
//!
//! The library needs libc and nothing else. It is `no_std`, for a `std` would
//! bring thread-local state that exhausts the space that the loader keeps for
//! it, and calls into `malloc` from inside `malloc`. The C++ runtime is used
//! where the program brings one ([`cxx`]).
//!
//! With `HMM_STATS=1` in the environment it writes a short report of the heap
//! when the program ends; otherwise it is silent.
#![no_std]

pub mod cxx;
pub mod hmm;
pub mod info;
pub mod malloc;
pub mod second;

#[cfg(all(target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub mod dlopen;

mod door;
mod exit_report;
mod load;
mod panic;
mod personality;
mod summary;
