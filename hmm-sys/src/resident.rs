//! What the kernel says memory is behind.

use hmm_core::Span;

#[cfg(target_os = "linux")]
use crate::file::KernelFile;

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
    let file = KernelFile::open(c"/proc/self/pagemap")?;
    let page = crate::limits::page_size();
    let start = span.start.addr().get();
    let first = start / page;
    Some(count(&file, first, (start + span.bytes).div_ceil(page) - first, all)? * page)
}

/// How many of `pages` pages from number `first` on have all these bits. The file has an entry for each
/// page of the process.
#[cfg(target_os = "linux")]
fn count(file: &KernelFile, first: usize, pages: usize, all: u64) -> Option<usize> {
    /// Entries that are read at once: they lie on the stack, and slow paths may run on
    /// small ones.
    const ENTRIES: usize = 256;
    let mut entries = [0_u64; ENTRIES];
    let mut resident = 0;
    for done in (0..pages).step_by(ENTRIES) {
        let entries = entries.get_mut(..ENTRIES.min(pages - done))?;
        if !file.read_entries(entries, first + done) {
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
