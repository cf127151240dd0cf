//! What the kernel says memory is behind.

use hmm_core::Span;

/// What the kernel says of a page: that there is one, be it the page of zeros that all addresses share which
/// were only read; and that nobody shares it.
pub(crate) const PRESENT: u64 = 1 << 63;
pub(crate) const EXCLUSIVE: u64 = 1 << 56;

/// Bytes of `span` with pages behind them of which the kernel says all this, whole pages of the system's; `None` if
/// it does not tell.
///
/// The heap asks while it is at work. `mincore` would tell as well, but sandboxes for
/// services leave it out and end programs for it; files they may read.
#[cfg(target_os = "linux")]
pub(crate) fn bytes(span: Span, all: u64) -> Option<usize> {
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
    let pages = count(file, first, (start + span.bytes).div_ceil(page) - first, all);
    // SAFETY: opened above.
    unsafe { libc::syscall(libc::SYS_close, file) };
    Some(pages? * page)
}

/// How many of `pages` pages from number `first` on have all these bits. The file has an entry for each
/// page of the process.
#[cfg(target_os = "linux")]
fn count(file: libc::c_long, first: usize, pages: usize, all: u64) -> Option<usize> {
    /// Entries that are read at once: they lie on the stack, and slow paths may run on
    /// small ones.
    const ENTRIES: usize = 256;
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
        resident += entries.iter().filter(|&&entry| entry & all == all).count();
    }
    Some(resident)
}

/// Other systems are not asked.
#[cfg(not(target_os = "linux"))]
pub(crate) fn bytes(_: Span, _: u64) -> Option<usize> {
    None
}
