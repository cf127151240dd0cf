//! The process's heap itself.

use hmm_core::Shared;
use static_assertions::assert_impl_all;

use crate::lock::Lock;
use crate::message;
use crate::system::System;

/// A thread's heap.
pub(crate) type Owner = hmm_core::Owner;

assert_impl_all!(Shared<System, Lock>: Sync);

/// The one heap of the process.
pub(crate) static HEAP: Shared<System, Lock> = Shared::new(System::new(), message::misuse);
