//! Moving pages from one place to another without copying.

use core::ptr::NonNull;

use hmm_core::Span;

use crate::errno::Errno;
use crate::reserve::map_at;
use crate::{huge, limits};

/// How many mappings the process may have before pages are copied instead.
/// Linux allows 65530 by default, and each move may split one in three.
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
    /// zero. `false`: nothing was moved, and `to` may be empty. `again`: some
    /// of `from` was moved there, so it may consist of several mappings.
    ///
    /// # Safety
    ///
    /// Both ranges are ours, disjoint, and of whole OS pages; nothing lives at
    /// `to`.
    pub(crate) unsafe fn move_pages(&mut self, from: Span, to: NonNull<u8>, again: bool) -> bool {
        let _errno = Errno::keep();
        // What was advised differently is several mappings, too.
        let several = again || huge::are_wanted();
        if self.unsupported || several && !limits::moves_across_mappings() || !self.may_move() {
            return false;
        }
        let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED | libc::MREMAP_DONTUNMAP;
        let old = from.start.as_ptr().cast::<libc::c_void>();
        let new = to.as_ptr().cast::<libc::c_void>();
        // SAFETY: the caller's promise. The old place stays mapped, so no
        // other thread's mapping can slip in between.
        let moved = unsafe { libc::mremap(old, from.bytes, from.bytes, flags, new) };
        if moved == libc::MAP_FAILED {
            // Kernels before 5.7 do not know DONTUNMAP (EINVAL). A run that
            // spans several mappings (EFAULT), a filter, or a lack of memory
            // may pass.
            self.unsupported = crate::errno::get() == libc::EINVAL;
            // The kernel may have unmapped the target before it found out.
            // Where it did not, this does nothing.
            map_at(to.as_ptr(), from.bytes);
            return false;
        }
        self.left -= 1;
        remap(from);
        true
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

/// Maps the emptied range anew, so that it merges with its neighbours: what
/// was moved in before would stay a mapping of its own.
#[cfg(target_os = "linux")]
fn remap(empty: Span) {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    let start = empty.start.as_ptr().cast();
    // Kernels before 6.12 may leave a hole when they fail, for want of memory
    // of their own. Then once more, until they do not; if the old mapping is
    // still there, all is well. A filter's refusal leaves it there.
    // SAFETY: the range is ours and empty.
    while unsafe { libc::mmap(start, empty.bytes, access, flags, -1, 0) } == libc::MAP_FAILED {
        let lacks_memory = || crate::errno::get() == libc::ENOMEM;
        // SAFETY: likewise; this asks whether all of it is mapped.
        if !lacks_memory() || unsafe { libc::mprotect(start, empty.bytes, access) } == 0 || !lacks_memory() {
            return;
        }
    }
    // Else it would differ from its neighbours once more. A heap whose pages
    // are moved is not small.
    huge::advise(empty.start.as_ptr(), empty.bytes, usize::MAX);
}

/// The mappings of this process, by number; `None` if the system does not say.
#[cfg(target_os = "linux")]
fn mappings() -> Option<usize> {
    // Not by libc's functions: those may be others', or where a thread is
    // cancelled, and the heap is locked.
    let path = c"/proc/self/maps".as_ptr();
    // SAFETY: the path is a C string.
    let file = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path, libc::O_RDONLY | libc::O_CLOEXEC) };
    if file < 0 {
        return None;
    }
    let mut text = [0_u8; 1024];
    let mut lines = 0;
    loop {
        // SAFETY: the buffer is ours and this long.
        let read = unsafe { libc::syscall(libc::SYS_read, file, text.as_mut_ptr(), text.len()) };
        match usize::try_from(read) {
            Ok(read) if read > 0 => lines += text.iter().take(read).filter(|&&byte| byte == b'\n').count(),
            _ => break,
        }
    }
    // SAFETY: opened above.
    unsafe { libc::syscall(libc::SYS_close, file) };
    Some(lines)
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
    pub(crate) unsafe fn move_pages(&mut self, _: Span, _: NonNull<u8>, _: bool) -> bool {
        let _ = (self.left, self.refused, self.unsupported);
        false
    }
}
