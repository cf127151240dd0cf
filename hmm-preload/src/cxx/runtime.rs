//! The C++ runtime, if the program has one.
//!
//! The library must not need it, for C programs do without. It is looked for
//! when memory has ended: by weak references, which find what was linked or
//! loaded with the program, then among the libraries that were loaded later
//! and kept to themselves (a C program's C++ plugin).

use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::transmute;
use core::ptr;
use hmm_sys::weak;

/// What `std::set_new_handler` takes. It may throw.
pub(super) type NewHandler = unsafe extern "C-unwind" fn();

/// `operator new(size_t, std::nothrow_t const&)`
pub(super) type NothrowNew = unsafe extern "C-unwind" fn(usize, *const c_void) -> *mut c_void;

/// `operator new(size_t, std::align_val_t, std::nothrow_t const&)`
pub(super) type AlignedNothrowNew = unsafe extern "C-unwind" fn(usize, usize, *const c_void) -> *mut c_void;

/// Where GNU's and LLVM's runtimes live.
const LIBRARIES: [&CStr; 3] = [c"libstdc++.so.6", c"libc++abi.so.1", c"libc++.so.1"];

/// A function of the runtime's, or null.
macro_rules! function {
    ($name:literal) => {{
        let linked = weak!($name);
        if linked.is_null() { in_library(concat!($name, "\0")) } else { linked }
    }};
}

/// The program's new-handler, if it has installed one.
pub(super) fn new_handler() -> Option<NewHandler> {
    type GetNewHandler = unsafe extern "C" fn() -> Option<NewHandler>;
    let get = function!("_ZSt15get_new_handlerv");
    // SAFETY: null or `std::get_new_handler`, which has this type.
    let get = unsafe { transmute::<*const c_void, Option<GetNewHandler>>(get) }?;
    // SAFETY: takes nothing and is `noexcept`.
    unsafe { get() }
}

/// Throws `std::bad_alloc`, or ends the program where nobody can throw.
pub(super) extern "C-unwind" fn throw_bad_alloc() -> ! {
    type Throw = unsafe extern "C-unwind" fn() -> !;
    let throw = function!("_ZSt17__throw_bad_allocv");
    // SAFETY: null or `std::__throw_bad_alloc`, which has this type.
    let throw = unsafe { transmute::<*const c_void, Option<Throw>>(throw) };
    if let Some(throw) = throw {
        // SAFETY: takes nothing, and every frame up to C++ may be unwound.
        unsafe { throw() }
    }
    throw_by_hand();
    hmm_sys::report(format_args!("operator new: out of memory, and no C++ runtime to throw std::bad_alloc"));
    // SAFETY: takes nothing and does not return.
    unsafe { libc::abort() }
}

/// Does what a compiler makes of `throw std::bad_alloc()`. A static program
/// holds only those parts of the runtime that it mentions: the function that
/// throws may be missing where a `catch` of the type has brought in all of
/// these. Returns if it has not.
extern "C-unwind" fn throw_by_hand() {
    type Allocate = unsafe extern "C" fn(usize) -> *mut *const c_void;
    type Throw = unsafe extern "C-unwind" fn(*mut *const c_void, *const c_void, *const c_void) -> !;
    let (allocate, throw) = (weak!("__cxa_allocate_exception"), weak!("__cxa_throw"));
    // SAFETY: null or the C++ ABI's function, which has this type.
    let allocate = unsafe { transmute::<*const c_void, Option<Allocate>>(allocate) };
    // SAFETY: likewise.
    let throw = unsafe { transmute::<*const c_void, Option<Throw>>(throw) };
    let type_info = weak!("_ZTISt9bad_alloc");
    let vtable = weak!("_ZTVSt9bad_alloc").cast::<*const c_void>();
    let destructor = weak!("_ZNSt9bad_allocD1Ev");
    let (Some(allocate), Some(throw)) = (allocate, throw) else {
        return;
    };
    if type_info.is_null() || vtable.is_null() || destructor.is_null() {
        return;
    }
    // SAFETY: never null: the runtime keeps memory aside for exceptions.
    let exception = unsafe { allocate(size_of::<*const c_void>()) };
    // An object of the class is a pointer to the functions in its vtable,
    // behind the two words that describe the class.
    let functions = vtable.wrapping_add(2).cast();
    // SAFETY: the exception has room for a pointer.
    unsafe { exception.write(functions) };
    // SAFETY: an exception, and its own type and destructor; every frame up to
    // C++ may be unwound.
    unsafe { throw(exception, type_info, destructor) }
}

/// The runtime's own `nothrow` operator, which catches what ours cannot.
pub(super) fn nothrow_new() -> Option<NothrowNew> {
    let new = in_library(concat!(mangled!("_Znw" size "RKSt9nothrow_t"), "\0"));
    // SAFETY: null or the operator by that name, which has this type.
    unsafe { transmute(new) }
}

/// [`nothrow_new`], of arrays.
pub(super) fn nothrow_new_array() -> Option<NothrowNew> {
    let new = in_library(concat!(mangled!("_Zna" size "RKSt9nothrow_t"), "\0"));
    // SAFETY: null or the operator by that name, which has this type.
    unsafe { transmute(new) }
}

/// [`nothrow_new`], aligned.
pub(super) fn aligned_nothrow_new() -> Option<AlignedNothrowNew> {
    let new = in_library(concat!(mangled!("_Znw" size "St11align_val_tRKSt9nothrow_t"), "\0"));
    // SAFETY: null or the operator by that name, which has this type.
    unsafe { transmute(new) }
}

/// [`nothrow_new`], of aligned arrays.
pub(super) fn aligned_nothrow_new_array() -> Option<AlignedNothrowNew> {
    let new = in_library(concat!(mangled!("_Zna" size "St11align_val_tRKSt9nothrow_t"), "\0"));
    // SAFETY: null or the operator by that name, which has this type.
    unsafe { transmute(new) }
}

/// The address that `name` has for the program and for whatever looks it up as the
/// program does; null if nothing has it, or there is no loader to ask.
pub(super) fn in_program(name: &CStr) -> *const c_void {
    let Some(dlsym) = dlsym() else { return ptr::null() };
    // SAFETY: a handle that stands for all libraries, and a name.
    let found = unsafe { dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    if found.is_null() {
        forget_error();
    }
    found
}

/// The program is not to be told of what was not found here.
fn forget_error() {
    type DlError = unsafe extern "C" fn() -> *const c_char;
    let dlerror = weak!("dlerror");
    // SAFETY: null or libc's `dlerror`, which has this type.
    if let Some(dlerror) = unsafe { transmute::<*const c_void, Option<DlError>>(dlerror) } {
        // SAFETY: always callable.
        unsafe { dlerror() };
    }
}

type DlSym = unsafe extern "C" fn(*mut c_void, *const c_char) -> *const c_void;

/// libc's `dlsym`, if the program has it: a static one need not.
fn dlsym() -> Option<DlSym> {
    let dlsym = weak!("dlsym");
    // SAFETY: null or libc's `dlsym`, which has this type.
    unsafe { transmute::<*const c_void, Option<DlSym>>(dlsym) }
}

/// The address of `name`, which ends with a 0, in a loaded runtime; or null.
///
/// The runtime's count of users is left raised: it must not be unloaded while
/// the function runs. A static program has no loader to ask, and its linker
/// warns of any mention of `dlopen`, so `dlsym` has to find it.
fn in_library(name: &str) -> *const c_void {
    type DlOpen = unsafe extern "C" fn(*const c_char, c_int) -> *mut c_void;
    let dlopen = in_program(c"dlopen");
    // SAFETY: null or libc's `dlopen`, which has this type.
    let dlopen = unsafe { transmute::<*const c_void, Option<DlOpen>>(dlopen) };
    let (Some(dlopen), Some(dlsym)) = (dlopen, dlsym()) else {
        return ptr::null();
    };
    for library in LIBRARIES {
        // SAFETY: the name ends with a 0; nothing is loaded that is not yet.
        let runtime = unsafe { dlopen(library.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
        if runtime.is_null() {
            continue;
        }
        // SAFETY: a handle of `dlopen`'s, and a name that ends with a 0.
        let found = unsafe { dlsym(runtime, name.as_ptr().cast()) };
        if !found.is_null() {
            return found;
        }
    }
    ptr::null()
}
