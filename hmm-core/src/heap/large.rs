//! Large blocks: whole runs of pages.
//!
//! ```text
//!   | head header: Large, run, bytes asked for |
//!   | page | page | page | … untouched rest of the last page stays unbacked |
//! ```

use core::ptr;

use super::{Ground, Supply};
use crate::pages::header::{Header, Kind, Mark};
use crate::pages::{Growth, Pages};
use crate::units::{GRANULE, Geometry, PageNo};

/// The bytes of a large block that was asked for with `size`.
pub(crate) fn rounded(size: usize) -> usize {
    size.checked_next_multiple_of(GRANULE).unwrap_or(usize::MAX)
}

/// A block of whole pages, at least `size` bytes at a multiple of `align`;
/// null when there is no such memory.
#[cold]
pub(crate) fn alloc<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    size: usize,
    align: usize,
    zeroed: bool,
) -> *mut u8 {
    let Some(page) = take(s, size, align) else { return ptr::null_mut() };
    let start = s.map().address(page);
    if zeroed {
        clear(s, page, start, size);
    }
    start
}

/// A run for a block of `size` bytes.
pub(crate) fn take<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    size: usize,
    align: usize,
) -> Option<PageNo> {
    if size > isize::MAX as usize - GRANULE {
        return None;
    }
    let pages = Geometry::<SHIFT>::pages_for(size.max(1))?;
    let align_pages = Geometry::<SHIFT>::pages_for(align)?;
    s.before_large(pages);
    let take = |growth| {
        s.with_pages(|run_layer| {
            let page = run_layer.take_run(s.map(), pages, align_pages, growth)?;
            run_layer.note_large(pages);
            let header = s.map().header(page);
            header.set_large_bytes(rounded(size));
            header.mark_only_moved(false);
            header.set_kind(Kind::Large);
            Some(page)
        })
        .flatten()
    };
    let page = take(Growth::Avoid).or_else(|| {
        s.before_growth();
        take(Growth::Allow)
    })?;
    s.took_large(s.map().address(page));
    Some(page)
}

/// Stretches of at least so many bytes are cleared by giving their memory back, but for those fourths
/// that seem filled. These are written: they are likely to be filled again, by page faults that take
/// several times as long.
const PURGE_MIN: usize = 1024 * 1024;

/// Zeroes the first `size` bytes of the pages from `page` on that are not
/// known to be zero.
fn clear<const SHIFT: u32, S: Ground<SHIFT>>(s: &S, page: PageNo, start: *mut u8, size: usize) {
    let page_bytes = Geometry::<SHIFT>::PAGE;
    if size >= PURGE_MIN {
        let least = (PURGE_MIN >> SHIFT) as u32;
        s.with_pages(|pages| pages.purge_sparse(s.map(), page, (size >> SHIFT) as u32, least));
    }
    let mut done = 0;
    while done < size {
        let bytes = page_bytes.min(size - done);
        if s.map().is_dirty(page.up((done >> SHIFT) as u32)) {
            // SAFETY: the run is ours and `size` bytes long; nobody has its
            // address yet.
            unsafe { ptr::write_bytes(start.wrapping_add(done), 0, bytes) };
        }
        done += bytes;
    }
}

/// A block that loses so many bytes or more within its pages gives their memory back. (For less, a call is too much,
/// and for one that does so again, page faults are.)
const TAIL: usize = 16 * 1024;

/// Makes a large block hold `size` bytes, if that takes the pages that it has, and leaves little of them unused.
pub(crate) fn fill<const SHIFT: u32>(header: &Header, size: usize) -> bool {
    let (before, bytes) = (header.large_bytes(), rounded(size));
    let fills = Geometry::<SHIFT>::pages_for(size.max(1)) == Some(header.run())
        && (before.saturating_sub(bytes) < TAIL || header.has(Mark::Shrunk));
    fills && header.change_large_bytes(before, bytes)
}

/// Resizes a large block where it stands; `false` if it cannot, or if it is gone: what is done
/// instead finds that.
pub(crate) fn resize<const SHIFT: u32, S: Ground<SHIFT>>(s: &S, page: PageNo, header: &Header, size: usize) -> bool {
    let Some(want) = Geometry::<SHIFT>::pages_for(size.max(1)) else { return false };
    let resize = |pages: &mut Pages<S::Grow, SHIFT>| {
        if want > header.run() && !pages.lengthen_run(s.map(), page, want) {
            return false;
        }
        if want < header.run() {
            pages.shorten_run(s.map(), page, want);
        }
        let bytes = rounded(size);
        if header.large_bytes() > bytes && !header.has(Mark::Shrunk) && pages.purge_behind(s.map(), page, bytes, TAIL) {
            header.set(Mark::Shrunk);
        }
        header.set_large_bytes(bytes);
        true
    };
    // (Held: whoever frees it meanwhile does so without the lock, and would keep what is given away here.)
    let held = |pages: &mut Pages<S::Grow, SHIFT>| header.hold_large(|| resize(pages));
    fill::<SHIFT>(header, size) || s.with_pages(held).flatten().unwrap_or(false)
}
