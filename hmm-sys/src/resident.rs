//! What the kernel says memory is behind.

use hmm_core::Span;

#[cfg(target_os = "linux")]
use crate::file::KernelFile;

/// What the kernel says of a page: that there is one, be it the page of zeros that all addresses share which
/// were only read.
const PRESENT: u64 = 1 << 63;

/// Bytes of `span` with pages behind them, whole pages of the system's; `None` if the kernel does not tell.
///
/// The heap asks while it is at work, though seldom: the file has a number for that long which the program may
/// miss, or take for one of its own. `mincore` would tell as well, but sandboxes for services leave it out and end
/// programs for it; files they may read.
#[cfg(target_os = "linux")]
pub(crate) fn bytes(span: Span) -> Option<usize> {
    let _errno = crate::errno::Errno::keep();
    let file = KernelFile::open(c"/proc/self/pagemap")?;
    let page = crate::limits::page_size();
    let start = span.start.addr().get();
    let first = start / page;
    Some(count(&file, first, (start + span.bytes).div_ceil(page) - first)? * page)
}

/// How many of `pages` pages from number `first` on are there. The file has an entry for each page of the
/// process.
#[cfg(target_os = "linux")]
fn count(file: &KernelFile, first: usize, pages: usize) -> Option<usize> {
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
        resident += entries.iter().filter(|&&entry| entry & PRESENT != 0).count();
    }
    Some(resident)
}

/// Other systems are not asked.
#[cfg(not(target_os = "linux"))]
pub(crate) fn bytes(_: Span) -> Option<usize> {
    None
}
