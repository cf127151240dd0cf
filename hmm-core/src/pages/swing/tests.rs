use super::trial::MOST_PATIENCE;
use super::*;

const MIB: usize = 1024 * 1024;

/// What is freed at once goes back, and is taken again.
fn swing_once(swing: &mut Swing, bytes: usize, used: usize) {
    swing.freed(bytes, used);
    swing.gave(bytes, 0);
    swing.took(bytes, 0, used);
}

#[test]
fn a_swing_is_kept_as_wide_as_it_was_and_not_much_wider_than_what_was_in_use() {
    let mut swing = Swing::new();
    swing_once(&mut swing, 64 * MIB, 100 * MIB);
    assert_eq!(swing.width(), 80 * MIB, "a quarter more");
    swing_once(&mut swing, 98 * MIB, 100 * MIB);
    assert_eq!(swing.width(), 112 * MIB + MIB / 2, "an eighth more");
}

#[test]
fn what_was_in_use_before_the_last_look_counts_and_what_was_long_ago_does_not() {
    let after_looks = |looks: usize| {
        let mut swing = Swing::new();
        swing.freed(MIB, 100 * MIB);
        for _ in 0..looks {
            swing.forget();
        }
        swing.gave(64 * MIB, 0);
        swing.took(64 * MIB, 0, 16 * MIB);
        swing.width()
    };
    assert_eq!([0, 1, 2].map(after_looks), [80 * MIB, 80 * MIB, 18 * MIB]);
}

#[test]
fn what_cannot_be_taken_again_is_no_part_of_a_swing() {
    let mut swing = Swing::new();
    swing.freed(MIB, 100 * MIB);
    swing.gave(64 * MIB, 0);
    swing.lacks(4 * MIB);
    swing.took(8 * MIB, 0, 100 * MIB);
    assert_eq!(swing.width(), 5 * MIB);
}

/// One of 64 MiB, of which 80 are kept.
fn wide() -> Swing {
    let mut swing = Swing::new();
    swing_once(&mut swing, 64 * MIB, 100 * MIB);
    swing
}

/// As [`wide`], after more mistakes than it takes to look as far back as ever.
fn mistaken() -> Swing {
    let mut swing = wide();
    for _ in 0..4 {
        swing.unneeded.forget();
        swing.unneeded.miss();
    }
    swing
}

/// How many times its width is freed before a swing that does not come again is forgotten.
fn times_until_forgotten(mut swing: Swing) -> usize {
    let width = swing.width();
    let mut passed = 0;
    while swing.width() > LEAST_SWING {
        swing.freed(MIB, 20 * MIB);
        passed += MIB;
    }
    passed / width
}

#[test]
fn a_swing_that_does_not_come_again_is_forgotten() {
    let times = times_until_forgotten(wide());
    assert!((4..25).contains(&times), "not at once, but soon: {times}");
}

#[test]
fn one_that_was_missed_before_is_forgotten_in_twice_the_time() {
    let times = times_until_forgotten(mistaken());
    assert!((32..52).contains(&times), "eight looks come first: {times}");
}

#[test]
fn one_that_is_narrowed_begins_anew() {
    let mut swing = mistaken();
    swing.narrow(40 * MIB);
    let times = times_until_forgotten(swing);
    assert!(times < 25, "what was missed before is another's: {times}");
}

/// Of what is kept, `runs` bytes of free runs at the least were never used.
fn look_once(swing: &mut Swing, runs: usize) {
    let size = swing.width().max(LEAST_SWING);
    swing.keeps(swing.width(), runs, swing.width());
    swing.freed(TURNS * size + MIB, 100 * MIB);
}

/// One of which nothing is forgotten to try for a while.
fn patient() -> Swing {
    let mut swing = wide();
    // What went back just now, and what is tried first.
    look_once(&mut swing, 0);
    look_once(&mut swing, 0);
    swing.trial.patience = MOST_PATIENCE;
    swing
}

#[test]
fn what_was_put_to_use_is_not_forgotten_but_what_never_was_is() {
    let mut swing = patient();
    let before = swing.width();
    (2..MOST_PATIENCE).for_each(|_| look_once(&mut swing, 0));
    assert_eq!(swing.width(), before, "all was used");
    (0..8).for_each(|_| {
        let unused = swing.width() / 2;
        look_once(&mut swing, unused);
    });
    assert!(swing.width() < before / 2, "{} of {before} bytes", swing.width());
}

#[test]
fn what_was_forgotten_and_missed_is_kept_longer_the_next_time() {
    let mut swing = patient();
    // Of every five looks the first and the last need all, the others half. (A little is forgotten
    // to try, too.)
    let forgets = |swing: &mut Swing| {
        let before = swing.width();
        (0..4).for_each(|look| look_once(swing, if look == 0 { 0 } else { swing.width() / 2 }));
        let forgot = swing.width() < before / 32 * 30;
        if forgot {
            swing_once(swing, 64 * MIB, 100 * MIB);
        }
        look_once(swing, 0);
        forgot
    };
    let forgot: [bool; 24] = core::array::from_fn(|_| forgets(&mut swing));
    assert!(forgot[0], "the last look decides at first");
    assert_eq!(forgot[12..], [false; 12], "not after a few mistakes");
    (0..MOST_PATIENCE).for_each(|_| {
        let unused = swing.width() / 2;
        look_once(&mut swing, unused);
    });
    assert!(swing.width() < 16 * MIB, "{} bytes of what is needed no more", swing.width());
}

#[test]
fn nothing_is_tried_while_most_of_what_is_free_is_seen_to_be_used() {
    let mut swing = wide();
    let before = swing.width();
    let look = |swing: &mut Swing, low: usize| {
        swing.keeps(0, 0, low);
        look_once(swing, 0);
    };
    (0..2 * MOST_PATIENCE).for_each(|_| look(&mut swing, before / 5));
    assert_eq!(swing.width(), before, "a fifth was left");
    (0..2 * MOST_PATIENCE).for_each(|_| look(&mut swing, before / 3));
    assert!(swing.width() < before / 2, "a third was left each time: {} of {before} bytes", swing.width());
}

#[test]
fn what_was_not_needed_once_is_not_forgotten_if_it_is_little() {
    let mut swing = patient();
    let before = swing.width();
    (2..MOST_PATIENCE).for_each(|_| look_once(&mut swing, before / 3));
    assert_eq!(swing.width(), before, "two thirds were used, and a quarter of that is kept beside");
}

#[test]
fn the_more_often_it_was_a_mistake_the_longer_it_takes_to_forget() {
    let mut swing = Swing::new();
    let looks = || {
        swing_once(&mut swing, 64 * MIB, 100 * MIB);
        look_once(&mut swing, 0);
        let before = swing.width();
        let look = |_| {
            look_once(&mut swing, 0);
            swing.width() >= before
        };
        (0..2 * MOST_PATIENCE).map(look).take_while(|&same| same).count() as u32
    };
    let late = core::iter::repeat_with(looks).skip(20).take(20).all(|looks| looks + 1 >= MOST_PATIENCE);
    assert!(late, "each time but the first few");
}

/// Memory goes back in one turn and is taken in the next: neither has both.
#[test]
fn a_flow_may_cross_turns() {
    let mut swing = Swing::new();
    let used = 10 * MIB;
    swing.took(4 * MIB, 0, used);
    for _ in 0..4 {
        swing.gave(4 * MIB, 0);
        swing.freed(used + 1, used);
        // (As seen from the peak, this is none: as much is kept by then.)
        swing.took(4 * MIB, 4 * MIB, used);
        swing.freed(used + 1, used);
    }
    assert!(swing.width() >= 4 * MIB, "{} bytes", swing.width());
}
