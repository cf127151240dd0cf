//! Floor 4, **slabs**: blocks of one size in a page or a short run.
//!
//! ```text
//!   slab    | slot 0 | slot 1 | slot 2 | …            | left over |
//!   local   |   1    |   0    |   1    | …   the owner's: 1 = free, and not claimed to come next
//!   remote  |   0    |   0    |   0    | …   anyone's: 1 = freed, not seen yet
//! ```
//!
//! Which slots are free is told by bits outside the slab, so that nothing of
//! the allocator ever lies in user memory. Only the owner changes local bits,
//! with plain loads and stores; other threads free into the remote bits, which
//! the owner moves over when it runs out.

mod bits;
mod build;
mod locate;
pub(crate) mod parts;

pub(crate) use bits::{ALL_FREE, Bits, ones};
pub(crate) use locate::{Block, Slot, locate};
