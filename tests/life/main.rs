//! The whole life of a process: threads that come and go, forks, the times before `main` and
//! after it, libraries that are loaded and unloaded, and unusual ways to start.

use std::fs;

use hmm_tests::{Run, Source, Way, library};

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
    fork_against_stdio: "fork_stdio.c", DYNAMIC;
    exit_in_a_signal_handler: "signal_exit.c", DYNAMIC;
    spawn: "spawn.c", DYNAMIC;
    endings: "endings.c", ALL;
    thread_locals: "thread_locals.cc", ALL;
    small_stack: "small_stack.c", DYNAMIC;
    cancel: "cancel.c", DYNAMIC;
    main_leaves: "main_leaves.c", ALL;
    exit_while_busy: "exit_while_busy.c", ALL;
    pairs: "pairs.c", ALL;
    early: "early.c", ALL;
    work: "work.c", ALL;
}

/// Signals that wait until the heap is done with what they would interrupt.
#[test]
fn leaving_a_signal_handler_by_a_jump() {
    let source = Source::file("life/signal_jump.c");
    for way in ALL {
        source.run(way).env("HMM_HOLD_SIGNALS", "1").seconds(60).run().ok().served();
    }
}

/// `work.c` by preload, started in some unusual way.
fn works(start: impl Fn(&Source) -> Run) {
    let source = Source::file("life/work.c");
    start(&source).run().ok().served();
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

#[test]
fn by_the_dynamic_linker() {
    works(|source| {
        let program = source.compile(Way::Preload);
        let headers = Run::new("readelf").arg("-lW").arg(&program).run().text();
        let linker = headers
            .split("interpreter: ")
            .nth(1)
            .and_then(|rest| rest.split(']').next())
            .expect("a dynamic program names its linker");
        Run::new(linker).arg(program).on_hmm()
    });
    // And with the linker's own option.
    works(|source| {
        let program = source.compile(Way::Preload);
        let linker = fs::canonicalize("/lib64/ld-linux-x86-64.so.2");
        let linker = linker.or_else(|_| fs::canonicalize("/lib/ld-linux-aarch64.so.1"));
        Run::new(linker.expect("glibc's linker"))
            .arg("--preload")
            .arg(&library().shared)
            .arg(program)
            .env("HMM_STATS", "1")
    });
}

#[test]
fn at_fixed_addresses() {
    works(|source| Run::new("setarch").arg("-R").arg(source.compile(Way::Preload)).on_hmm());
    for flag in ["-no-pie", "-static-pie"] {
        let source = Source::file("life/work.c").flags(&[flag]);
        source.run(Way::Archive).run().ok().served();
    }
}

#[test]
fn without_a_stack_limit() {
    works(|source| source.run(Way::Preload).after("ulimit -s unlimited"));
    works(|source| {
        let legacy = Run::new("setarch").arg("--addr-compat-layout");
        legacy.arg(source.compile(Way::Preload)).on_hmm()
    });
}

/// valgrind gives the break 8 MiB, and runs on a CPU of its own.
#[test]
fn under_valgrind() {
    let source = Source::file("life/work.c");
    let valgrind = Run::new("valgrind").args(["--tool=none", "-q"]);
    valgrind.arg(source.compile(Way::Preload)).on_hmm().run().ok().served();
    let valgrind = Run::new("valgrind").args(["--tool=none", "-q"]);
    let linked = valgrind.arg(source.compile(Way::Archive)).env("HMM_STATS", "1");
    linked.run().ok().served();
}

#[test]
fn with_the_linker_told_otherwise() {
    works(|source| source.run(Way::Preload).env("LD_BIND_NOW", "1"));
    works(|source| {
        let log = source.folder().join("log");
        let run = source.run(Way::Preload).env("LD_DEBUG", "bindings");
        run.env("LD_DEBUG_OUTPUT", log.to_string_lossy())
    });
}

/// No environment at all, but for what the preload needs; and none whatever, linked.
#[test]
fn without_environment() {
    let source = Source::file("life/work.c");
    for way in [Way::Preload, Way::Archive, Way::Static] {
        let run = Run::new("/usr/bin/env").arg("-i");
        let run = if way == Way::Preload { run.arg(format!("LD_PRELOAD={}", library().shared.display())) } else { run };
        let outcome = run.arg(source.compile(way)).run().ok();
        assert!(outcome.stderr.is_empty(), "nobody asked for a report:\n{outcome}");
    }
}

/// What HMM has to say goes to standard error as the program was given it, and nowhere else: a
/// file of the program's own that got number 2 stays clean.
#[test]
fn closed_descriptors() {
    let source = Source::file("life/closed.c");
    let way = Way::Preload;
    let closed = "exec <&- >&- 2>&-";
    for (before, words) in [
        // Started without the three, it opens a file of its own, which gets one of the numbers.
        (closed, ["file", "exit"]),
        (closed, ["file", "misuse"]),
        (closed, ["none", "exit"]),
        (closed, ["none", "misuse"]),
        // Started with them, it closes them itself.
        ("true", ["close", "exit"]),
        ("true", ["close", "misuse"]),
    ] {
        let file = source.folder().join("own");
        fs::write(&file, "").expect("the file is there");
        let run = source.run(way).args(words).arg(&file).after(before);
        let outcome = run.run();
        let written = fs::read_to_string(&file).expect("the file is still there");
        assert!(
            written.is_empty() || written == "mine\n",
            "after {before:?}, {words:?}, in the program's own file: {written:?}\n{outcome}"
        );
        if words[1] == "exit" {
            outcome.exits(0);
        }
    }
    // A log that the user asked for is another matter.
    let log = source.folder().join("log");
    let before = format!("exec 2>{}", log.display());
    let run = source.run(way).args(["none", "exit", "-"]).after(&before);
    run.run().exits(0);
    let written = fs::read_to_string(&log).expect("the log is there");
    assert!(written.contains("heap at exit"), "{written:?}");
}
