//! The reserve: mapped memory for when the break is refused.
//!
//! ```text
//!   place                        top              place + room
//!     | ours …                    |  free addresses  |
//! ```
//!
//! A place with much free address space above it is found once, and memory is
//! mapped there upward, step by step, so that no large mapping has to be
//! reserved ahead: under a limit on address space none could be. The kernel
//! places other mappings downward from the far end of such a hole. If the
//! next step is taken nevertheless, another place is found.

use core::ptr::{self, NonNull};

use hmm_core::{Grown, Span};

use crate::errno::Errno;
use crate::limits;

/// The least to grow by.
const STEP: usize = 4 * 1024 * 1024;

/// Our mapped memory.
#[derive(Debug)]
pub(crate) struct Reserve {
    /// Where the next step goes; null before there is a place.
    top: *mut u8,
    /// Where the free addresses of the place end.
    end: usize,
    /// Bytes we have.
    bytes: usize,
}

// SAFETY: the addresses are the process's; no thread is special to them.
unsafe impl Send for Reserve {}

impl Reserve {
    pub(crate) const fn new() -> Self {
        Self { top: ptr::null_mut(), end: 0, bytes: 0 }
    }

    /// Bytes we have.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether what ends at `end` ends our part.
    pub(crate) fn ends_at(&self, end: usize) -> bool {
        self.top.addr() == end && end != 0
    }

    /// At least `min` more bytes, aligned at both ends.
    pub(crate) fn grow(&mut self, min: usize, align: usize) -> Option<Grown> {
        let _errno = Errno::keep();
        let min = min.checked_next_multiple_of(align)?;
        let step = STEP.max(self.bytes / 8).checked_next_multiple_of(align)?;
        self.steps(min, step, align).or_else(|| {
            self.find_place(min, align)?;
            self.steps(min, step, align)
        })
    }

    /// Grows in place by `step` bytes, or less, but at least `min`.
    fn steps(&mut self, min: usize, step: usize, align: usize) -> Option<Grown> {
        let mut want = min.max(step);
        let room = self.end.checked_sub(self.top.addr())?;
        loop {
            if want <= room {
                if let Some(start) = map_at(self.top, want) {
                    self.top = self.top.wrapping_add(want);
                    self.bytes += want;
                    return Some(Grown { span: Span { start, bytes: want }, room, zeroed: true });
                }
            }
            if want == min {
                return None;
            }
            want = min.max((want / 2).next_multiple_of(align));
        }
    }

    /// Finds a place with free addresses, as many as can be had.
    fn find_place(&mut self, min: usize, align: usize) -> Option<()> {
        let least = min.checked_add(align)?;
        let mut room = limits::address_room().max(least);
        loop {
            if let Some(hole) = map(ptr::null_mut(), room, libc::PROT_NONE, libc::MAP_NORESERVE) {
                // SAFETY: the mapping was made just now; it only served to
                // find the hole.
                unsafe { libc::munmap(hole.as_ptr().cast(), room) };
                let start = hole.as_ptr();
                let pad = start.addr().wrapping_neg() & (align - 1);
                self.top = start.wrapping_add(pad);
                self.end = start.addr() + room;
                return Some(());
            }
            if room == least {
                return None;
            }
            room = least.max(room / 2);
        }
    }

    /// Unmaps our last `bytes` bytes, those from `start` on.
    ///
    /// # Safety
    ///
    /// Nothing lives there, and they end at our top.
    pub(crate) unsafe fn shrink(&mut self, start: NonNull<u8>, bytes: usize) -> bool {
        let _errno = Errno::keep();
        // SAFETY: the caller's promise.
        if unsafe { libc::munmap(start.as_ptr().cast(), bytes) } != 0 {
            return false;
        }
        self.top = start.as_ptr();
        self.bytes -= bytes;
        true
    }
}

/// A private anonymous mapping.
pub(crate) fn map(at: *mut u8, bytes: usize, access: libc::c_int, flags: libc::c_int) -> Option<NonNull<u8>> {
    let flags = flags | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: without MAP_FIXED, which no caller passes, the kernel never
    // replaces a mapping.
    let mapped = unsafe { libc::mmap(at.cast(), bytes, access, flags, -1, 0) };
    if mapped == libc::MAP_FAILED { None } else { NonNull::new(mapped.cast()) }
}

/// Maps `bytes` bytes exactly at `at`, if nothing is there.
fn map_at(at: *mut u8, bytes: usize) -> Option<NonNull<u8>> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let mapped = map(at, bytes, access, libc::MAP_FIXED_NOREPLACE)
        // Kernels before 4.17 and some emulators know no NOREPLACE.
        .or_else(|| map(at, bytes, access, 0))?;
    if mapped.as_ptr() == at {
        return Some(mapped);
    }
    // SAFETY: the mapping was made just now, in the wrong place.
    unsafe { libc::munmap(mapped.as_ptr().cast(), bytes) };
    None
}
