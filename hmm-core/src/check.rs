//! The validator: walks a heap and asserts the numbered invariants of
//! `docs/design.md`. Meant for quiet moments: what an owner does meanwhile may
//! look like a violation.

use crate::sync::Ordering::Relaxed;
use core::fmt;

use crate::grow::HeapGrow;
use crate::heap::cur::Claim;
use crate::heap::recent::Recent;
use crate::heap::{FULL, Supply, bits_of};
use crate::pages::Pages;
use crate::pages::header::{Header, Kind, Link};
use crate::pages::map::PageMap;
use crate::slab::{ALL_FREE, Bits, Block, locate, parts};
use crate::units::{Class, Geometry, PageNo, WORD_BITS};

/// An invariant that does not hold, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The number of the invariant in `docs/design.md`.
    pub invariant: u32,
    /// The page at which it was seen.
    pub page: u32,
    /// What was seen.
    pub what: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invariant I{} broken at page {}: {}", self.invariant, self.page, self.what)
    }
}

impl core::error::Error for Violation {}

/// Collects the tests of one page under its number.
struct At(PageNo);

impl At {
    fn assert(&self, invariant: u32, holds: bool, what: &'static str) -> Result<(), Violation> {
        if holds { Ok(()) } else { Err(Violation { invariant, page: self.0.get(), what }) }
    }
}

/// With the feature `check`, looks whether all is well: for tests, at the end of slow
/// paths. Without it, does nothing.
#[inline(always)]
pub(crate) fn look(is_well: impl FnOnce() -> Result<(), Violation>) -> Result<(), Violation> {
    if cfg!(feature = "check") { is_well() } else { Ok(()) }
}

/// Asserts what was seen. Not under a lock: who waits for it would wait for ever.
///
/// # Panics
/// If it is not well.
#[inline(always)]
pub(crate) fn assert(seen: Result<(), Violation>) {
    if cfg!(feature = "check") {
        if let Err(violation) = seen {
            panic!("{violation}");
        }
    }
}

/// What owners do while the run layer is checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owners {
    /// Nothing.
    Rest,
    /// Anything that needs no lock: large blocks that they keep are cut and joined.
    Work,
}

/// Checks the run layer (I1 to I3), whose lock is held.
pub(crate) fn runs<G: HeapGrow, const SHIFT: u32>(
    map: &PageMap<SHIFT>,
    pages: &Pages<G, SHIFT>,
    owners: Owners,
) -> Result<(), Violation> {
    let (mut free_pages, mut dirty_pages, mut own, mut free_runs) = (0, 0, 0, 0);
    for index in 0..map.regions().count() {
        let mut after_free = false;
        for page in map.runs_in(index) {
            let at = At(page);
            let header = map.header(page);
            let run = header.run();
            let kind = header.kind();
            at.assert(1, run > 0, "a run without length")?;
            // (From the page on: a kept run may be longer by now than it was for who stepped over it.)
            at.assert(1, run <= map.to_end(page), "a run beyond its region's end")?;
            own += if kind == Kind::Foreign { 0 } else { run as usize };
            let is_free = kind == Kind::Free;
            free_runs += usize::from(is_free);
            at.assert(2, !(is_free && after_free), "two free runs side by side")?;
            after_free = is_free;
            match kind {
                Kind::Free => {
                    free_pages += run as usize;
                    dirty_pages += header.dirty_pages() as usize;
                    free_run(map, pages, &at, page, run)?;
                }
                Kind::Small | Kind::Medium => {}
                Kind::Large | Kind::Kept | Kind::Blank if owners == Owners::Work => {}
                Kind::Large => {
                    let fits = Geometry::<SHIFT>::pages_for(header.large_bytes().max(1)) == Some(run);
                    at.assert(1, fits, "a large block that is not as long as its run")?;
                    interior(map, &at, page, run, Kind::Blank)?;
                }
                Kind::Foreign | Kind::Kept => interior(map, &at, page, run, Kind::Blank)?,
                Kind::Blank | Kind::FreeTail | Kind::MediumBody => at.assert(1, false, "no run begins here")?,
            }
        }
    }
    let all = At(PageNo::FIRST);
    all.assert(1, owners == Owners::Work || own == pages.own_pages(), "the count of the heap's pages is off")?;
    all.assert(3, free_runs == pages.count_free_runs(map), "a tree holds what is no free run")?;
    all.assert(3, free_pages == pages.free_pages(), "the count of free pages is off")?;
    all.assert(3, dirty_pages == pages.dirty_pages(), "the count of dirty free pages is off")
}

/// Checks every slab and its bitmap (I4 to I7, I11).
pub(crate) fn slabs<const SHIFT: u32>(map: &PageMap<SHIFT>) -> Result<(), Violation> {
    let mut heads = map.runs().filter(|&page| map.header(page).is_slab());
    heads.try_for_each(|page| slab(map, &At(page), page, map.header(page)))
}

fn free_run<G: HeapGrow, const SHIFT: u32>(
    map: &PageMap<SHIFT>,
    pages: &Pages<G, SHIFT>,
    at: &At,
    page: PageNo,
    run: u32,
) -> Result<(), Violation> {
    at.assert(3, pages.knows_free(map, page), "a free run that is not in the tree")?;
    let dirty = map.header(page).dirty_pages();
    at.assert(3, dirty == map.count_dirty(page, run), "a free run with a wrong count of dirty pages")?;
    if run > 1 {
        let tail = map.header(page.up(run - 1));
        at.assert(1, tail.kind() == Kind::FreeTail && tail.run() == run, "a free run without its tail")?;
        interior(map, at, page, run - 1, Kind::Blank)?;
    }
    Ok(())
}

/// Headers inside a run are of one kind.
fn interior<const SHIFT: u32>(
    map: &PageMap<SHIFT>,
    at: &At,
    page: PageNo,
    run: u32,
    kind: Kind,
) -> Result<(), Violation> {
    let clean = (1..run).all(|i| {
        let header = map.header(page.up(i));
        header.kind() == kind && header.recip() == 0
    });
    at.assert(1, clean, "a header inside a run tells of another")
}

fn slab<const SHIFT: u32>(map: &PageMap<SHIFT>, at: &At, page: PageNo, header: &Header) -> Result<(), Violation> {
    let class = header.class();
    at.assert(4, class.index() < Geometry::<SHIFT>::CLASSES, "a slab of no class")?;
    let info = Geometry::<SHIFT>::info(class);
    let medium = info.run > 1;
    at.assert(4, header.run() == u32::from(info.run), "a slab that is not as long as its class says")?;
    at.assert(4, header.recip() == if medium { 0 } else { info.recip }, "a wrong reciprocal")?;
    let inline = core::ptr::eq(header.bits(), header.inline_bits());
    at.assert(4, inline == (info.words == 1), "a bitmap in the wrong place")?;
    interior(map, at, page, header.run(), Kind::MediumBody)?;
    let bodies = (1..header.run()).all(|i| map.header(page.up(i)).next.page() == Some(page));
    at.assert(4, bodies, "a body page that does not lead to its head")?;
    let bits = bits_of::<SHIFT>(header);
    let slots = usize::from(info.slots);
    for word in 0..bits.words() {
        let phantoms = Bits::phantoms(word, slots);
        let local = bits.local(word).load(Relaxed);
        let remote = bits.remote(word).load(Relaxed);
        at.assert(5, local & phantoms == phantoms, "a phantom slot was handed out")?;
        at.assert(5, local & remote == 0, "a slot is free twice")?;
        at.assert(6, word < bits.touched() || local == ALL_FREE, "a slot of an untouched word is in use")?;
    }
    if !medium {
        let clean = !header.soiled() & !parts::free_parts::<SHIFT>(header, &bits);
        at.assert(11, clean == 0, "a slot in use in a part that holds no memory")?;
    }
    if header.owner.load(Relaxed) & FULL != 0 {
        at.assert(7, !bits.any_free(slots), "a FULL slab has a free slot")?;
    }
    Ok(())
}

/// Checks one owner's queues (I8), what it remembers (I10), also that it is counted, and what it has claimed (I13).
pub(crate) fn owner<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S) -> Result<(), Violation> {
    for number in 0..C {
        let class = Class::nth(number);
        let bin = s.local().bin(class);
        recent(s, class)?;
        claimed(s, class)?;
        if let Some(page) = bin.current() {
            owned(s, page, class)?;
        }
        let mut last = None;
        let mut next = bin.head();
        while let Some(page) = next {
            let header = s.map().header(page);
            owned(s, page, class)?;
            At(page).assert(8, header.prev.page() == last, "a queue that is broken")?;
            At(page).assert(8, bin.current() != Some(page), "the current slab is queued")?;
            last = Some(page);
            next = header.next.page();
        }
        At(PageNo::FIRST).assert(8, bin.tail() == last, "a queue whose tail is not its last slab")?;
    }
    let is_counted = s.local().widened() <= s.local().loose.remembered();
    At(PageNo::FIRST).assert(10, is_counted, "more is remembered than is counted")
}

/// Checks what the owner remembers of `class` (I10).
fn recent<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, class: Class) -> Result<(), Violation> {
    for (entry, present) in s.local().recent.entries(s.local().cur(class), class) {
        let Ok(Block::Slot(slot)) = locate(s.map(), entry.block()) else {
            return At(PageNo::FIRST).assert(10, false, "what is remembered is no slot");
        };
        let at = At(slot.page);
        owned(s, slot.page, class)?;
        let bits = bits_of::<SHIFT>(slot.header);
        let (word, bit) = (bits.pair(slot.index / WORD_BITS), 1 << (slot.index % WORD_BITS));
        at.assert(10, core::ptr::eq(word, entry.word()) && bit == entry.bit(), "a remembered slot has another bit")?;
        at.assert(10, !present || word.local.load(Relaxed) & bit != 0, "a remembered slot is in use")?;
    }
    Ok(())
}

/// Checks what the owner has claimed of `class` (I13).
fn claimed<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S, class: Class) -> Result<(), Violation> {
    let (current, claim) = (s.local().bin(class).current(), s.local().cur(class).current());
    let Some(page) = current else {
        return At(PageNo::FIRST).assert(13, claim.is_none(), "a current word without a current slab");
    };
    let Some(Claim { word, free }) = claim else { return Ok(()) };
    let at = At(page);
    let header = s.map().header(page);
    let bits = bits_of::<SHIFT>(header);
    let number = bits.number_of(word);
    at.assert(13, number < bits.touched(), "the current word is none of the current slab's")?;
    let phantoms = Bits::phantoms(number, usize::from(Geometry::<SHIFT>::info(class).slots));
    let (local, remote) = (word.local.load(Relaxed), word.remote.load(Relaxed));
    at.assert(13, free & (local | remote | phantoms) == 0, "a claimed slot is free a second time, or is none")
}

fn owned<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(
    s: &S,
    page: PageNo,
    class: Class,
) -> Result<(), Violation> {
    let header = s.map().header(page);
    At(page).assert(8, header.is_slab() && header.class() == class, "a queue holds a page of another class")?;
    At(page).assert(8, header.owner.load(Relaxed) == s.token(), "a queue holds a slab of another owner")
}

/// How many slabs the owner's queues have, the current ones included.
pub(crate) fn listed<const SHIFT: u32, const C: usize, S: Supply<SHIFT, C>>(s: &S) -> usize {
    (0..C).map(|class| s.local().bin(Class::nth(class)).slabs(s.map()).count()).sum()
}

/// Checks that no slab is lost: of those whose owner word `is_theirs`, there are as many as their
/// queues have, `listed` (I8).
pub(crate) fn none_is_lost<const SHIFT: u32>(
    map: &PageMap<SHIFT>,
    listed: usize,
    is_theirs: impl Fn(usize) -> bool,
) -> Result<(), Violation> {
    let slabs = map.runs().map(|page| map.header(page)).filter(|header| header.is_slab());
    let owned = slabs.filter(|header| is_theirs(header.owner.load(Relaxed))).count();
    At(PageNo::FIRST).assert(8, owned == listed, "a slab with free slots is in no queue")
}
