use super::*;
use crate::heap::found::Found;

#[test]
fn what_may_be_remembered_counts_as_free() {
    let loose = Loose::new();
    assert!(loose.remember(3 * KIB, 4 * KIB) && !loose.remember(2 * KIB, 4 * KIB));
    loose.add(KIB);
    assert_eq!(loose.excess(4 * KIB), 0);
    assert!(!loose.may_exceed(4 * KIB));
    loose.add(KIB);
    assert_eq!(loose.excess(4 * KIB), KIB);
    assert!(loose.may_exceed(4 * KIB));
    loose.license(8 * KIB);
    assert!(loose.remember(2 * KIB, 4 * KIB));
    assert_eq!(loose.settle(&Found::default()).0, 8 * KIB);
    assert_eq!((loose.remembered(), loose.excess(0)), (0, 0));
}

#[test]
fn slabs_are_counted_again_when_that_is_paid_for() {
    let loose = Loose::new();
    loose.recounted(&Found { medium: 3, held: 192 * KIB, ..Found::default() });
    let dues: [bool; 4] = core::array::from_fn(|_| {
        loose.add(48 * KIB);
        loose.is_recount_due()
    });
    assert_eq!(dues, [false, false, true, true]);
}

// (Where addresses have 32 bits, no thread can.)
#[cfg(target_pointer_width = "64")]
#[test]
fn a_thread_may_hold_more_than_products_of_64_bits_tell() {
    let loose = Loose::new();
    loose.held.set(1 << 40);
    loose.live.set(3 << 38);
    loose.freed.set(1 << 36);
    let free = loose.estimated_free();
    assert!((1 << 36..=1 << 37).contains(&free), "{free} bytes");
}

#[test]
fn a_part_goes_back_where_it_is_known_what_can() {
    let loose = Loose::new();
    loose.license(64 * KIB);
    loose.recounted(&Found { free: 80 * KIB, whole: 80 * KIB, held: 128 * KIB, pages: 192 * KIB, ..Found::default() });
    assert_eq!([KIB, 24 * KIB, 48 * KIB].map(|excess| loose.portion(excess)), [Some(16 * KIB), Some(24 * KIB), None]);
    loose.recounted(&Found { free: 56 * KIB, whole: 56 * KIB, held: 104 * KIB, pages: 192 * KIB, ..Found::default() });
    let counted = Found { held: 104 * KIB, pages: 192 * KIB, ..Found::default() };
    assert_eq!(loose.settle_some(&counted), (8 * KIB, [88 * KIB, 0]), "56 KiB stay licensed");
    assert_eq!(loose.excess(0), 0);
    loose.recounted(&Found { free: 56 * KIB, whole: 8 * KIB, held: 104 * KIB, ..Found::default() });
    assert_eq!(loose.portion(KIB), None, "most of what is free may lie among live blocks");
}

#[test]
fn what_comes_in_counted_is_no_reason_to_count() {
    let loose = Loose::new();
    loose.recounted(&Found { held: 192 * KIB, ..Found::default() });
    loose.add_counted(96 * KIB);
    assert_eq!((loose.excess(0), loose.is_recount_due()), (93 * KIB, false));
    loose.add(3 * KIB);
    assert!(loose.is_recount_due(), "3 KiB are the 64th part");
}
