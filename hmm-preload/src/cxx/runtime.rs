//! The C++ runtime, if the program has one.
//!
//! The library must not need it, for C programs do without. It is looked for
//! when memory has ended: by weak references, which find what was linked or
//! loaded with the program, and is everybody's; then where a C program's C++
//! plugin keeps it to itself: in what the calling module brings or needs, and
//! among the libraries that were loaded later.

use super::loader;
use core::ffi::{CStr, c_void};
use core::mem::transmute;
use core::ptr;
use hmm_sys::errno::Errno;
use hmm_sys::weak;

/// What `std::set_new_handler` takes. It may throw.
pub(super) type NewHandler = unsafe extern "C-unwind" fn();

/// `operator new(size_t, std::nothrow_t const&)`
pub(super) type NothrowNew = unsafe extern "C-unwind" fn(usize, *const c_void) -> *mut c_void;

/// `operator new(size_t, std::align_val_t, std::nothrow_t const&)`
pub(super) type AlignedNothrowNew = unsafe extern "C-unwind" fn(usize, usize, *const c_void) -> *mut c_void;

/// Where GNU's and LLVM's runtimes live.
const LIBRARIES: [&CStr; 3] = [c"libstdc++.so.6", c"libc++abi.so.1", c"libc++.so.1"];

/// What the runtime of whoever called from this address has by this name, or null.
macro_rules! runtimes {
    ($name:literal, $caller:expr) => {{
        let linked = weak!($name);
        if linked.is_null() { apart(name!($name), $caller) } else { linked }
    }};
}

/// The address of `name` in a runtime that is not the program's; or null.
fn apart(name: &CStr, caller: *const c_void) -> *const c_void {
    let _errno = Errno::keep();
    match loader::in_module_of(caller, name) {
        found if found.is_null() => in_libraries(name),
        found => found,
    }
}

/// The address of `name` in a runtime that was loaded as a library of its own; or null.
fn in_libraries(name: &CStr) -> *const c_void {
    let mut found = LIBRARIES.iter().map(|library| loader::in_library(library, name));
    found.find(|found| !found.is_null()).unwrap_or(ptr::null())
}

/// The new-handler of whoever called from this address, if one is installed.
pub(super) fn new_handler(caller: *const c_void) -> Option<NewHandler> {
    type GetNewHandler = unsafe extern "C" fn() -> Option<NewHandler>;
    let get = runtimes!("_ZSt15get_new_handlerv", caller);
    // SAFETY: null or `std::get_new_handler`, which has this type.
    let get = unsafe { transmute::<*const c_void, Option<GetNewHandler>>(get) }?;
    // SAFETY: takes nothing and is `noexcept`.
    unsafe { get() }
}

/// Throws `std::bad_alloc` to whoever called from this address, or ends the program where nobody can throw.
pub(super) extern "C-unwind" fn throw_bad_alloc(caller: *const c_void) -> ! {
    throw_for(caller);
    // A caller whose runtime cannot be seen catches what another one throws: types are compared by name.
    loader::load(LIBRARIES[0]);
    throw_for(caller);
    hmm_sys::report(format_args!("operator new: out of memory, and no C++ runtime to throw std::bad_alloc"));
    // SAFETY: takes nothing and does not return.
    unsafe { libc::abort() }
}

/// Does what a compiler makes of `throw std::bad_alloc()`; returns if something that it takes is missing. A static
/// program, or plugin, holds only those parts of the runtime that it mentions: not the runtime's function that
/// throws this, where a `catch` of the type has brought in all of these.
extern "C-unwind" fn throw_for(caller: *const c_void) {
    type Allocate = unsafe extern "C" fn(usize) -> *mut *const c_void;
    type Throw = unsafe extern "C-unwind" fn(*mut *const c_void, *const c_void, *const c_void) -> !;
    let allocate = runtimes!("__cxa_allocate_exception", caller);
    // SAFETY: null or the C++ ABI's function, which has this type.
    let allocate = unsafe { transmute::<*const c_void, Option<Allocate>>(allocate) };
    let throw = runtimes!("__cxa_throw", caller);
    // SAFETY: likewise.
    let throw = unsafe { transmute::<*const c_void, Option<Throw>>(throw) };
    let (Some(allocate), Some(throw)) = (allocate, throw) else {
        return;
    };
    let type_info = runtimes!("_ZTISt9bad_alloc", caller);
    let vtable = runtimes!("_ZTVSt9bad_alloc", caller).cast::<*const c_void>();
    let destructor = runtimes!("_ZNSt9bad_allocD1Ev", caller);
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
pub(super) fn nothrow_new(caller: *const c_void) -> Option<NothrowNew> {
    let ours = super::new_nothrow as *const c_void;
    let new = another(name!("_Znw" size "RKSt9nothrow_t"), ours, caller);
    // SAFETY: null or the operator by that name, which has this type.
    unsafe { transmute(new) }
}

/// [`nothrow_new`], of arrays.
pub(super) fn nothrow_new_array(caller: *const c_void) -> Option<NothrowNew> {
    let ours = super::new_array_nothrow as *const c_void;
    let new = another(name!("_Zna" size "RKSt9nothrow_t"), ours, caller);
    // SAFETY: null or the operator by that name, which has this type.
    unsafe { transmute(new) }
}

/// [`nothrow_new`], aligned.
pub(super) fn aligned_nothrow_new(caller: *const c_void) -> Option<AlignedNothrowNew> {
    let ours = super::new_aligned_nothrow as *const c_void;
    let new = another(name!("_Znw" size "St11align_val_tRKSt9nothrow_t"), ours, caller);
    // SAFETY: null or the operator by that name, which has this type.
    unsafe { transmute(new) }
}

/// [`nothrow_new`], of aligned arrays.
pub(super) fn aligned_nothrow_new_array(caller: *const c_void) -> Option<AlignedNothrowNew> {
    let ours = super::new_array_aligned_nothrow as *const c_void;
    let new = another(name!("_Zna" size "St11align_val_tRKSt9nothrow_t"), ours, caller);
    // SAFETY: null or the operator by that name, which has this type.
    unsafe { transmute(new) }
}

/// The runtime's operator by this `name`, where the program, or the caller's module, has `ours`; or null. Out of
/// line: operators that a program may have replaced need no more stack for it.
#[cold]
#[inline(never)]
fn another(name: &CStr, ours: *const c_void, caller: *const c_void) -> *const c_void {
    let _errno = Errno::keep();
    let is_everybodys = !weak!("__cxa_throw").is_null();
    let callers = if is_everybodys { ptr::null() } else { loader::in_module_of(caller, name) };
    // (The module may also need another allocator, with operators of its own.)
    let is_runtimes = || loader::are_together(callers, apart(name!("__cxa_throw"), caller));
    if callers.is_null() || callers == ours || !is_runtimes() { in_libraries(name) } else { callers }
}
