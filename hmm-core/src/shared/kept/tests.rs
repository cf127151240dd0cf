use super::*;
use crate::units::HOSTED_SHIFT as SHIFT;

/// Makes it the header of a large block of so many pages.
fn make_large(header: &Header, pages: u32) {
    header.set_run(pages);
    header.set_kind(Kind::Large);
}

/// Three runs of two pages each, side by side, are freed, as blocks that were taken last or not.
fn free_three(in_turns: bool) -> Option<u32> {
    let table: [Header; 6] = core::array::from_fn(|_| Header::default());
    let kept = Kept::new();
    for first in [0, 2, 4] {
        let start = ptr::without_provenance_mut((first + 1) << SHIFT);
        let header = &table[first];
        make_large(header, 2);
        if in_turns {
            kept.note_taken(start);
        }
        assert!(kept.put(|_| true, start, header).is_ok_and(|out| out.is_none()));
    }
    assert!(kept.take(7, SHIFT).is_none());
    (1..=6).rev().find(|&pages| kept.take(pages, SHIFT).is_some())
}

#[test]
fn neighbours_are_joined_where_a_thread_takes_and_frees_in_turns() {
    assert_eq!(free_three(true), Some(6));
    assert_eq!(free_three(false), Some(2), "best fit: each by itself");
}

#[test]
fn a_block_grows_into_what_is_kept_right_behind_it() {
    let table: [Header; 8] = core::array::from_fn(|_| Header::default());
    let (kept, start) = (Kept::new(), ptr::without_provenance_mut(1 << SHIFT));
    make_large(&table[0], 8);
    kept.note_taken(start);
    assert!(kept.put(|_| true, start, &table[0]).is_ok_and(|out| out.is_none()));
    let lengthen = |want| kept.lengthen(&table[0], want, SHIFT).map_err(|short| short.map(Header::run));
    assert!(kept.take(3, SHIFT).is_some());
    assert_eq!((lengthen(3), kept.pages.get()), (Err(None), 5), "as long already");
    assert_eq!((lengthen(5), table[0].run(), kept.pages.get()), (Ok(()), 5, 3));
    assert_eq!((table[3].kind(), table[5].kind(), table[5].run()), (Kind::Blank, Kind::Kept, 3));
    assert_eq!((lengthen(9), kept.pages.get()), (Err(Some(3)), 0), "too short: it goes back");
    assert_eq!(lengthen(9), Err(None));
}

#[test]
fn a_block_that_grew_tells_of_pages_that_were_moved_into_it() {
    let table: [Header; 8] = core::array::from_fn(|_| Header::default());
    let kept = Kept::new();
    for (head, pages) in [(0, 2), (2, 4)] {
        make_large(&table[head], pages);
    }
    table[0].set(Mark::Shrunk);
    table[2].mark_only_moved(true);
    assert!(kept.put(|_| true, ptr::without_provenance_mut(3 << SHIFT), &table[2]).is_ok());
    assert!(kept.lengthen(&table[0], 4, SHIFT).is_ok());
    assert!(table[0].is_moved() && table[0].has(Mark::Shrunk) && table[4].is_moved());
}

#[test]
fn a_block_takes_all_that_is_kept_behind_it() {
    let table: [Header; 4] = core::array::from_fn(|_| Header::default());
    let (kept, start) = (Kept::new(), ptr::without_provenance_mut(1 << SHIFT));
    make_large(&table[0], 4);
    kept.note_taken(start);
    assert!(kept.put_first(start, &table[0]).is_none(), "that takes a licence");
    assert!(kept.put(|_| true, start, &table[0]).is_ok());
    assert!(kept.take(1, SHIFT).is_some());
    assert!(kept.lengthen(&table[0], 4, SHIFT).is_ok());
    assert_eq!((table[0].run(), table[1].kind(), kept.pages.get()), (4, Kind::Blank, 0));
    assert_eq!(kept.put_first(start, &table[0]), Some(4), "within the licence that it had");
}
