//! Lines on stderr, without allocating.

use core::fmt::{self, Write};
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

use hmm_core::Misuse;

use crate::errno::Errno;

const STDOUT: libc::c_int = 1;
const STDERR: libc::c_int = 2;

/// What descriptor 2 was when the program began: its device and inode, mixed;
/// 0 before [`begin`], [`CLOSED`] if it was closed.
static AT_START: AtomicU64 = AtomicU64::new(0);

const CLOSED: u64 = 1;

/// What a descriptor is now, and its kind.
fn identity(descriptor: libc::c_int) -> Option<(u64, libc::mode_t)> {
    // SAFETY: all zero is a valid `stat`.
    let mut stat: libc::stat = unsafe { core::mem::zeroed() };
    // SAFETY: the kernel fills in the structure, which is ours.
    if unsafe { fstat(descriptor, &raw mut stat) } != 0 {
        return None;
    }
    let mixed = (stat.st_dev as u64).rotate_left(32) ^ stat.st_ino as u64;
    Some((mixed.max(CLOSED + 1), stat.st_mode & libc::S_IFMT))
}

/// Not by libc's function: sanitizers take its place, and allocate before theirs can be called. (Elsewhere the
/// kernel's structure is another than libc's.)
///
/// # Safety
///
/// As the system call.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
unsafe fn fstat(descriptor: libc::c_int, stat: *mut libc::stat) -> libc::c_long {
    // SAFETY: the caller's promise.
    unsafe { libc::syscall(libc::SYS_fstat, descriptor, stat) }
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
use libc::fstat;

/// Finds out whether there is a stderr. The earlier it is called, the better;
/// later calls do nothing.
pub(crate) fn begin() {
    if AT_START.load(Relaxed) == 0 {
        let _errno = Errno::keep();
        AT_START.store(identity(STDERR).map_or(CLOSED, |(id, _)| id), Relaxed);
    }
}

/// Whether descriptor 2 is ours to write to: what it was at the start, or
/// something that a program would put in its place for messages. A file of its
/// own that happened to get the number is not.
fn is_ours() -> bool {
    begin();
    let at_start = AT_START.load(Relaxed);
    match identity(STDERR) {
        Some((id, _)) if id == at_start => true,
        Some(_) if at_start == CLOSED => false,
        Some((_, libc::S_IFCHR | libc::S_IFIFO)) => true,
        // SAFETY: asks for a descriptor's flags.
        Some((_, libc::S_IFREG)) if unsafe { libc::fcntl(STDERR, libc::F_GETFL) } & libc::O_APPEND != 0 => true,
        Some((id, kind)) => is_stdout(id, kind),
        None => false,
    }
}

/// Whether descriptor 2, which is `id` now, is a copy of 1: both were sent to the same place on purpose. Files
/// that were opened twice differ in where they are written to, unless that is their beginning.
fn is_stdout(id: u64, kind: libc::mode_t) -> bool {
    // SAFETY: asks for a descriptor's place.
    let [stdout, stderr] = [STDOUT, STDERR].map(|descriptor| unsafe { libc::lseek(descriptor, 0, libc::SEEK_CUR) });
    identity(STDOUT).is_some_and(|(other, _)| other == id) && (kind != libc::S_IFREG || stdout == stderr && stderr > 0)
}

/// Writes bytes to a descriptor. Not by libc's `write`, where a thread may be
/// cancelled.
#[cfg(target_os = "linux")]
fn write(descriptor: libc::c_int, bytes: &[u8]) -> isize {
    // SAFETY: the bytes are ours and this long.
    unsafe { libc::syscall(libc::SYS_write, descriptor, bytes.as_ptr(), bytes.len()) as isize }
}

/// Writes bytes to a descriptor.
#[cfg(not(target_os = "linux"))]
fn write(descriptor: libc::c_int, bytes: &[u8]) -> isize {
    // SAFETY: the bytes are ours and this long.
    unsafe { libc::write(descriptor, bytes.as_ptr().cast(), bytes.len()) }
}

/// Where lines go: an open file.
#[derive(Clone, Copy, Debug)]
pub struct Output(libc::c_int);

impl Output {
    /// The open file `descriptor`, if it is what stderr was when the program began.
    pub fn as_at_start(descriptor: libc::c_int) -> Option<Self> {
        let _errno = Errno::keep();
        let (id, _) = identity(descriptor)?;
        (id == AT_START.load(Relaxed)).then_some(Self(descriptor))
    }

    /// stderr, for what the program did not ask for; `None` if descriptor 2 may be something
    /// else than a place for messages.
    pub fn stderr() -> Option<Self> {
        let _errno = Errno::keep();
        is_ours().then_some(Self(STDERR))
    }

    /// stderr, for what the program asked to be written there: whatever descriptor 2 is now. `None`
    /// if there was none when the program began.
    pub fn stderr_as_asked() -> Option<Self> {
        begin();
        (AT_START.load(Relaxed) != CLOSED).then_some(Self(STDERR))
    }

    /// Writes one line, with `hmm: ` in front, without allocating.
    pub fn line(self, line: fmt::Arguments<'_>) {
        let _errno = Errno::keep();
        let mut buffer = Buffer { output: self, text: [0; 512], length: 0 };
        // The buffer takes everything; a `Display` that fails ends the text.
        let _ = buffer.write_fmt(format_args!("hmm: {line}\n"));
        buffer.flush();
    }
}

/// Text on its way out, on the stack.
struct Buffer {
    output: Output,
    text: [u8; 512],
    length: usize,
}

impl Buffer {
    fn flush(&mut self) {
        let mut rest = &self.text[..self.length.min(self.text.len())];
        while !rest.is_empty() {
            let written = write(self.output.0, rest);
            match usize::try_from(written) {
                Ok(written) if written > 0 => rest = rest.get(written..).unwrap_or(&[]),
                _ if written < 0 && crate::errno::get() == libc::EINTR => {}
                _ => break,
            }
        }
        self.length = 0;
    }
}

impl Write for Buffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for &byte in text.as_bytes() {
            if self.length == self.text.len() {
                self.flush();
            }
            if let Some(place) = self.text.get_mut(self.length) {
                *place = byte;
                self.length += 1;
            }
        }
        Ok(())
    }
}

/// Writes one line to stderr, with `hmm: ` in front, if there is a stderr.
pub fn report(line: fmt::Arguments<'_>) {
    if let Some(stderr) = Output::stderr() {
        stderr.line(line);
    }
}

/// Ends the program over a misuse of the heap: one line, then `abort`.
#[cold]
pub(crate) fn misuse(misuse: Misuse) -> ! {
    report(format_args!("{misuse}"));
    // SAFETY: always callable; ends the process.
    unsafe { libc::abort() }
}
