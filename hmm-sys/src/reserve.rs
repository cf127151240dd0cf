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
        let here = Place { top: self.top, end: self.end };
        // Another place becomes ours only with memory in it: what does not fit
        // anywhere must not cost us the good one.
        let (place, bytes) = here.map(min, step, align).or_else(|| Place::find(min, align)?.map(min, step, align))?;
        self.top = place.top.wrapping_add(bytes);
        self.end = place.end;
        self.bytes += bytes;
        let start = NonNull::new(place.top)?;
        let room = place.end - place.top.addr();
        Some(Grown { span: Span { start, bytes }, room, zeroed: true })
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

/// Free addresses from `top` to `end`.
#[derive(Clone, Copy)]
struct Place {
    top: *mut u8,
    end: usize,
}

impl Place {
    /// Maps `step` bytes at `top`, or less, but at least `min`. Returns how
    /// many.
    fn map(self, min: usize, step: usize, align: usize) -> Option<(Self, usize)> {
        let room = self.end.checked_sub(self.top.addr())?;
        let mut want = min.max(step);
        loop {
            if want <= room && map_at(self.top, want).is_some() {
                return Some((self, want));
            }
            if want == min {
                return None;
            }
            want = min.max((want / 2).next_multiple_of(align));
        }
    }

    /// A place with as many free addresses as can be had, at least `min`.
    fn find(min: usize, align: usize) -> Option<Self> {
        let least = min.checked_add(align)?;
        let mut room = limits::address_room().max(least);
        loop {
            if let Some(hole) = map(ptr::null_mut(), room, libc::PROT_NONE, libc::MAP_NORESERVE) {
                // SAFETY: the mapping was made just now; it only served to
                // find the hole.
                unsafe { libc::munmap(hole.as_ptr().cast(), room) };
                let start = hole.as_ptr();
                let pad = start.addr().wrapping_neg() & (align - 1);
                return Some(Self { top: start.wrapping_add(pad), end: start.addr() + room });
            }
            if room == least {
                return None;
            }
            room = least.max(room / 2);
        }
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
pub(crate) fn map_at(at: *mut u8, bytes: usize) -> Option<NonNull<u8>> {
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
