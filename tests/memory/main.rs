//! How much memory the heap holds: never more than the program's own and a bound, whatever came
//! before; never more than a limit; nothing after a trim. What it says of itself is what the kernel
//! says.

use hmm_tests::{Run, Source, Way};

/// A program of this folder, compiled and run in two ways; it passes in each.
fn passes(file: &str, prepare: impl Fn(Run) -> Run) {
    let source = Source::file(&format!("memory/{file}"));
    for way in [Way::Shared, Way::Static] {
        println!("{way:?}");
        prepare(source.run(way)).run().ok();
    }
}

#[test]
fn bounds_of_the_users() {
    for keep in ["0", "1048576", "8388608", "67108864"] {
        passes("bound.c", |run| run.arg(keep));
        passes("bound.c", |run| run.arg(keep).env("HMM_HUGE_PAGES", "0"));
    }
}

#[test]
fn a_threshold_of_the_programs_comes_and_goes() {
    passes("threshold.c", |run| run.arg("8388608"));
    for keep in ["0", "1048576", "67108864"] {
        passes("threshold.c", |run| run.arg(keep).env("HMM_KEEP", keep));
    }
}

#[test]
fn bound_by_the_rule() {
    passes("bound.c", |run| run.arg("rule"));
    passes("bound.c", |run| run.arg("nearly"));
    passes("bound.c", |run| run.arg("large"));
    passes("bound.c", |run| run.arg("once"));
    passes("bound.c", |run| run.arg("strewn"));
    passes("bound.c", |run| run.arg("turned"));
}

#[test]
fn the_last_few_of_a_list_free_its_pages() {
    for size in ["16", "48", "200"] {
        passes("bound.c", |run| run.arg("list").arg(size));
    }
}

#[test]
fn large_blocks_fit_and_what_is_taken_again_stays() {
    passes("large.c", |run| run.arg("images"));
    passes("large.c", |run| run.arg("buffers"));
    passes("large.c", |run| run.arg("vectors"));
    passes("large.c", |run| run.arg("swings"));
}

#[test]
fn blocks_that_shrink_give_back() {
    passes("large.c", |run| run.arg("shrunk"));
}

#[test]
fn loops_take_their_memory_once() {
    passes("large.c", |run| run.arg("loops"));
    passes("large.c", |run| run.arg("zeroed"));
}

#[test]
fn one_block_that_grows_does_not_march() {
    passes("large.c", |run| run.arg("march"));
}

#[test]
fn a_steady_sawtooth_settles_and_is_forgotten() {
    passes("large.c", |run| run.args(["sawtooth", "17000", "3072"]));
    passes("large.c", |run| run.args(["sawtooth", "40000", "3072"]));
    passes("large.c", |run| run.args(["uneven", "17000", "3072"]));
    // Large blocks alone tell of what lies free inside slabs as well.
    passes("large.c", |run| run.args(["sawtooth", "17000", "100000"]));
}

#[test]
fn what_is_kept_makes_no_room_for_more() {
    passes("drift.c", |run| run);
}

#[test]
fn limits() {
    passes("limit.c", |run| run.arg("0"));
    passes("limit.c", |run| run.arg("67108864").env("HMM_LIMIT", "64M"));
    passes("limit.c", |run| run.arg("20000000").env("HMM_LIMIT", "20000000"));
}

#[test]
fn everything_free_goes_back_at_once() {
    passes("trim.c", |run| run);
}

#[test]
fn a_thousand_threads_leave_no_more_than_one() {
    passes("threads.c", |run| run.arg("ended"));
}

#[test]
fn threads_that_sleep_hold_little() {
    passes("threads.c", |run| run.arg("idle"));
    passes("threads.c", |run| run.arg("bursts"));
}

#[test]
fn pairs_of_large_sizes() {
    passes("threads.c", |run| run.arg("pairs"));
}

#[test]
fn threads_that_need_little_share_it() {
    passes("threads.c", |run| run.arg("few"));
    passes("threads.c", |run| run.arg("apart"));
}

#[test]
fn threads_that_only_free() {
    passes("others.c", |run| run.arg("frees"));
}

#[test]
fn threads_that_free_each_others_at_once() {
    for _ in 0..12 {
        passes("others.c", |run| run.arg("neighbours"));
    }
}

#[test]
fn large_blocks_that_are_kept_give_way() {
    passes("kept.c", |run| run.arg("lowered"));
    passes("kept.c", |run| run.arg("limited"));
}

#[test]
fn what_others_free_in_the_pages_of_a_sleeper_comes_back() {
    passes("remote.c", |run| run.arg("sleeper"));
    passes("remote.c", |run| run.arg("beside"));
}

#[test]
fn what_a_thread_left_comes_back() {
    for size in ["1000", "8000", "17000", "40000", "100000", "1000000"] {
        passes("remote.c", |run| run.args(["left", size]));
    }
}

#[test]
fn huge_pages_only_where_they_pay() {
    for asked in ["0", "1"] {
        passes("huge.c", |run| run.arg(asked).env("HMM_HUGE_PAGES", asked));
    }
    passes("huge.c", |run| run.arg("slabs"));
    passes("huge.c", |run| run.arg("mixed"));
    passes("huge.c", |run| run.arg("partly"));
}

#[test]
fn no_huge_pages_where_nobody_tells_what_comes_unasked() {
    // A static program: others' loaders look into files first.
    Source::file("memory/advice.c").run(Way::Static).arg("unknown").run().ok();
}

#[test]
fn no_huge_pages_for_who_wants_none() {
    passes("advice.c", |run| run.arg("0").env("HMM_HUGE_PAGES", "0"));
    passes("advice.c", |run| run.arg("calls"));
}

/// Real programs under a limit of HMM's end as they do when there is no memory.
#[test]
fn a_real_program_under_a_limit() {
    let script = "x = [0] * 1000\ntry:\n    x = bytearray(1 << 30)\nexcept MemoryError:\n    print('refused')";
    let python = || Run::new("/usr/bin/python3").args(["-c", script]).on_hmm();
    assert_eq!(python().env("HMM_LIMIT", "256M").run().exits(0).served().text(), "refused\n");
    assert_eq!(python().run().exits(0).served().text(), "");
}

/// What is no size is named and has no effect; nothing else is said.
#[test]
fn bad_values_are_named() {
    let hello = || Run::new("echo").arg("hello").preload();
    for (name, value) in
        [("HMM_LIMIT", "lots"), ("HMM_KEEP", "8MB"), ("HMM_LIMIT", " "), ("HMM_KEEP", "-1"), ("HMM_HUGE_PAGES", "yes")]
    {
        let outcome = hello().env(name, value).run().exits(0);
        assert_eq!(outcome.text(), "hello\n");
        assert!(outcome.stderr.contains(&format!("hmm: {name}={value} is ignored")), "{outcome}");
    }
    // An empty one is as none.
    let empty = ["HMM_LIMIT", "HMM_KEEP", "HMM_HUGE_PAGES", "HMM_HOLD_SIGNALS", "HMM_STATS"].map(|name| (name, ""));
    for (name, value) in [("HMM_LIMIT", "1G"), ("HMM_KEEP", "0"), ("HMM_KEEP", "16m")].into_iter().chain(empty) {
        assert_eq!(hello().env(name, value).run().exits(0).stderr, "");
    }
}
