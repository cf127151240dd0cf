//! The whole life of a process: threads that come and go, forks, the times before `main` and
//! after it, libraries that are loaded and unloaded, and unusual ways to start ([`starts`]).
//! `HMM_ROUNDS=100` makes what can be repeated a hundred times as long.

mod starts;

use std::fs;

use hmm_tests::{Source, Way, library};

const ALL: [Way; 3] = [Way::Preload, Way::Archive, Way::Static];
const DYNAMIC: [Way; 2] = [Way::Preload, Way::Archive];

/// A test that compiles a program of this folder in some ways, and sees it pass in each.
macro_rules! programs {
    ($($name:ident: $file:literal, $ways:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let source = Source::file(concat!("life/", $file));
                for way in $ways {
                    println!("{way:?}");
                    source.run(way).seconds(60).run().ok().served();
                }
            }
        )*
    };
}

programs! {
    come_and_go: "come_and_go.c", ALL;
    hand_over: "hand_over.c", ALL;
    fork_among_threads: "fork.c", ALL;
    fork_in_a_signal_handler: "signal_fork.c", DYNAMIC;
    fork_in_a_signal_handler_among_many: "signal_fork_crowd.c", DYNAMIC;
    fork_among_frees: "fork_frees.c", ALL;
    fork_among_endings: "fork_endings.c", ALL;
    fork_against_stdio: "fork_stdio.c", DYNAMIC;
    fork_against_names: "fork_nss.c", DYNAMIC;
    fork_against_locks: "fork_locks.c", ALL;
    fork_of_a_crowd: "fork_crowd.c", ALL;
    fork_of_a_fork: "generations.c", ALL;
    exit_in_a_signal_handler: "signal_exit.c", DYNAMIC;
    exit_in_a_signal_handler_among_many: "signal_exit_crowd.c", [Way::Preload];
    spawn: "spawn.c", DYNAMIC;
    endings: "endings.c", ALL;
    late_start: "late_start.c", [Way::Archive, Way::Static];
    thread_locals: "thread_locals.cc", ALL;
    small_stack: "small_stack.c", DYNAMIC;
    far_stacks: "far_stacks.c", ALL;
    crowd_grows: "crowd_grows.c", [Way::Preload];
    cancel: "cancel.c", DYNAMIC;
    main_leaves: "main_leaves.c", ALL;
    exit_while_busy: "exit_while_busy.c", ALL;
    pairs: "pairs.c", ALL;
    early: "early.c", ALL;
    work: "work.c", ALL;
    fork_behind_libc: "raw.c", ALL;
    stopped: "stopped.c", ALL;
    descriptors_used_up: "descriptors.c", ALL;
    descriptors_are_the_programs_own: "own_descriptors.c", ALL;
    exec: "exec.c", ALL;
}

/// Signals that wait until the heap is done with what they would interrupt.
#[test]
fn leaving_a_signal_handler_by_a_jump() {
    let holds = |source: &Source, way| source.run(way).env("HMM_HOLD_SIGNALS", "1").seconds(60);
    let (source, sweep) = (Source::file("life/signal_jump.c"), Source::file("life/signal_jump_sweep.c"));
    for way in ALL {
        holds(&source, way).run().ok().served();
        // (Without a bound of the user's, the rule keeps what is taken again each time.)
        holds(&sweep, way).env("HMM_KEEP", "1M").run().ok().served();
    }
}

/// Signals that do not wait, as no lock is held: frees of others' blocks are left in the middle.
#[test]
fn leaving_a_free_by_a_jump() {
    let source = Source::file("life/signal_jump_remote.c");
    for way in ALL {
        source.run(way).env("HMM_HOLD_SIGNALS", "1").seconds(60).run().ok().served();
    }
}

/// glibc has room for 48 fork handlers and allocates for more: HMM's own may be the one too many.
#[test]
fn fork_handlers_before_the_first_allocation() {
    let source = Source::file("life/handlers.c");
    for way in ALL {
        let program = source.run(way);
        for handlers in ["0", "47", "48", "49", "500"] {
            println!("{way:?}: {handlers}");
            program.clone().env("HANDLERS", handlers).seconds(10).run().ok().served();
        }
    }
}

/// Forks after HMM was finalised: its handlers run still.
#[test]
fn fork_at_exit() {
    let module = Source::file("life/exit_forks_library.c");
    let module_file = module.compile_shared("module.so");
    for way in DYNAMIC {
        let source = Source::file("life/exit_forks.c").flags(&["-rdynamic"]);
        source.run(way).arg(&module_file).seconds(60).run().ok().served();
    }
}

/// Loaded, used and unloaded over and over, and twenty copies at a time.
#[test]
fn dlopen() {
    let source = Source::file("life/dlopen.c");
    let copies: Vec<_> = (0..20)
        .map(|n| {
            let copy = source.folder().join(format!("copy{n}.so"));
            fs::copy(&library().shared, &copy).expect("the library is copied");
            copy
        })
        .collect();
    source.run(Way::Plain).args(copies).run().ok();
}

/// The module's thread-local objects free when their thread ends, after `dlclose`.
#[test]
fn dlclose_of_a_module_with_thread_locals() {
    let module = Source::file("life/module.cc");
    let module_file = module.compile_shared("module.so");
    for way in DYNAMIC {
        // A linked program shows its heap to the module only so.
        let source = Source::file("life/host.c").flags(&["-rdynamic"]);
        source.run(way).arg(&module_file).run().ok().served();
    }
}

/// The first operators of arrays are called in the midst of what a program has with the loader.
#[test]
fn arrays_while_the_loader_is_at_work() {
    let module = Source::file("life/waiting_module.c");
    let module_file = module.compile_shared("waiting.so");
    for way in DYNAMIC {
        let source = Source::file("life/loader.cc").flags(&["-rdynamic"]);
        source.run(way).arg(&module_file).seconds(10).run().ok().served();
    }
}

/// Sanitizers take the place of libc's functions, and allocate before they know where those are.
#[test]
fn programs_with_a_sanitizer_start() {
    for (sanitizer, way) in [("address", Way::Archive), ("thread", Way::Archive), ("thread", Way::Preload)] {
        // The program itself names nothing that only HMM has.
        let source = Source::file("life/work.c").flags(&[&format!("-fsanitize={sanitizer}"), "-Wl,-u,HmmAlloc"]);
        let run = source.run(way).env("ASAN_OPTIONS", "detect_leaks=0").env("TSAN_OPTIONS", "report_bugs=0");
        run.run().ok().served();
    }
}

/// A plugin that brings the heap with it, as a Rust one does whose global allocator HMM is.
#[test]
fn dlclose_of_a_module_with_a_heap() {
    let archive = library().archive.to_string_lossy();
    let module = Source::file("life/unloaded_module.c").flags(&["-Wl,-u,HmmAlloc", &archive]);
    let module_file = module.compile_shared("module.so");
    Source::file("life/unloaded.c").run(Way::Plain).arg(&module_file).run().ok();
}

/// Opened with `RTLD_DEEPBIND`, as php opens its extensions.
#[test]
fn modules_that_bind_deeply() {
    let module = Source::file("life/deepbind_module.c").flags(&["-Wl,--enable-new-dtags,-rpath,$ORIGIN/inner"]);
    fs::create_dir(module.folder().join("inner")).expect("a folder");
    let outer = module.compile_shared("outer.so");
    module.compile_shared("inner/another.so");
    for way in DYNAMIC {
        let source = Source::file("life/deepbind.c").flags(&["-rdynamic"]);
        source.run(way).arg(&outer).arg("another.so").run().ok().served();
    }
}

/// Namespaces with a libc of their own, whose heap is not ours.
#[test]
fn dlmopen() {
    let module = Source::file("life/dlmopen_module.c");
    let module_file = module.compile_shared("module.so");
    for way in DYNAMIC {
        Source::file("life/dlmopen.c").run(way).arg(&module_file).run().ok().served();
    }
}

/// Keys for thread-specific data, made before the heap makes its own.
#[test]
fn keys_taken_before() {
    let source = Source::file("life/keys.c");
    for way in ALL {
        for taken in ["40", "all"] {
            source.run(way).arg(taken).run().ok().served();
        }
    }
}

/// A library that is preloaded, too, and runs before HMM and after it.
#[test]
fn preloaded_beside_another() {
    let other = Source::file("life/preloaded.c").compile_shared("other.so");
    let (hmm, other) = (library().shared.display().to_string(), other.display().to_string());
    let work = Source::file("life/work.c");
    for both in [format!("{hmm}:{other}"), format!("{other}:{hmm}")] {
        let run = work.run(Way::Plain).env("LD_PRELOAD", both).env("HMM_STATS", "1");
        run.run().ok().served();
    }
}
