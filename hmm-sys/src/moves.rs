//! Moving pages from one place to another without copying.
//!
//! ```text
//!              from           to
//!   before     | A | B |      | ? | ? |
//!   mmap       | A | B |      | 0 | 0 |     asks for as much as mremap will
//!   mremap     |   |   |      | A | B |     the old place stays mapped, so nobody else can take it
//!   mmap       | 0 | 0 |      | A | B |     one mapping with its neighbours again
//! ```
//!
//! What fails in between is taken back; where there is no memory for that, `to` is lost.

use core::ptr::NonNull;

use hmm_core::{Moved, Span};

use crate::errno::Errno;
#[cfg(target_os = "linux")]
use crate::file::KernelFile;
use crate::reserve::map_at;
use crate::{huge, limits};

/// How many mappings the process may have before pages are copied instead.
/// Linux allows 65530 by default, and each move may split one into three.
const MOST_MAPPINGS: usize = 32_000;

/// After so many moves the mappings are counted.
const MOVES_BETWEEN_COUNTS: usize = 1000;

/// Moves pages as long as the kernel can and mappings are left.
#[derive(Debug)]
pub(crate) struct Moves {
    left: usize,
    /// Moves asked for since there were too many mappings.
    refused: usize,
    unsupported: bool,
}

#[cfg(target_os = "linux")]
impl Moves {
    pub(crate) const fn new() -> Self {
        Self { left: MOVES_BETWEEN_COUNTS, refused: 0, unsupported: false }
    }

    /// Moves the pages of `from` to `to`; `from` stays mapped and reads as
    /// zero. `again`: some of `from` was moved there, so it may consist of
    /// several mappings.
    ///
    /// # Safety
    ///
    /// Both ranges are ours, disjoint, and of whole OS pages; nothing lives at
    /// `to`.
    pub(crate) unsafe fn move_pages(&mut self, from: Span, to: NonNull<u8>, again: bool) -> Moved {
        let _errno = Errno::keep();
        // What was advised differently is several mappings, too.
        let several = again || huge::are_wanted();
        if self.unsupported || several && !limits::moves_across_mappings() || !self.may_move() {
            return Moved::No;
        }
        let to = Span { start: to, bytes: from.bytes };
        // The kernel unmaps the target before it asks whether the process may have as much as it has. This asks the
        // same and, where it is refused, leaves what was there.
        let is_fresh = map_anew(to);
        if is_fresh && mremap(from, to) {
            self.left -= 1;
            remap(from);
            return Moved::Yes;
        }
        let error = match crate::errno::get() {
            // Kernels before 5.7 do not know DONTUNMAP.
            libc::EINVAL => {
                self.unsupported = true;
                advise(to);
                return Moved::No;
            }
            error => error,
        };
        // A lack of memory or mappings, several mappings, or a filter: it may pass in a while.
        (self.left, self.refused) = (0, 1);
        match error {
            // These come before anything is done.
            libc::EPERM | libc::EACCES | libc::ENOSYS => {
                advise(to);
                Moved::No
            }
            // Such a kernel moves all or nothing, but has unmapped the target by then.
            _ if is_fresh && !limits::moves_across_mappings() => Moved::Lost,
            _ => {
                if is_fresh {
                    take_back(from, to);
                }
                mend(to)
            }
        }
    }

    /// Whether there are mappings left for another move.
    fn may_move(&mut self) -> bool {
        if self.left > 0 {
            return true;
        }
        if self.refused % MOVES_BETWEEN_COUNTS == 0 && mappings().is_some_and(|count| count < MOST_MAPPINGS) {
            self.left = MOVES_BETWEEN_COUNTS;
            self.refused = 0;
            return true;
        }
        self.refused += 1;
        false
    }
}

#[cfg(target_os = "linux")]
const ACCESS: libc::c_int = libc::PROT_READ | libc::PROT_WRITE;

/// Moves the mappings of `from`, ours, to `to`, ours and empty. The old place stays mapped, so that no other
/// thread's mapping can slip in between.
#[cfg(target_os = "linux")]
fn mremap(from: Span, to: Span) -> bool {
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED | libc::MREMAP_DONTUNMAP;
    let (old, new) = (from.start.as_ptr().cast::<libc::c_void>(), to.start.as_ptr().cast::<libc::c_void>());
    // SAFETY: both ranges are ours, and `to` is empty.
    unsafe { libc::mremap(old, from.bytes, from.bytes, flags, new) != libc::MAP_FAILED }
}

/// Puts fresh memory, zero, in the place of what is mapped at `span`, ours and empty.
#[cfg(target_os = "linux")]
fn map_anew(span: Span) -> bool {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    // SAFETY: the range is ours and empty.
    unsafe { libc::mmap(span.start.as_ptr().cast(), span.bytes, ACCESS, flags, -1, 0) != libc::MAP_FAILED }
}

/// Lets what was mapped anew have huge pages, or not, as the rest of the heap. (One whose pages are moved is not small.)
#[cfg(target_os = "linux")]
fn advise(span: Span) {
    huge::advise(span.start.as_ptr(), span.bytes, usize::MAX);
}

/// Whether all of these bytes, ours, are mapped.
#[cfg(target_os = "linux")]
fn is_mapped(start: *mut u8, bytes: usize) -> bool {
    // (A filter's refusal tells nothing.)
    // SAFETY: this changes nothing where memory of ours is, or nothing.
    bytes == 0 || unsafe { libc::mprotect(start.cast(), bytes, ACCESS) } == 0 || crate::errno::get() != libc::ENOMEM
}

/// Bytes of `span` up to the first that is not mapped.
#[cfg(target_os = "linux")]
fn mapped_part(span: Span) -> usize {
    let page = limits::page_size();
    first(span.bytes / page, |n| !is_mapped(span.start.as_ptr(), (n + 1) * page)) * page
}

/// Puts back what of a move was done before it failed: of several mappings the kernel moves one after the other.
/// `to` was zero.
#[cfg(target_os = "linux")]
fn take_back(from: Span, to: Span) {
    let mapped = mapped_part(to);
    for offset in (0..mapped).step_by(size_of::<usize>()) {
        let at = |span: Span| span.start.as_ptr().wrapping_add(offset).cast::<usize>();
        // SAFETY: mapped, and ours (but see `mend`).
        let word = unsafe { at(to).read() };
        // What is not zero came from the source, which stayed mapped and was zero then.
        if word != 0 {
            // SAFETY: the source is the caller's.
            unsafe { at(from).write(word) };
        }
    }
    // It would stay a mapping of its own, with memory behind it.
    map_anew(Span { bytes: mapped, ..to });
}

/// Maps what is missing of `to`: before the kernel moves a mapping, it unmaps what was in its place. (What another
/// thread maps there in that moment is taken for ours: docs/reliability.md, known limits.)
#[cfg(target_os = "linux")]
fn mend(to: Span) -> Moved {
    let page = limits::page_size();
    let mapped = mapped_part(to);
    let start = to.start.as_ptr().wrapping_add(mapped);
    let rest = to.bytes - mapped;
    let missing = first(rest / page, |n| is_mapped(start.wrapping_add(n * page), rest - n * page)) * page;
    if missing > 0 && map_at(start, missing).is_none() {
        return Moved::Lost;
    }
    advise(to);
    Moved::No
}

/// The first of the numbers below `end` for which `holds` is true, as it then is for all that follow; `end` if there is
/// none.
#[cfg(target_os = "linux")]
fn first(end: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, end);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// Maps the emptied range anew, so that it merges with its neighbours: what
/// was moved in before would stay a mapping of its own.
#[cfg(target_os = "linux")]
fn remap(empty: Span) {
    // Kernels before 6.12 may leave a hole when they fail, for want of memory
    // of their own. Then once more, until they do not; if the old mapping is
    // still there, all is well. A filter's refusal leaves it there.
    while !map_anew(empty) {
        if crate::errno::get() != libc::ENOMEM || is_mapped(empty.start.as_ptr(), empty.bytes) {
            return;
        }
    }
    // Else it would differ from its neighbours once more.
    advise(empty);
}

/// The mappings of this process, by number; `None` if the system does not say.
#[cfg(target_os = "linux")]
fn mappings() -> Option<usize> {
    let file = KernelFile::open(c"/proc/self/maps")?;
    let mut text = [0_u8; 1024];
    let mut lines = 0;
    loop {
        match file.read(&mut text) {
            [] => return Some(lines),
            read => lines += read.iter().filter(|&&byte| byte == b'\n').count(),
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Moves {
    pub(crate) const fn new() -> Self {
        Self { left: 0, refused: MOST_MAPPINGS.min(MOVES_BETWEEN_COUNTS), unsupported: true }
    }

    /// Moves nothing: this system cannot.
    ///
    /// # Safety
    ///
    /// None needed.
    pub(crate) unsafe fn move_pages(&mut self, _: Span, _: NonNull<u8>, _: bool) -> Moved {
        let _ = (self.left, self.refused, self.unsupported);
        Moved::No
    }
}
