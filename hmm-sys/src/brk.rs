//! The break: the memory behind the program's data, moved by `sbrk`.
//!
//! ```text
//!   | ours      | foreign | ours             | slack |
//!                                       top ─┘       └─ break, if others moved it
//! ```
//!
//! The break belongs to the whole process. Anyone may move it: each call asks
//! where it is now, what others took shows up as a gap, and it is lowered only
//! while it is still where we left it.
//!
//! All that does not help where another thread moves it at the same moment: `sbrk` takes no
//! lock, and both get the same memory. Who moves it as a matter of course is libc's `malloc`. So
//! it is ours only where we have that one's place: not in Rust programs, nor in plugins.

use core::ffi::c_void;
use core::ptr::NonNull;

use hmm_core::Span;

use crate::errno::Errno;
use crate::step::Step;
use crate::{huge, weak};

/// Our part of the break.
#[derive(Debug)]
pub(crate) struct Break {
    /// Where what we have ends; 0 if the break is not known to be at our end:
    /// before the first growth, and when others' memory is below it.
    top: usize,
    /// Where our last unbroken piece begins.
    piece: usize,
    /// Bytes we have.
    bytes: usize,
    step: Step,
    /// Somebody lowered the break into our memory: hands off from now on.
    lost: bool,
}

/// Whether the process's `malloc`, the one that libc and everybody call, is this heap's. (`hmm-preload` names its
/// own by another name, too, that nobody outside sees.) If not, the reserve serves as well. Not with musl: it has
/// another `malloc` inside for itself, which remembers where the break was, and sets it there.
fn is_ours() -> bool {
    let known = cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) && !cfg!(target_env = "musl");
    known && weak!("hmm_own_malloc") == libc::malloc as *const c_void
}

/// Moves the break by `delta` bytes and returns where it was.
fn move_by(delta: isize) -> Option<NonNull<u8>> {
    // Through libc: it caches where the break is, and the raw system call
    // behind its back would have it shrink the heap under us.
    // SAFETY: moving the break up adds memory nobody has; the caller lowers
    // it only over memory of its own.
    let was = unsafe { libc::sbrk(delta as libc::intptr_t) };
    // A filter's answer to the system call is an error number, which libc
    // takes for the new break, and says that all is well.
    // SAFETY: tells where libc thinks the break is.
    if is_error(was.addr()) || is_error(unsafe { libc::sbrk(0) }.addr()) { None } else { NonNull::new(was.cast()) }
}

/// Whether what a system call returned, or libc made of it, is an error number.
fn is_error(address: usize) -> bool {
    address >= 4096_usize.wrapping_neg()
}

impl Break {
    pub(crate) const fn new() -> Self {
        Self { top: 0, piece: 0, bytes: 0, step: Step::new(), lost: false }
    }

    /// Bytes we have.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether what ends at `end` ends our part.
    pub(crate) fn ends_at(&self, end: usize) -> bool {
        self.top == end && end != 0
    }

    /// At least `min` more bytes, aligned at both ends; in steps that grow
    /// with the heap, or no more than that where those are refused. After the first, they
    /// end where a huge page may end, so that each part of the heap can become one.
    pub(crate) fn grow(&mut self, min: usize, align: usize) -> Option<Span> {
        if !is_ours() {
            return None;
        }
        let _errno = Errno::keep();
        let min = min.checked_next_multiple_of(align)?;
        let mut want = self.step.bytes(min, self.bytes, align);
        if self.bytes > 0 && self.step.is_whole() {
            let end = self.top.checked_add(want)?;
            want += end.checked_next_multiple_of(huge::BYTES)? - end;
        }
        while !self.lost {
            let pad = move_by(0)?.addr().get().wrapping_neg() & (align - 1);
            let delta = isize::try_from(want.checked_add(pad)?).ok()?;
            match move_by(delta) {
                Some(was) => match self.accept(was, delta as usize, align) {
                    Some(span) if span.bytes >= min => {
                        self.step.granted(span.bytes, self.bytes);
                        return Some(span);
                    }
                    // Others moved the break between our two calls and what
                    // is left is too short. It stays a hole.
                    _ => {}
                },
                None => {
                    self.step.refused(want);
                    if want == min {
                        return None;
                    }
                    want = min;
                }
            }
        }
        None
    }

    /// What of the `bytes` bytes from `was` on is ours, whole pages of it.
    fn accept(&mut self, was: NonNull<u8>, bytes: usize, align: usize) -> Option<Span> {
        let at = was.addr().get();
        if at < self.top {
            self.lost = true;
            return None;
        }
        let start = at.checked_next_multiple_of(align)?;
        let end = (at + bytes) & !(align - 1);
        let length = end.checked_sub(start).filter(|&length| length > 0)?;
        if start != self.top {
            self.piece = start;
        }
        self.top = end;
        self.bytes += length;
        // SAFETY: `start` lies within the bytes that `sbrk` just added.
        let start = unsafe { was.add(start - at) };
        Some(Span { start, bytes: length })
    }

    /// Lowers the break by our last `bytes` bytes, if it is still ours.
    ///
    /// # Safety
    ///
    /// Nothing lives there, and they end at our top.
    pub(crate) unsafe fn shrink(&mut self, bytes: usize) -> bool {
        let _errno = Errno::keep();
        let Ok(delta) = isize::try_from(bytes) else { return false };
        if self.lost || move_by(0).is_none_or(|now| now.addr().get() != self.top) {
            return false;
        }
        match move_by(-delta) {
            None => false,
            Some(was) if was.addr().get() == self.top => {
                self.top -= bytes;
                self.bytes -= bytes;
                if self.top <= self.piece {
                    self.top = 0;
                }
                true
            }
            // Somebody raised the break between our two calls: give it back.
            Some(_) => {
                move_by(delta);
                false
            }
        }
    }
}
