//! The atomic types, as far as `hmm-core` uses them.

use std::ptr;
use std::rc::Rc;
use std::sync::atomic as words;
use std::sync::atomic::Ordering::{self, Relaxed};

use crate::memory::{Width, twin, watched};

/// An atomic whose values are of type `$value`, and numbers in its twin.
macro_rules! atomic {
    ($name:ident $(<$parameter:ident>)?, $value:ty, $zero:expr, |$number:ident| $from:expr, |$inside:ident| $into:expr) => {
        #[doc = concat!("`core`'s type of this name, with a twin.")]
        #[derive(Debug)]
        #[repr(transparent)]
        pub struct $name$(<$parameter>)?(words::$name$(<$parameter>)?);

        impl$(<$parameter>)? Default for $name$(<$parameter>)? {
            fn default() -> Self {
                Self::new($zero)
            }
        }

        impl$(<$parameter>)? $name$(<$parameter>)? {
            const WIDTH: Width = Width {
                read: |at| Self::number(Self::at(at).0.load(Relaxed)),
                write: |at, number| Self::at(at).0.store(Self::value(number), Relaxed),
            };

            /// See `core`'s.
            pub const fn new(value: $value) -> Self {
                Self(words::$name::new(value))
            }

            /// The word that was seen at this address.
            fn at<'a>(at: usize) -> &'a Self {
                // SAFETY: the address is that of such a word, and the memory of a model
                // stays for all its executions.
                unsafe { &*ptr::with_exposed_provenance(at) }
            }

            fn twin(&self, is_written: bool) -> Option<Rc<loom::sync::atomic::AtomicU64>> {
                twin(ptr::from_ref(self).expose_provenance(), is_written, Self::WIDTH)
            }

            fn value($number: u64) -> $value {
                $from
            }

            fn number($inside: $value) -> u64 {
                $into
            }

            /// See `core`'s.
            pub fn load(&self, order: Ordering) -> $value {
                match self.twin(false) {
                    Some(twin) => Self::value(watched(|| twin.load(order))),
                    None => self.0.load(order),
                }
            }

            /// See `core`'s. (A swap in the twin: loom does not know that no store can
            /// come between the two halves of another thread's swap.)
            pub fn store(&self, value: $value, order: Ordering) {
                match self.twin(true) {
                    Some(twin) => _ = watched(|| twin.swap(Self::number(value), order)),
                    None => self.0.store(value, order),
                }
            }

            /// See `core`'s.
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                match self.twin(true) {
                    Some(twin) => Self::value(watched(|| twin.swap(Self::number(value), order))),
                    None => self.0.swap(value, order),
                }
            }

            /// See `core`'s.
            ///
            /// # Errors
            /// As there.
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                let Some(twin) = self.twin(true) else { return self.0.compare_exchange(current, new, success, failure) };
                let (current, new) = (Self::number(current), Self::number(new));
                let done = watched(|| twin.compare_exchange(current, new, success, failure));
                done.map(Self::value).map_err(Self::value)
            }

            /// See `core`'s; it does not fail for no reason here.
            ///
            /// # Errors
            /// As there.
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(current, new, success, failure)
            }
        }
    };
}

/// An atomic number, with these operations.
macro_rules! number {
    ($name:ident, $value:ty $(, $operation:ident)*) => {
        atomic!($name, $value, 0, |number| number as $value, |value| value as u64);

        impl $name {
            $(
                /// See `core`'s.
                pub fn $operation(&self, operand: $value, order: Ordering) -> $value {
                    match self.twin(true) {
                        Some(twin) => Self::value(watched(|| twin.$operation(Self::number(operand), order))),
                        None => self.0.$operation(operand, order),
                    }
                }
            )*
        }
    };
}

number!(AtomicU8, u8, fetch_or);
number!(AtomicU16, u16, fetch_or, fetch_and);
number!(AtomicU32, u32);
number!(AtomicU64, u64, fetch_and);
number!(AtomicUsize, usize, fetch_add, fetch_or, fetch_and, fetch_xor);
atomic!(AtomicBool, bool, false, |number| number != 0, |value| u64::from(value));
atomic!(
    AtomicPtr<T>,
    *mut T,
    ptr::null_mut(),
    |number| ptr::with_exposed_provenance_mut(number as usize),
    |value| value.expose_provenance() as u64
);
