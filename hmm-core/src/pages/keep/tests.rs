use super::*;
use crate::units::HOSTED_SHIFT;

const MIB: usize = 1024 * 1024;

/// Of what may always be kept, a sixth: a MiB, or less where pages are smaller.
const SIXTH: usize = Keep::<HOSTED_SHIFT>::FLOOR / 6;

/// Licences of `used` bytes in use, a MiB at a time, as many as are given.
fn licences(keep: &mut Keep<HOSTED_SHIFT>, used: usize) -> usize {
    licences_by(MIB, keep, used)
}

/// As [`licences`], `step` bytes at a time.
fn licences_by(step: usize, keep: &mut Keep<HOSTED_SHIFT>, used: usize) -> usize {
    (0..1000).take_while(|_| keep.license(used, step, false, usize::MAX)).count()
}

#[test]
fn one_thread_may_keep_what_the_rule_allows() {
    assert_eq!(licences_by(SIXTH, &mut Keep::new(), 0), 6);
    assert_eq!(licences_by(SIXTH, &mut Keep::new(), 320 * SIXTH), 30);
}

#[test]
fn of_many_threads_half_is_for_all_and_what_they_keep_makes_no_room() {
    let mut keep = Keep::new();
    keep.begin_crowd();
    assert_eq!(licences_by(SIXTH, &mut keep, 0), 3);
    let mut keep = Keep::new();
    keep.begin_crowd();
    // Of what is in use, more and more is what threads keep.
    assert_eq!(licences_by(SIXTH, &mut keep, 320 * SIXTH), 14);
}

/// Free runs of `bytes` go back and are taken again, while 100 MiB are in use.
fn swing_once(keep: &mut Keep<HOSTED_SHIFT>, bytes: usize) {
    keep.gave(bytes, 0);
    keep.took(bytes, 100 * MIB, 0);
}

/// As [`swing_once`], inside slabs.
fn swing_once_inside(keep: &mut Keep<HOSTED_SHIFT>, bytes: usize) {
    keep.gave_inside(0, bytes, bytes, 0);
    keep.took_inside(bytes, 100 * MIB, 0);
}

#[test]
fn what_swings_is_kept_inside_slabs_as_far_as_it_is_taken_again_there() {
    let mut keep = Keep::new();
    swing_once(&mut keep, 12 * MIB);
    assert_eq!(licences(&mut keep, 100 * MIB), 15, "all of little");
    let mut keep = Keep::new();
    swing_once(&mut keep, 40 * MIB);
    assert_eq!(licences(&mut keep, 100 * MIB), 16);
    let mut keep = Keep::new();
    swing_once(&mut keep, 80 * MIB);
    assert_eq!(keep.room(100 * MIB) << HOSTED_SHIFT, 100 * MIB);
    assert_eq!(licences(&mut keep, 100 * MIB), 25, "a quarter of much");
    assert!(keep.is_worth(25 * MIB) && !keep.is_worth(26 * MIB));
    swing_once_inside(&mut keep, 40 * MIB);
    assert_eq!(licences(&mut keep, 100 * MIB), 25, "a quarter more than was seen to swing there");
    assert!(keep.is_covered(100 * MIB));
    let inside = core::mem::replace(&mut keep.inside, Swing::new());
    assert!(!keep.is_covered(100 * MIB), "though as much swings elsewhere");
    keep.inside = inside;
    (0..400).for_each(|_| keep.freed(100 * MIB, 100 * MIB));
    assert!(!keep.is_covered(100 * MIB), "that is forgotten");
}

#[test]
fn what_swings_inside_slabs_alone_is_kept_there() {
    let mut keep = Keep::new();
    swing_once_inside(&mut keep, 80 * MIB);
    assert_eq!(licences(&mut keep, 100 * MIB), 100);
    let mut keep = Keep::new();
    keep.gave_inside(0, 80 * MIB, 4 * MIB, 0);
    keep.took_inside(80 * MIB, 100 * MIB, 0);
    assert_eq!(licences(&mut keep, 100 * MIB), 9, "the share: slabs lacked no more than 4 MiB");
}

#[test]
fn what_is_kept_inside_slabs_makes_no_room_for_more() {
    let mut keep = Keep::<HOSTED_SHIFT>::new();
    swing_once(&mut keep, 80 * MIB);
    swing_once_inside(&mut keep, 80 * MIB);
    assert_eq!(licences(&mut keep, 100 * MIB), 100);
    // All that is in use by blocks now is 20 MiB; before, it was 100.
    (0..200).for_each(|_| keep.freed(10 * MIB, 120 * MIB));
    for _ in 0..20 {
        keep.gave(40 * MIB, 0);
        keep.took(40 * MIB, 120 * MIB, 0);
        keep.freed(130 * MIB, 120 * MIB);
    }
    assert!(keep.allowed(120 * MIB) <= 120 * MIB, "{} MiB", keep.allowed(120 * MIB) / MIB);
}

#[test]
fn what_goes_back_from_inside_slabs_is_not_taken_elsewhere() {
    let mut keep = Keep::<HOSTED_SHIFT>::new();
    assert!(keep.license(500 * SIXTH, 40 * SIXTH, false, usize::MAX));
    keep.gave(SIXTH, 0);
    keep.gave_inside(40 * SIXTH, 40 * SIXTH, 40 * SIXTH, 0);
    keep.took(SIXTH, 20 * SIXTH, 0);
    assert!(!keep.is_worth(9 * SIXTH), "a sixth was taken again, and no more");
    assert_eq!(keep.allowed(20 * SIXTH), Keep::<HOSTED_SHIFT>::FLOOR);
    let mut keep = Keep::<HOSTED_SHIFT>::new();
    assert!(keep.license(500 * SIXTH, 40 * SIXTH, false, usize::MAX));
    keep.gave(SIXTH, 0);
    keep.gave_inside(40 * SIXTH, 0, 0, 0);
    keep.took(SIXTH, 20 * SIXTH, 0);
    assert_eq!(keep.allowed(20 * SIXTH), Keep::<HOSTED_SHIFT>::FLOOR, "nothing of the licence was used");
}

#[test]
fn large_blocks_that_are_kept_are_a_part_of_the_bound() {
    let all = |mut keep: Keep<HOSTED_SHIFT>, used: usize| {
        let kept = (0..100).take_while(|_| keep.license_kept(used, SIXTH, usize::MAX)).count();
        assert!(kept <= 6);
        keep.return_kept(SIXTH);
        assert!(keep.license_kept(used, SIXTH, usize::MAX), "what is returned can be had again");
        let inside = licences_by(SIXTH, &mut keep, used);
        assert!(keep.is_covered(used));
        kept + inside
    };
    assert_eq!(all(Keep::new(), 0), 6);
    assert_eq!(all(Keep::new(), 320 * SIXTH), 30);
    let mut fixed = Keep::new();
    fixed.set(Some(2 * SIXTH));
    assert_eq!(all(fixed, 320 * SIXTH), 2);
    let mut crowd = Keep::new();
    crowd.begin_crowd();
    assert_eq!(all(crowd, 0), 3);
}

#[test]
fn most_of_a_limit_is_for_all() {
    let mut keep = Keep::<HOSTED_SHIFT>::new();
    let limit = 128 * SIXTH;
    swing_once(&mut keep, 80 * SIXTH);
    assert!(keep.license_kept(0, 2 * SIXTH, limit) && !keep.license_kept(0, SIXTH, limit));
    assert!(keep.license(0, 16 * SIXTH, false, limit) && !keep.license(0, SIXTH, true, limit));
    assert!(keep.keeps_little_large(limit, 0) && keep.keeps_little_inside(limit, 0));
    let lowered = limit / 2;
    assert!(!keep.keeps_little_large(lowered, 0) && !keep.keeps_little_inside(lowered, 0));
    keep.return_license(16 * SIXTH);
    assert!(keep.license(0, 8 * SIXTH, false, lowered), "though too much is kept as large blocks");
}

#[test]
fn what_many_threads_took_again_tells_nothing_of_few() {
    let mut keep = Keep::new();
    keep.begin_crowd();
    swing_once(&mut keep, 80 * MIB);
    swing_once_inside(&mut keep, 80 * MIB);
    assert!(keep.end_crowd(10 * MIB));
    assert_eq!(licences(&mut keep, 10 * MIB), 10);
}

#[test]
fn a_bound_of_the_user_holds_for_all() {
    let mut keep = Keep::new();
    keep.set(Some(2 * MIB));
    assert_eq!(licences(&mut keep, 320 * MIB), 2);
}
