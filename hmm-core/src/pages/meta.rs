//! The heap's own tables: memory that is never handed to a program.
//!
//! ```text
//!   chunk: | bitmap | bitmap | thread heap | …      | bump |
//!   given[k]: bitmaps given back, by size in cache lines
//! ```
//!
//! Chunks come from the backend's `meta`, or are pages of the heap's, and never go back; large ones are
//! linked, each to the one before, for the statistics. Only bitmaps are
//! reused; thread heaps are recycled by the pool that owns them.

use super::pair::BitPair;
use core::ptr::{self, NonNull};

use crate::grow::{HeapGrow, Span};
use crate::units::MOST_WORDS;

/// All metadata is aligned to cache lines, so that no two tables share one.
const LINE: usize = 64;

/// Words of a bitmap in a line.
const STEP: usize = LINE / size_of::<BitPair>();

/// The lines of the largest bitmap.
const SIZES: usize = lines(MOST_WORDS);

/// The lines of a bitmap of `words` words. Before the first word, what is as large has the
/// summary and, in one that was given back, the link.
const fn lines(words: usize) -> usize {
    (words + 1).div_ceil(STEP)
}

/// The source of metadata.
#[derive(Debug)]
pub(crate) struct Meta {
    next: *mut u8,
    left: usize,
    /// A chunk that is set aside and not open yet.
    closed: Option<Span>,
    given: [*mut u8; SIZES],
    bytes: usize,
    /// The chunk made last that is linked.
    chunks: *const Chunk,
}

/// What a linked chunk begins with.
struct Chunk {
    bytes: usize,
    before: *const Self,
}

/// Chunks of so many bytes are linked.
const LINKED: usize = 4096;

impl Meta {
    /// Bytes that a chunk has more than its pieces come to: the link, and what the last one wants to fill its line.
    pub(super) const MORE: usize = 2 * LINE;

    /// Bytes of a bitmap of so many words. Where that would be a multiple of 1 KiB it takes an
    /// extra line, or page after page would use the same cache sets.
    pub(super) fn bitmap_bytes(words: usize) -> usize {
        let bytes = lines(words) * LINE;
        if bytes % 1024 == 0 { bytes + LINE } else { bytes }
    }

    pub(crate) const fn new() -> Self {
        Self {
            next: ptr::null_mut(),
            left: 0,
            closed: None,
            given: [ptr::null_mut(); SIZES],
            bytes: 0,
            chunks: ptr::null(),
        }
    }

    /// Metadata in use or at hand, in bytes, the page tables included.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Counts `bytes` of tables that were opened elsewhere.
    pub(crate) fn count(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// `bytes` bytes of zeroed metadata, aligned to a cache line; they stay.
    /// Asks the backend for at least `chunk` bytes at a time, and for `room` at
    /// most.
    pub(crate) fn take(
        &mut self,
        grow: &mut impl HeapGrow,
        bytes: usize,
        chunk: usize,
        room: usize,
    ) -> Option<NonNull<u8>> {
        let bytes = bytes.checked_next_multiple_of(LINE)?;
        if bytes > self.left {
            // Larger ones as the heap grows: each is a mapping of its own.
            let chunk = if chunk == 0 { 0 } else { chunk.max(self.bytes / 8).next_multiple_of(chunk) };
            if bytes + LINE > room {
                return None;
            }
            self.refill(grow, bytes.saturating_add(LINE).max(chunk).min(room), room)?;
        }
        let start = NonNull::new(self.next)?;
        self.next = self.next.wrapping_add(bytes);
        self.left -= bytes;
        Some(start)
    }

    /// Makes a chunk of at least `bytes` bytes, and of `room` at most, the one that pieces are cut
    /// from. What is left of the last one is less than a piece, and given up.
    fn refill(&mut self, grow: &mut impl HeapGrow, bytes: usize, room: usize) -> Option<()> {
        // A chunk that could be set aside but not opened is tried again, or
        // want of memory would use up the addresses, too. (There may be less room for it by now.)
        if self.closed.is_none_or(|closed| closed.bytes < bytes) {
            let start = grow.meta(bytes)?;
            self.closed = Some(Span { start, bytes });
        }
        let chunk = self.closed.map(|closed| Span { bytes: closed.bytes.min(room), ..closed })?;
        if !grow.open_meta(chunk.start, chunk.bytes) {
            return None;
        }
        self.closed = None;
        self.enter(chunk);
        Some(())
    }

    /// Makes a chunk, which is open and zero, the one that pieces are cut from.
    pub(super) fn enter(&mut self, chunk: Span) {
        self.count(chunk.bytes);
        self.next = chunk.start.as_ptr();
        self.left = chunk.bytes;
        if chunk.bytes >= LINKED {
            let link = chunk.start.cast::<Chunk>();
            // SAFETY: the chunk is ours, and was opened just now.
            unsafe { link.write(Chunk { bytes: chunk.bytes, before: self.chunks }) };
            self.chunks = link.as_ptr();
            self.next = self.next.wrapping_add(LINE);
            self.left -= LINE;
        }
    }

    /// The chunks that are linked: all but those of heaps on small machines.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = Span> + use<> {
        let mut next = self.chunks;
        core::iter::from_fn(move || {
            let start = NonNull::new(next.cast_mut())?;
            // SAFETY: `enter` wrote it; chunks stay.
            let chunk = unsafe { start.as_ref() };
            next = chunk.before;
            Some(Span { start: start.cast(), bytes: chunk.bytes })
        })
    }

    /// A bitmap of `words` words, contents unknown.
    pub(crate) fn take_bits(
        &mut self,
        grow: &mut impl HeapGrow,
        words: usize,
        chunk: usize,
        room: usize,
    ) -> Option<*const BitPair> {
        let given = self.given.get_mut(lines(words) - 1)?;
        let bits = if let Some(first) = NonNull::new(*given) {
            // SAFETY: a bitmap that was given back begins with the link that `give_bits` wrote there.
            *given = unsafe { first.cast::<*mut u8>().read() };
            first
        } else {
            self.take(grow, Self::bitmap_bytes(words), chunk, room)?
        };
        Some(bits.as_ptr().cast::<BitPair>().cast_const().wrapping_add(1))
    }

    /// Takes a bitmap of `words` words back.
    pub(crate) fn give_bits(&mut self, bits: *const BitPair, words: usize) {
        if let Some(given) = self.given.get_mut(lines(words) - 1) {
            let bits = bits.cast_mut().wrapping_sub(1).cast::<u8>();
            // SAFETY: the slab that used the bitmap is gone, and nobody uses what lies before
            // its summary.
            unsafe { bits.cast::<*mut u8>().write(*given) };
            *given = bits;
        }
    }
}
