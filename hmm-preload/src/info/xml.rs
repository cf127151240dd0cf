//! `malloc_info`'s document.

use super::MallInfo;
use core::fmt::{self, Write};
use hmm_sys::Stats;
use libc::FILE;

/// Writes `info` to `file` in the form that readers of glibc's know: one heap,
/// and the same once more in total; and after that HMM's own figures.
///
/// Errors are left to the stream, whose `ferror` tells. Output may make stdio
/// allocate its buffer; no lock of ours is held.
///
/// # Safety
/// `file` is open for writing.
pub(super) unsafe fn write(file: *mut FILE, info: &MallInfo<usize>, stats: &Stats) {
    let mut document = Document { file, text: [0; 512], length: 0 };
    // It never fails.
    let _ = document.compose(info, stats);
    document.flush();
}

/// Text on its way to a stream, a buffer at a time: a stream without a buffer
/// of its own makes a system call of each write.
struct Document {
    /// Open for writing.
    file: *mut FILE,
    text: [u8; 512],
    /// How much of `text` is to be written.
    length: usize,
}

impl Document {
    fn compose(&mut self, info: &MallInfo<usize>, stats: &Stats) -> fmt::Result {
        self.write_str("<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n</sizes>\n")?;
        self.totals(info, false)?;
        self.write_str("</heap>\n")?;
        self.totals(info, true)?;
        writeln!(
            self,
            r#"<hmm allocated="{}" active="{}" resident="{}" held="{}" mapped="{}" retained="{}" metadata="{}"/>"#,
            stats.allocated, stats.active, stats.resident, stats.held, stats.mapped, stats.retained, stats.metadata,
        )?;
        self.write_str("</malloc>\n")
    }

    /// What glibc says of each heap and then of all, where mappings join in.
    /// HMM keeps no peak: the "max" is what there is.
    fn totals(&mut self, info: &MallInfo<usize>, all: bool) -> fmt::Result {
        let &MallInfo { arena, ordblks, hblks, hblkhd, fordblks, .. } = info;
        writeln!(self, r#"<total type="fast" count="0" size="0"/>"#)?;
        writeln!(self, r#"<total type="rest" count="{ordblks}" size="{fordblks}"/>"#)?;
        if all {
            writeln!(self, r#"<total type="mmap" count="{hblks}" size="{hblkhd}"/>"#)?;
        }
        for (element, kind) in [("system", "current"), ("system", "max"), ("aspace", "total"), ("aspace", "mprotect")] {
            writeln!(self, r#"<{element} type="{kind}" size="{arena}"/>"#)?;
        }
        Ok(())
    }

    fn flush(&mut self) {
        // SAFETY: `length` bytes of `text` are there; the file is open.
        unsafe { libc::fwrite(self.text.as_ptr().cast(), 1, self.length, self.file) };
        self.length = 0;
    }
}

impl Write for Document {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for &byte in text.as_bytes() {
            if self.length >= self.text.len() {
                self.flush();
            }
            self.text[self.length] = byte;
            self.length += 1;
        }
        Ok(())
    }
}
