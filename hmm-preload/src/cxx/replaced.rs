//! Operators that the program defines itself.
//!
//! C++ lets a program replace some of the operators, and promises that the
//! others go through those: `new[]` and the nothrow forms through `new`, sized
//! `delete` and `delete[]` through `delete`. A program that has only its own
//! `new` and `delete` would otherwise see a block of its own come to ours.

use super::loader;
use core::ffi::{CStr, c_void};
use core::mem::transmute_copy;
use core::ptr;
use core::sync::atomic::AtomicPtr;
use core::sync::atomic::Ordering::Relaxed;

type New = unsafe extern "C-unwind" fn(usize) -> *mut c_void;
type NewAligned = unsafe extern "C-unwind" fn(usize, usize) -> *mut c_void;
type Delete = unsafe extern "C" fn(*mut c_void);
type DeleteAligned = unsafe extern "C" fn(*mut c_void, usize);

/// An operator that others go through, of type `F`.
pub(super) struct Replaced<F: 'static> {
    name: &'static CStr,
    /// What of ours has this name.
    ours: F,
    /// What this one goes through itself.
    base: Option<&'static Self>,
    /// The program's, or what the program has of `base`; null if there is neither,
    /// [`UNKNOWN`] before that was asked.
    theirs: AtomicPtr<c_void>,
}

/// No function is here.
const UNKNOWN: *mut c_void = ptr::without_provenance_mut(1);

impl<F: Copy> Replaced<F> {
    const fn new(name: &'static CStr, ours: F, base: Option<&'static Self>) -> Self {
        const { assert!(size_of::<F>() == size_of::<*const c_void>(), "a function's address") };
        Self { name, ours, base, theirs: AtomicPtr::new(UNKNOWN) }
    }

    /// What takes this operator's place, if anything does.
    #[inline(always)]
    pub(super) fn get(&self) -> Option<F> {
        if self.theirs.load(Relaxed).is_null() {
            return None;
        }
        let theirs = self.find();
        // SAFETY: null or the operator by that name, which has this type.
        unsafe { transmute_copy(&theirs) }
    }

    /// Out of line: looked for once, at load, or at the first use of any that goes through it if a
    /// constructor comes before that.
    #[cold]
    #[inline(never)]
    fn find(&self) -> *mut c_void {
        let mut theirs = self.theirs.load(Relaxed);
        if theirs == UNKNOWN {
            theirs = loader::in_program(self.name).cast_mut();
            // SAFETY: `new` compared the sizes; a function is an address.
            let ours: *mut c_void = unsafe { transmute_copy(&self.ours) };
            if theirs == ours || theirs.is_null() {
                theirs = self.base.map_or(ptr::null_mut(), Self::find);
            }
            self.theirs.store(theirs, Relaxed);
        }
        theirs
    }
}

pub(super) static NEW: Replaced<New> = Replaced::new(name!("_Znw" size), super::new, None);
pub(super) static NEW_ARRAY: Replaced<New> = Replaced::new(name!("_Zna" size), super::new_array, Some(&NEW));
pub(super) static NEW_ALIGNED: Replaced<NewAligned> =
    Replaced::new(name!("_Znw" size "St11align_val_t"), super::new_aligned, None);
pub(super) static NEW_ARRAY_ALIGNED: Replaced<NewAligned> =
    Replaced::new(name!("_Zna" size "St11align_val_t"), super::new_array_aligned, Some(&NEW_ALIGNED));
pub(super) static DELETE: Replaced<Delete> = Replaced::new(name!("_ZdlPv"), super::delete, None);
pub(super) static DELETE_ARRAY: Replaced<Delete> = Replaced::new(name!("_ZdaPv"), super::delete_array, Some(&DELETE));
pub(super) static DELETE_ALIGNED: Replaced<DeleteAligned> =
    Replaced::new(name!("_ZdlPvSt11align_val_t"), super::delete_aligned, None);
pub(super) static DELETE_ARRAY_ALIGNED: Replaced<DeleteAligned> =
    Replaced::new(name!("_ZdaPvSt11align_val_t"), super::delete_array_aligned, Some(&DELETE_ALIGNED));

/// Looks for all of them.
pub(super) fn find_all() {
    for operator in [&NEW, &NEW_ARRAY] {
        operator.find();
    }
    for operator in [&NEW_ALIGNED, &NEW_ARRAY_ALIGNED] {
        operator.find();
    }
    for operator in [&DELETE, &DELETE_ARRAY] {
        operator.find();
    }
    for operator in [&DELETE_ALIGNED, &DELETE_ARRAY_ALIGNED] {
        operator.find();
    }
}
