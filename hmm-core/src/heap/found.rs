//! What was found in slabs that were looked through.
//!
//! ```text
//!   pages of the slabs   | live | free | free, and never used or given back |
//!                        └──── held ───┘└────────────── hollow ─────────────┘
//!                               free
//!                               └── thin: all that is free, up to held ─────┘
//! ```

use crate::pages::header::Header;
use crate::slab::Bits;
use crate::slab::parts::{free_bytes, soiled_bytes, whole_bytes};

/// What was found in slabs that were looked through, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Found {
    /// Was freed by others, and moved over, if that was asked for.
    pub(crate) drained: usize,
    /// Medium slabs that stay.
    pub(crate) medium: usize,
    /// Pages of all slabs that stay.
    pub(crate) pages: usize,
    /// What of them may hold memory, but for medium slots that are in use and were never freed.
    pub(crate) held: usize,
    /// What of that is free.
    pub(crate) free: usize,
    /// What was never handed out or given back counted as well: how thinly the live
    /// blocks lie.
    pub(crate) thin: usize,
    /// What could be given back, if that was asked for.
    pub(crate) whole: usize,
    /// Was given back, slabs that did not stay excepted.
    pub(crate) given: usize,
    /// Was given back, those included.
    pub(crate) gone: usize,
}

impl Found {
    /// Counts a slab that stays.
    pub(crate) fn add<const SHIFT: u32>(&mut self, header: &Header, bits: &Bits<'_>) {
        // Once: others may soil medium slots meanwhile.
        let held = soiled_bytes::<SHIFT>(header);
        self.medium += usize::from(header.run() > 1);
        self.pages += (header.run() as usize) << SHIFT;
        self.held += held;
        let (all, soiled) = free_bytes::<SHIFT>(header, bits);
        self.free += soiled.min(held);
        self.thin += all.min(held);
    }

    /// As [`add`](Self::add), and counts what could be given back in pages of `os_page` bytes.
    pub(crate) fn add_whole<const SHIFT: u32>(&mut self, header: &Header, bits: &Bits<'_>, os_page: usize) {
        let (held, free) = (self.held, self.free);
        self.add::<SHIFT>(header, bits);
        let (held, free) = (self.held - held, self.free - free);
        self.whole += match free {
            _ if free == held => held,
            _ if free < os_page => 0,
            _ => whole_bytes::<SHIFT>(header, bits, os_page),
        };
    }

    /// What of the pages holds no memory.
    pub(crate) fn hollow(&self) -> usize {
        self.pages.saturating_sub(self.held)
    }
}
