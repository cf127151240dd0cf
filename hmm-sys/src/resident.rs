//! What the kernel says memory is behind.

use hmm_core::Span;

/// Pages that are asked for at once: their answers lie on the stack, and slow
/// paths may run on small ones.
#[cfg(target_os = "linux")]
const PAGES: usize = 2048;

/// Bytes of `span` that memory is behind, whole pages of the system's; `None` if
/// the kernel does not tell.
#[cfg(target_os = "linux")]
pub(crate) fn bytes(span: Span) -> Option<usize> {
    let _errno = crate::errno::Errno::keep();
    let page = crate::limits::page_size();
    let start = span.start.as_ptr();
    let before = start.addr() % page;
    let pages = (before + span.bytes).div_ceil(page);
    let start = start.wrapping_sub(before);
    let mut resident = 0;
    for first in (0..pages).step_by(PAGES) {
        let count = PAGES.min(pages - first);
        let mut answers = [0_u8; PAGES];
        let at = start.wrapping_add(first * page);
        // SAFETY: the kernel writes a byte for each page of the range, which has
        // no more than `answers`, and only looks at its own tables for it.
        if unsafe { libc::mincore(at.cast(), count * page, answers.as_mut_ptr()) } != 0 {
            return None;
        }
        resident += answers.iter().take(count).filter(|&&answer| answer & 1 != 0).count();
    }
    Some(resident * page)
}

/// Other systems are not asked.
#[cfg(not(target_os = "linux"))]
pub(crate) fn bytes(_: Span) -> Option<usize> {
    None
}
