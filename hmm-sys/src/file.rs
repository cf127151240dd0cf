//! Files in which the kernel tells of the process, or of the machine.
//!
//! Read by system calls and not by libc's functions: those may be others', or where a thread is
//! cancelled, and the heap is locked. Their errors are no answers; they change `errno`.

use core::ffi::{CStr, c_long};

/// An open file of the kernel's.
pub(crate) struct KernelFile(c_long);

impl KernelFile {
    /// The file at `path`; `None` if it may not be read.
    pub(crate) fn open(path: &CStr) -> Option<Self> {
        let flags = libc::O_RDONLY | libc::O_CLOEXEC;
        // SAFETY: the path is a C string.
        let file = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), flags) };
        (file >= 0).then_some(Self(file))
    }

    /// What comes next, as much as `text` has room for; nothing at the end, or after an error.
    pub(crate) fn read<'a>(&self, text: &'a mut [u8]) -> &'a [u8] {
        // SAFETY: the buffer is ours and this long.
        let read = unsafe { libc::syscall(libc::SYS_read, self.0, text.as_mut_ptr(), text.len()) };
        text.get(..usize::try_from(read).unwrap_or(0)).unwrap_or(&[])
    }

    /// Fills `entries` with what is at entry number `first` on; says whether there were as many.
    pub(crate) fn read_entries(&self, entries: &mut [u64], first: usize) -> bool {
        let (bytes, at) = (size_of_val(entries), first * size_of::<u64>());
        // SAFETY: the buffer is ours and this long.
        let read = unsafe { libc::syscall(libc::SYS_pread64, self.0, entries.as_mut_ptr(), bytes, at) };
        usize::try_from(read) == Ok(bytes)
    }
}

impl Drop for KernelFile {
    fn drop(&mut self) {
        // SAFETY: opened by `open`, and not closed since.
        unsafe { libc::syscall(libc::SYS_close, self.0) };
    }
}
