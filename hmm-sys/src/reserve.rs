//! The reserve: mapped memory for when the break is refused, or is not ours.
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

use crate::errno::{self, Errno};
use crate::limits;
use crate::step::Step;

/// Our mapped memory.
#[derive(Debug)]
pub(crate) struct Reserve {
    /// Where the next step goes; null before there is a place.
    top: *mut u8,
    /// Where the free addresses of the place end.
    end: usize,
    /// Bytes we have.
    bytes: usize,
    step: Step,
}

// SAFETY: the addresses are the process's; no thread is special to them.
unsafe impl Send for Reserve {}

impl Reserve {
    pub(crate) const fn new() -> Self {
        Self { top: ptr::null_mut(), end: 0, bytes: 0, step: Step::new() }
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
        let mut place = Place { top: self.top, end: self.end };
        let mut mapped = place.map(min, align, self.bytes, &mut self.step);
        if mapped == Err(Refused::Place) {
            place = Place::find(min, align)?;
            // Another place becomes ours only with memory in it, if there is some in the one before: what
            // does not fit anywhere must not cost us the good one.
            if self.bytes == 0 {
                (self.top, self.end) = (place.top, place.end);
            }
            mapped = place.map(min, align, self.bytes, &mut self.step);
        }
        let bytes = mapped.ok()?;
        (self.top, self.end) = (place.top.wrapping_add(bytes), place.end);
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

/// What stands against a mapping: somebody else's in its place, or too little room there; or there is no memory,
/// wherever it were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    Place,
    Memory,
}

impl Place {
    /// Maps a step at `top`, for a reserve that has `bytes` bytes, or if that is refused, `min`. Returns how
    /// many.
    fn map(self, min: usize, align: usize, bytes: usize, step: &mut Step) -> Result<usize, Refused> {
        let room = self.end.saturating_sub(self.top.addr()) & !(align - 1);
        if room < min {
            return Err(Refused::Place);
        }
        let mut want = step.bytes(min, bytes, align).min(room);
        loop {
            if map_at(self.top, want).is_some() {
                step.granted(want, bytes + want);
                return Ok(want);
            }
            let is_taken = errno::get() == libc::EEXIST;
            if !is_taken {
                step.refused(want);
            }
            if want == min {
                return Err(if is_taken { Refused::Place } else { Refused::Memory });
            }
            want = min;
        }
    }

    /// A place with as many free addresses as can be had, at least `min`.
    fn find(min: usize, align: usize) -> Option<Self> {
        let least = min.checked_add(align)?;
        // If not even so much can be had, nobody is asked for more.
        let place = Self::hole(least, align)?;
        let rooms = core::iter::successors(Some(limits::address_room()), |room| Some(room / 2));
        let larger = rooms.take_while(|&room| room > least).find_map(|room| Self::hole(room, align));
        Some(larger.unwrap_or(place))
    }

    /// Where `room` bytes of addresses are free.
    fn hole(room: usize, align: usize) -> Option<Self> {
        let start = map(ptr::null_mut(), room, libc::PROT_NONE, libc::MAP_NORESERVE)?.as_ptr();
        // SAFETY: the mapping was made just now; it only served to
        // find the hole.
        unsafe { libc::munmap(start.cast(), room) };
        let pad = start.addr().wrapping_neg() & (align - 1);
        Some(Self { top: start.wrapping_add(pad), end: start.addr() + room })
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

/// Maps `bytes` bytes exactly at `at`; where something is there, `errno` says so (`EEXIST`).
pub(crate) fn map_at(at: *mut u8, bytes: usize) -> Option<NonNull<u8>> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let mapped = map(at, bytes, access, libc::MAP_FIXED_NOREPLACE).or_else(|| {
        // Kernels before 4.17 take no note of NOREPLACE; some emulators refuse it.
        let unknown = matches!(errno::get(), libc::EINVAL | libc::EOPNOTSUPP);
        if unknown { map(at, bytes, access, 0) } else { None }
    })?;
    if mapped.as_ptr() == at {
        return Some(mapped);
    }
    // SAFETY: the mapping was made just now, in the wrong place.
    unsafe { libc::munmap(mapped.as_ptr().cast(), bytes) };
    errno::set(libc::EEXIST);
    None
}
