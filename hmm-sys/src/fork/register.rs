//! Handlers that are called as long as there are forks.
//!
//! `pthread_atfork` tells glibc which library registers, and at exit the handlers of one that was finalised are taken out:
//! ours nearly first, while other threads allocate, and other libraries may still fork. The child of such a fork has the
//! heap's locks as those threads held them, and a fork under way never lets go of what `prepare` took. So we
//! name no library where this code is there to the end. A plugin's handlers have to go with it.

use core::ffi::{c_int, c_void};
use core::ptr;

use crate::weak;

/// A fork handler.
type Handler = Option<unsafe extern "C" fn()>;

unsafe extern "C" {
    /// What `pthread_atfork` calls, with its caller's library.
    fn __register_atfork(prepare: Handler, parent: Handler, child: Handler, library: *mut c_void) -> c_int;
}

/// Registers these.
///
/// # Safety
/// They may be called at any fork for as long as their code is there.
pub(super) unsafe fn register(prepare: Handler, parent: Handler, child: Handler) {
    if is_for_good() {
        // SAFETY: our caller's promise, and their code is never unloaded.
        unsafe { __register_atfork(prepare, parent, child, ptr::null_mut()) };
    } else {
        // SAFETY: our caller's promise: glibc takes them out when their library is unloaded.
        unsafe { libc::pthread_atfork(prepare, parent, child) };
    }
}

/// A line of the table by which the linker tells the loader of a library or program.
#[repr(C)]
struct Entry {
    tag: isize,
    value: usize,
}

const DT_NULL: isize = 0;
const DT_FLAGS_1: isize = 0x6fff_fffb;
/// Never unloaded.
const DF_1_NODELETE: usize = 0x8;
/// No library but a program. (One that is loaded at a fixed address lacks this, but libc finalises none such.)
const DF_1_PIE: usize = 0x0800_0000;

/// Whether the library or program that this code is linked into says that it is never unloaded.
fn is_for_good() -> bool {
    // Where the linker's name would be looked up among all libraries, it is not.
    let known = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));
    let mut entry = if known { weak!("_DYNAMIC").cast::<Entry>() } else { ptr::null() };
    if entry.is_null() {
        return false;
    }
    loop {
        // SAFETY: in the table, which is constant but for a debugger's entry, and ends with `DT_NULL`.
        let Entry { tag, value } = unsafe { entry.read() };
        match tag {
            DT_NULL => return false,
            DT_FLAGS_1 => return value & (DF_1_NODELETE | DF_1_PIE) != 0,
            // SAFETY: this was not the last one.
            _ => entry = unsafe { entry.add(1) },
        }
    }
}
