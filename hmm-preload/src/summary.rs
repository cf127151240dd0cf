//! The heap in a few lines, for people.

use core::fmt;

use hmm_sys::Output;

/// Writes the state of the heap to `output`, each line by itself and none of
/// them allocating.
pub(crate) fn write(output: Output, title: &str) {
    let stats = hmm_sys::stats();
    output.line(format_args!(
        "{title}: {} allocated in {} blocks, {} active, {} metadata",
        Bytes(stats.allocated),
        stats.blocks,
        Bytes(stats.active),
        Bytes(stats.metadata),
    ));
    output.line(format_args!(
        "  {} mapped (break {}, reserve {}), {} held, {} resident, {} retained",
        Bytes(stats.mapped),
        Bytes(stats.brk_bytes),
        Bytes(stats.reserve_bytes),
        Bytes(stats.held),
        Bytes(stats.resident),
        Bytes(stats.retained),
    ));
    output.line(format_args!(
        "  {} in {} large blocks; free: {} pages, {} at the top, and {} blocks",
        Bytes(stats.large_bytes),
        stats.large_blocks,
        stats.pages_free,
        Bytes(stats.top_free),
        stats.free_blocks,
    ));
    output.line(format_args!(
        "  heaps: {}; checks are on: a wild, interior, double or mismatched free aborts",
        stats.heaps,
    ));
}

/// A number of bytes as people read it: `0 B`, `4.0 MiB`, `96 KiB`.
struct Bytes(usize);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        if self.0 < 1024 {
            return write!(f, "{} B", self.0);
        }
        let order = self.0.ilog2() as usize / 10;
        let unit = UNITS[order - 1];
        // Hundredths fit: there are at most 1023 whole units.
        let whole = self.0 >> (10 * order);
        if whole >= 10 {
            return write!(f, "{whole} {unit}");
        }
        let tenths = (self.0 >> (10 * (order - 1))) % 1024 * 10 / 1024;
        write!(f, "{whole}.{tenths} {unit}")
    }
}
