//! What the fuzz targets have in common: sizes, a backend that fails as the
//! input says, and the blocks that are live.

mod backend;
mod blocks;
#[path = "../../tests/model/shadow.rs"]
mod shadow;

pub use backend::{Memory, Refusals};
pub use blocks::{Blocks, Live, Size};
