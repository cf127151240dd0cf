//! The process's heap itself.

use hmm_core::Shared;
use static_assertions::assert_impl_all;

use crate::lock::Lock;
use crate::message;
use crate::system::System;

/// A thread's heap.
pub(crate) type Owner = hmm_core::Owner;

assert_impl_all!(Shared<System, Lock>: Sync);

/// What the word of a thread names that has not had a heap yet.
pub(crate) static NOT_YET: hmm_core::Nobody = hmm_core::Nobody::new();

/// What the word of a thread names that gave its heap up.
pub(crate) static NO_MORE: hmm_core::Nobody = hmm_core::Nobody::new();

/// The one heap of the process.
pub(crate) static HEAP: Shared<System, Lock> = Shared::new(System::new(), message::misuse);
