//! Lines on stderr, without allocating.

use core::fmt::{self, Write};
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::Relaxed;

use hmm_core::Misuse;

use crate::errno::Errno;

const STDERR: libc::c_int = 2;

/// Whether descriptor 2 was closed when the heap began: a file that got the
/// number later is not ours to write to.
static MUTE: AtomicBool = AtomicBool::new(false);

/// Finds out whether there is a stderr. Called once, early.
pub(crate) fn begin() {
    let _errno = Errno::keep();
    // SAFETY: asks the kernel about a descriptor number.
    if unsafe { libc::fcntl(STDERR, libc::F_GETFD) } == -1 {
        MUTE.store(true, Relaxed);
    }
}

/// Writes bytes to stderr. Not by libc's `write`, where a thread may be
/// cancelled.
#[cfg(target_os = "linux")]
fn write(bytes: &[u8]) -> isize {
    // SAFETY: the bytes are ours and this long.
    unsafe { libc::syscall(libc::SYS_write, STDERR, bytes.as_ptr(), bytes.len()) as isize }
}

/// Writes bytes to stderr.
#[cfg(not(target_os = "linux"))]
fn write(bytes: &[u8]) -> isize {
    // SAFETY: the bytes are ours and this long.
    unsafe { libc::write(STDERR, bytes.as_ptr().cast(), bytes.len()) }
}

/// Text on its way to stderr, on the stack.
struct Buffer {
    text: [u8; 512],
    length: usize,
}

impl Buffer {
    fn flush(&mut self) {
        let mut rest = &self.text[..self.length.min(self.text.len())];
        while !rest.is_empty() {
            let written = write(rest);
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

/// Writes text to stderr as it is, through a buffer on the stack. Says nothing
/// if stderr was closed when the program began.
pub fn write_stderr(text: fmt::Arguments<'_>) {
    if MUTE.load(Relaxed) {
        return;
    }
    let _errno = Errno::keep();
    let mut buffer = Buffer { text: [0; 512], length: 0 };
    // The buffer takes everything; a `Display` that fails just ends the text.
    let _ = buffer.write_fmt(text);
    buffer.flush();
}

/// Writes one line to stderr, with `hmm: ` in front.
pub fn report(line: fmt::Arguments<'_>) {
    write_stderr(format_args!("hmm: {line}\n"));
}

/// Ends the program over a misuse of the heap: one line, then `abort`.
#[cold]
pub(crate) fn misuse(misuse: Misuse) -> ! {
    report(format_args!("{misuse}"));
    // SAFETY: always callable; ends the process.
    unsafe { libc::abort() }
}
