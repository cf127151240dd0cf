//! What the kernel says memory is behind.

use hmm_core::Span;

/// Bytes of `span` that memory is behind, whole pages of the system's; `None` if
/// the kernel does not tell.
///
/// The heap asks while it is at work. `mincore` would tell as well, but sandboxes for
/// services leave it out and end programs for it; files they may read.
#[cfg(target_os = "linux")]
pub(crate) fn bytes(span: Span) -> Option<usize> {
    let _errno = crate::errno::Errno::keep();
    let path = c"/proc/self/pagemap".as_ptr();
    // Not by libc's functions, for the reasons that `moves` has.
    // SAFETY: the path is a C string.
    let file = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path, libc::O_RDONLY | libc::O_CLOEXEC) };
    if file < 0 {
        return None;
    }
    let page = crate::limits::page_size();
    let start = span.start.addr().get();
    let first = start / page;
    let pages = count(file, first, (start + span.bytes).div_ceil(page) - first);
    // SAFETY: opened above.
    unsafe { libc::syscall(libc::SYS_close, file) };
    Some(pages? * page)
}

/// How many of `pages` pages from number `first` on memory is behind. The file has an entry for each
/// page of the process.
#[cfg(target_os = "linux")]
fn count(file: libc::c_long, first: usize, pages: usize) -> Option<usize> {
    /// Entries that are read at once: they lie on the stack, and slow paths may run on
    /// small ones.
    const ENTRIES: usize = 256;
    const PRESENT: u64 = 1 << 63;
    let mut resident = 0;
    for done in (0..pages).step_by(ENTRIES) {
        let mut entries = [0_u64; ENTRIES];
        let bytes = ENTRIES.min(pages - done) * size_of::<u64>();
        let at = (first + done) * size_of::<u64>();
        // SAFETY: the buffer is ours and at least this long.
        let read = unsafe { libc::syscall(libc::SYS_pread64, file, entries.as_mut_ptr(), bytes, at) };
        if usize::try_from(read) != Ok(bytes) {
            return None;
        }
        resident += entries.iter().filter(|&&entry| entry & PRESENT != 0).count();
    }
    Some(resident)
}

/// Other systems are not asked.
#[cfg(not(target_os = "linux"))]
pub(crate) fn bytes(_: Span) -> Option<usize> {
    None
}
