//! Resizing: in place where the block can stay, by moving pages where it is
//! large, by copying last.
//!
//! ```text
//!   in a slot   stays where the slot serves ──────────────────────────► or is copied
//!   large       shrinks, or grows into what is free behind it ─► moves ─► or is copied
//! ```

#[cfg(test)]
mod tests;

use core::ptr;

use super::local::Local;
use super::recent::Recent;
use super::{Ground, Supply, alloc, bits_of, fit, free, large};
use crate::grow::Moved;
use crate::misuse::{Misuse, Place, What};
use crate::pages::header::{Header, Kind, Mark};
use crate::pages::map::PageMap;
use crate::slab::{Block, locate};
use crate::units::{Geometry, PageNo};

/// Blocks of at least so many bytes are moved by the page tables if the
/// backend can; below, copying is as fast and splits no mapping.
const MOVE_MIN: usize = 512 * 1024;

/// The block at `p`, which must be live.
fn live<'a, const SHIFT: u32, const C: usize, R: Recent<C>>(
    map: &'a PageMap<SHIFT>,
    local: &Local<C, R>,
    p: *const u8,
) -> Result<Block<'a>, Misuse> {
    let block = locate(map, p)?;
    match block {
        Block::Slot(slot) if !bits_of::<SHIFT>(slot.header).is_live(slot.index) || local.has_claimed(&slot) => {
            Err(slot.misuse(What::DoubleFree, p))
        }
        _ => Ok(block),
    }
}

/// The bytes that the block at `p` holds; `local` is the owner's who asks.
pub(crate) fn usable_size<const SHIFT: u32, const C: usize, R: Recent<C>>(
    map: &PageMap<SHIFT>,
    local: &Local<C, R>,
    p: *const u8,
) -> Result<usize, Misuse> {
    Ok(match live(map, local, p)? {
        Block::Slot(slot) => slot.class.size(),
        Block::Large { header, .. } => header.large_bytes(),
    })
}

/// What it takes to resize a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resize {
    /// Nothing: it stays where it is.
    Stays,
    /// Another block, and a copy: this one holds so many bytes.
    Moves {
        /// Bytes.
        have: usize,
    },
    /// More than one look tells.
    Unknown,
}

/// What it takes to make the block at `p`, a multiple of `align`, hold `size` bytes: as far as
/// that can be told, and done, without the run layer. `local` is the owner's who asks.
pub(crate) fn look<const SHIFT: u32, const C: usize, R: Recent<C>>(
    map: &PageMap<SHIFT>,
    local: &Local<C, R>,
    p: *mut u8,
    align: usize,
    size: usize,
) -> Result<Resize, Misuse> {
    Ok(match live(map, local, p)? {
        Block::Slot(slot) => look_in::<SHIFT>(slot.header, align, size),
        Block::Large { header, .. } => {
            let have = header.large_bytes();
            // Aligned blocks may be large with few bytes.
            if size <= Geometry::<SHIFT>::SLAB_MAX && !fit::keeps(have, size) {
                Resize::Moves { have }
            } else if large::fill::<SHIFT>(header, size) {
                Resize::Stays
            } else {
                Resize::Unknown
            }
        }
    })
}

/// As [`look`], of a live block in the slab with this header.
pub(crate) fn look_in<const SHIFT: u32>(header: &Header, align: usize, size: usize) -> Resize {
    match fit::serves::<SHIFT>(header, size, align) {
        true => Resize::Stays,
        false => Resize::Moves { have: header.class().size() },
    }
}

/// Makes the block at `p`, a multiple of `align`, hold `size` bytes at one; its
/// contents stay, up to the smaller of both sizes. Returns where it is now;
/// null when memory has run out, and then the block is as it was.
///
/// # Safety
///
/// `p` is a live block that the caller owns.
pub(crate) unsafe fn realloc<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    p: *mut u8,
    align: usize,
    size: usize,
) -> Result<*mut u8, Misuse> {
    match look(s.map(), s.local(), p, align, size)? {
        Resize::Stays => Ok(p),
        Resize::Moves { have } => copy(s, p, have, align, size),
        Resize::Unknown => resize_large(s, p, align, size),
    }
}

/// [`realloc`] of a large block to another number of pages.
fn resize_large<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    p: *mut u8,
    align: usize,
    size: usize,
) -> Result<*mut u8, Misuse> {
    let Block::Large { page, header } = locate(s.map(), p)? else { return Ok(ptr::null_mut()) };
    if size > isize::MAX as usize {
        return Ok(ptr::null_mut());
    }
    if large::resize(s, page, header, size) {
        return Ok(p);
    }
    let have = header.large_bytes();
    let to = match have >= MOVE_MIN {
        true => move_pages(s, p, page, header, align, size)?,
        false => copy(s, p, have, align, size)?,
    };
    // Empty slabs were given up for it; there may be room behind it now.
    let stays = to.is_null() && large::resize(s, page, header, size);
    Ok(if stays { p } else { to })
}

/// Moves the large block at `p` to a longer run.
fn move_pages<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    p: *mut u8,
    page: PageNo,
    header: &Header,
    align: usize,
    size: usize,
) -> Result<*mut u8, Misuse> {
    let take = || {
        large::take(s, size, align).or_else(|| {
            s.reclaim();
            large::take(s, size, align)
        })
    };
    let taken = take();
    // From here on nobody else can free it.
    if !header.change_kind(Kind::Large, Kind::Kept) {
        return Err(Misuse::new(What::DoubleFree, p, Place::Large { page: page.get() }));
    }
    let Some(mut to) = taken else {
        let to = move_to_longer(s, page, align, size);
        if to.is_null() {
            header.set_kind(Kind::Large);
        }
        return Ok(to);
    };
    let pages = header.run();
    let old = header.large_bytes();
    let moved = s.with_pages(|run_layer| run_layer.move_run(s.map(), page, to, pages)).unwrap_or(Moved::No);
    if moved == Moved::Lost {
        let Some(other) = take() else {
            header.set_kind(Kind::Large);
            return Ok(ptr::null_mut());
        };
        to = other;
    }
    let target = s.map().address(to);
    if moved != Moved::Yes {
        // SAFETY: both blocks are the caller's, disjoint, and longer than
        // `old` bytes: the new one has more pages.
        unsafe { ptr::copy_nonoverlapping(p, target, old) };
    }
    s.with_pages(|pages| pages.give_run(s.map(), page, moved != Moved::Yes));
    Ok(target)
}

/// Moves the large block at `page`, which the caller holds, to a longer run, where there is no room for both at
/// once; null, and it is as it was, if it cannot be moved.
#[cold]
fn move_to_longer<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    page: PageNo,
    align: usize,
    size: usize,
) -> *mut u8 {
    let [Some(pages), Some(align_pages)] = [size, align].map(Geometry::<SHIFT>::pages_for) else {
        return ptr::null_mut();
    };
    let moved = s.with_pages(|run_layer| {
        let to = run_layer.move_to_longer(s.map(), page, pages, align_pages)?;
        s.map().header(to).set_large_bytes(large::rounded(size));
        Some(to)
    });
    let Some(to) = moved.flatten() else { return ptr::null_mut() };
    let start = s.map().address(to);
    s.took_large(start);
    start
}

/// Copies the block at `p`, of which `have` bytes may be used, to a new one.
fn copy<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    p: *mut u8,
    have: usize,
    align: usize,
    size: usize,
) -> Result<*mut u8, Misuse> {
    let roomy = fit::with_headroom::<SHIFT>(have, size, align);
    let mut to = alloc::alloc(s, align, roomy);
    if to.is_null() && roomy > size {
        to = alloc::alloc(s, align, size);
    }
    if to.is_null() {
        return Ok(if size <= have { stay(s, p, size) } else { to });
    }
    // SAFETY: both blocks are the caller's, disjoint, and at least this long.
    unsafe { ptr::copy_nonoverlapping(p, to, have.min(size)) };
    free::free(s, p)?;
    Ok(to)
}

/// Leaves the block at `p`, which shrinks to `size` bytes and for which there
/// is no other place, where it is.
fn stay<const SHIFT: u32, S: Ground<SHIFT>>(s: &S, p: *mut u8, size: usize) -> *mut u8 {
    match locate(s.map(), p) {
        Ok(Block::Slot(slot)) => slot.header.set(Mark::Any),
        Ok(Block::Large { page, header }) => _ = large::resize(s, page, header, size),
        Err(_) => {}
    }
    p
}
