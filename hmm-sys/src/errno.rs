//! `errno`: what the heap does itself leaves it as it was; the doors set it.

/// Puts `errno` back to what it was when this value was made.
#[derive(Debug)]
pub struct Errno(libc::c_int);

/// Where the calling thread's `errno` is.
pub(crate) fn place() -> *mut libc::c_int {
    #[cfg(any(target_os = "linux", target_os = "emscripten", target_os = "redox"))]
    // SAFETY: always callable; returns the calling thread's own variable.
    return unsafe { libc::__errno_location() };
    #[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
    // SAFETY: as above.
    return unsafe { libc::__errno() };
    #[cfg(any(target_os = "freebsd", target_vendor = "apple"))]
    // SAFETY: as above.
    return unsafe { libc::__error() };
}

/// The calling thread's `errno`.
pub(crate) fn get() -> libc::c_int {
    // SAFETY: the thread's own variable.
    unsafe { *place() }
}

/// Makes it `error`.
pub fn set(error: libc::c_int) {
    // SAFETY: the thread's own variable.
    unsafe { *place() = error };
}

impl Errno {
    /// Remembers the calling thread's `errno`.
    #[must_use = "it is put back at once"]
    pub fn keep() -> Self {
        Self(get())
    }
}

impl Drop for Errno {
    fn drop(&mut self) {
        set(self.0);
    }
}
