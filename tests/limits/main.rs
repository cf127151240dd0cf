//! Memory that ends, in all the ways it can: limits from outside and at run time, a break that is
//! blocked or used by others, locked memory, system calls that are refused. The heap says ENOMEM
//! when there is no more, keeps what it gave, and works again once there is.

use std::env;
use std::fs;

use hmm_tests::{Run, Source, Way};

const ALL: [Way; 3] = [Way::Preload, Way::Archive, Way::Static];

/// A program of this folder, compiled and run with arguments in some ways; it passes in each.
fn passes(file: &str, ways: &[Way], prepare: impl Fn(Run) -> Run) {
    let source = Source::file(&format!("limits/{file}"));
    for &way in ways {
        println!("{way:?}");
        prepare(source.run(way)).run().ok().served();
    }
}

/// Memory is used up under a limit of the shell's, three times over: the limit, and how many MiB
/// must at least have been had before it was reached.
fn exhausted(limit: &str, at_least: &str) {
    passes("exhaust.c", &ALL, |run| run.arg(at_least).after(limit));
}

#[test]
fn data_8_mib() {
    exhausted("ulimit -d 8192", "2");
}

#[test]
fn data_64_mib() {
    exhausted("ulimit -d 65536", "48");
}

#[test]
fn address_space_1_gib() {
    exhausted("ulimit -v 1048576", "800");
}

#[test]
fn address_space_128_mib() {
    exhausted("ulimit -v 131072", "90");
}

#[test]
fn address_space_40_mb() {
    exhausted("ulimit -v 40000", "16");
}

#[test]
fn address_space_16_mb() {
    exhausted("ulimit -v 16000", "2");
}

#[test]
fn real_programs_under_a_limit() {
    for limit in ["ulimit -v 131072", "ulimit -d 8192"] {
        let script = "for ((i = 0; i < 5000; i++)); do list[i]=\"item $i\"; done; echo ${#list[@]}";
        let bash = Run::new("bash").args(["-c", script]).on_hmm();
        let outcome = bash.after(limit).run().exits(0).served();
        assert_eq!(outcome.text(), "5000\n");
        let ls = Run::new("ls").args(["-lR", "/etc"]).on_hmm().after(limit);
        ls.run().exits(0);
    }
}

#[test]
fn refusals_are_cheap() {
    let source = Source::file("limits/refusals.c").flags(&["-rdynamic"]);
    for way in [Way::Preload, Way::Static] {
        for limit in ["ulimit -d 102400", "ulimit -v 102400"] {
            println!("{way:?} {limit}");
            source.run(way).after(limit).run().ok().served();
        }
    }
}

#[test]
fn lowered_and_raised() {
    passes("lowered.c", &ALL, |run| run.arg("data"));
    passes("lowered.c", &ALL, |run| run.arg("address-space"));
}

#[test]
fn lowered_by_others() {
    passes("lowered.c", &ALL, |run| run.arg("by-others"));
}

#[test]
fn lowered_tightly() {
    passes("lowered.c", &ALL, |run| run.arg("tightly"));
}

#[test]
fn tables_where_all_is_inside_the_heap() {
    passes("metadata.c", &ALL, |run| run);
}

/// From the first block on, which is C++'s library's where there is one.
#[test]
fn the_break_where_malloc_is_ours() {
    let text = "#include <cstdio>\n#include <cstdlib>\nint main() { free(malloc(1)); puts(\"ok\"); }";
    let source = Source::text("program.cc", text);
    for way in ALL.into_iter().chain([Way::Shared]) {
        let outcome = source.run(way).run().ok().served();
        assert!(outcome.report().iter().any(|line| line.contains("reserve 0 B")), "{way:?}:\n{outcome}");
    }
}

#[test]
fn break_blocked() {
    passes("blocked.c", &ALL, |run| run.arg("start"));
    passes("blocked.c", &ALL, |run| run.arg("midway"));
}

#[test]
fn break_used_by_others() {
    passes("foreign.c", &ALL, |run| run);
}

#[test]
fn a_hole_that_is_given_back() {
    passes("hole.c", &ALL, |run| run);
}

#[test]
fn memory_locked() {
    passes("locked.c", &ALL, |run| run);
    passes("locked_page.c", &ALL, |run| run);
}

#[test]
fn little_may_be_locked() {
    let source = Source::file("limits/locked_little.c").flags(&["-rdynamic"]);
    for way in [Way::Preload, Way::Static] {
        source.run(way).run().ok().served();
    }
}

#[test]
fn mappings_used_up() {
    for who in ["ours", "theirs"] {
        passes("mappings.c", &[Way::Preload], |run| run.arg(who));
    }
}

/// The kernel refuses to move a block's pages: before it has begun, half-way, and after it has unmapped the place where they
/// were to go.
#[test]
fn moves_that_fail() {
    let source = Source::file("limits/moves.c").flags(&["-rdynamic"]);
    for way in [Way::Preload, Way::Static] {
        for what in ["data", "addresses", "mappings", "torn", "whole", "lost", "alone"] {
            println!("{way:?} {what}");
            source.run(way).arg(what).run().ok().served();
        }
    }
}

/// What the system must be able to hold counts, not what is used. The setting is the whole machine's:
/// this is for a machine of one's own, and who asks for it by `HMM_SYSTEM=1`.
#[test]
fn no_overcommit() {
    const SETTING: &str = "/proc/sys/vm/overcommit_memory";
    struct Restore(String);
    impl Drop for Restore {
        fn drop(&mut self) {
            fs::write(SETTING, &self.0).expect("what could be set can be set back");
        }
    }
    let before = fs::read_to_string(SETTING).unwrap_or_default();
    if env::var("HMM_SYSTEM").is_err() || before.is_empty() || fs::write(SETTING, "2").is_err() {
        return println!("skipped: HMM_SYSTEM=1, as root, would change a setting of the whole machine's");
    }
    let _restore = Restore(before);
    passes("exhaust.c", &ALL, |run| run.arg("16").after("ulimit -v 200000"));
    passes("foreign.c", &ALL, |run| run);
    let work = Source::file("life/work.c");
    for way in ALL {
        work.run(way).run().ok().served();
    }
}

#[test]
fn alignment_under_a_limit() {
    passes("aligned.c", &ALL, |run| run.after("ulimit -v 262144"));
}

/// Each system call alone, and all together, answer as a sandbox does from some moment on.
#[test]
fn calls_refused() {
    let source = Source::file("limits/refused.c");
    for way in [Way::Preload, Way::Static] {
        let program = source.run(way);
        for calls in [
            ["brk"].as_slice(),
            &["mmap"],
            &["mremap"],
            &["madvise"],
            &["munmap", "mprotect"],
            &["sched_yield", "getrandom"],
            &["brk", "mmap"],
            &["mmap", "mprotect"],
            &["brk", "mmap", "mremap", "madvise", "munmap", "mprotect"],
        ] {
            let errors = if way == Way::Static { &["EPERM"][..] } else { &["EPERM", "ENOSYS"] };
            for error in errors {
                println!("{way:?} {error} {calls:?}");
                let run = program.clone().arg(error).args(calls).seconds(60);
                run.run().ok().served();
            }
        }
    }
}

/// What is asked for once was asked for at the start.
#[test]
fn locked_in_after_the_start() {
    passes("locked_in.c", &ALL, |run| run);
}

/// A program that is started in the sandbox: it never had what is refused.
#[test]
fn calls_refused_from_the_start() {
    let (sandbox, work) = (Source::file("limits/refused.c"), Source::file("life/work.c"));
    for way in [Way::Preload, Way::Static] {
        let program = work.compile(way);
        for calls in [["brk"].as_slice(), &["mremap"], &["madvise"], &["sched_yield", "getrandom"]] {
            for error in ["EPERM", "ENOSYS"] {
                println!("{way:?} {error} {calls:?}");
                let run = sandbox.run(way).arg(error).args(calls).arg("--").arg(&program);
                run.run().ok().served();
            }
        }
    }
}

/// Each call fails once and many times in a row, in turn, in a program whose own functions stand before
/// libc's.
#[test]
fn calls_fail_in_turn() {
    let source = Source::file("limits/faulty.c").flags(&["-rdynamic"]);
    for way in [Way::Preload, Way::Static] {
        for call in ["sbrk", "mmap", "mprotect", "madvise", "mremap", "all"] {
            println!("{way:?} {call}");
            source.run(way).arg(call).run().ok().served();
        }
    }
}
