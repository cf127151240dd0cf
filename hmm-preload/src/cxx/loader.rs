//! The program's loader, if it has one.
//!
//! It is asked at load, and when memory has ended. A static program need not
//! have it, and its linker warns of any mention of `dlopen`: so `dlsym` has to
//! find that and its like.

use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::{MaybeUninit, transmute};
use core::ptr;
use hmm_sys::weak;
use libc::{Dl_info, RTLD_LAZY, RTLD_NOLOAD};

/// What the loader knows a module by: the beginning of its `link_map`.
#[repr(C)]
struct LinkMap {
    moved_by: usize,
    name: *const c_char,
}

/// Asks for it, from a `dladdr1`.
const RTLD_DL_LINKMAP: c_int = 2;

type DlOpen = unsafe extern "C" fn(*const c_char, c_int) -> *mut c_void;
type DlSym = unsafe extern "C" fn(*mut c_void, *const c_char) -> *const c_void;
type DlClose = unsafe extern "C" fn(*mut c_void) -> c_int;
type DlAddr = unsafe extern "C" fn(*const c_void, *mut Dl_info, *mut *const LinkMap, c_int) -> c_int;
type DlError = unsafe extern "C" fn() -> *const c_char;

/// A function of the loader's, if the program has it.
macro_rules! function {
    ($name:literal as $type:ty) => {
        // SAFETY: null or the function by that name, which has this type.
        unsafe { transmute::<*const c_void, Option<$type>>(in_program($name)) }
    };
}

/// The address that `name` has for the program and for whatever looks it up as the
/// program does; null if nothing has it, or there is no loader to ask.
pub(super) fn in_program(name: &CStr) -> *const c_void {
    // A handle that stands for all libraries.
    look_up(libc::RTLD_DEFAULT, name)
}

/// The address of `name` in the module that `address` lies in, or in what that needs; or null. (The program itself is no
/// module by name, and what it has and needs is everybody's.)
pub(super) fn in_module_of(address: *const c_void, name: &CStr) -> *const c_void {
    let Some(module) = module_of(address) else { return ptr::null() };
    let Some(dlclose) = function!(c"dlclose" as DlClose) else { return ptr::null() };
    // SAFETY: a module's name is a text that ends with a 0, or null.
    if module.name.is_null() || unsafe { module.name.read() } == 0 {
        return ptr::null();
    }
    let handle = open(module.name, RTLD_NOLOAD);
    if handle.is_null() {
        return ptr::null();
    }
    let found = look_up(handle, name);
    // SAFETY: a handle of `dlopen`'s, not used again. What it stands for is in use, and stays.
    unsafe { dlclose(handle) };
    found
}

/// Whether the two addresses lie in one module.
pub(super) fn are_together(one: *const c_void, other: *const c_void) -> bool {
    match (module_of(one), module_of(other)) {
        (Some(one), Some(other)) => ptr::eq(one, other),
        _ => false,
    }
}

/// The module that `address` lies in, if the loader can tell. (musl's cannot.)
fn module_of<'a>(address: *const c_void) -> Option<&'a LinkMap> {
    let dladdr = function!(c"dladdr1" as DlAddr)?;
    let (mut symbol, mut module) = (MaybeUninit::<Dl_info>::uninit(), ptr::null());
    // SAFETY: it may be asked for any address, and writes what it knows.
    let is_known = unsafe { dladdr(address, symbol.as_mut_ptr(), &raw mut module, RTLD_DL_LINKMAP) } != 0;
    // SAFETY: null, or the loader's own, which stays as long as the module does: it is in use.
    unsafe { module.as_ref() }.filter(|_| is_known)
}

/// The address of `name` in this library if it is loaded; or null.
///
/// Its count of users is left raised: it must not be unloaded while what was found is called.
pub(super) fn in_library(library: &CStr, name: &CStr) -> *const c_void {
    match open(library.as_ptr(), RTLD_NOLOAD) {
        handle if handle.is_null() => ptr::null(),
        handle => look_up(handle, name),
    }
}

/// Loads this library, for good, if there is one.
pub(super) fn load(library: &CStr) {
    open(library.as_ptr(), 0);
}

/// A handle for this file or library; null if there is none that is loaded or, unless `mode` forbids it,
/// can be.
fn open(file: *const c_char, mode: c_int) -> *mut c_void {
    let Some(dlopen) = function!(c"dlopen" as DlOpen) else { return ptr::null_mut() };
    // SAFETY: a text of the loader's, or one that ends with a 0.
    let handle = unsafe { dlopen(file, RTLD_LAZY | mode) };
    if handle.is_null() {
        forget_error();
    }
    handle
}

/// The address of `name` in what `handle` stands for; or null.
fn look_up(handle: *mut c_void, name: &CStr) -> *const c_void {
    let dlsym = weak!("dlsym");
    // SAFETY: null or libc's `dlsym`, which has this type.
    let Some(dlsym) = (unsafe { transmute::<*const c_void, Option<DlSym>>(dlsym) }) else {
        return ptr::null();
    };
    // SAFETY: a handle of the loader's, and a name.
    let found = unsafe { dlsym(handle, name.as_ptr()) };
    if found.is_null() {
        forget_error();
    }
    found
}

/// The program is not to be told of what was not found here.
fn forget_error() {
    let dlerror = weak!("dlerror");
    // SAFETY: null or libc's `dlerror`, which has this type.
    if let Some(dlerror) = unsafe { transmute::<*const c_void, Option<DlError>>(dlerror) } {
        // SAFETY: always callable.
        unsafe { dlerror() };
    }
}
