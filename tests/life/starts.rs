//! Unusual ways to start a program, and unusual places to run in.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use hmm_tests::{Run, Source, Way, library};

/// `work.c` by preload, started in some unusual way.
fn works(start: impl Fn(&Source) -> Run) {
    let source = Source::file("life/work.c");
    start(&source).run().ok().served();
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

/// The report at exit goes to standard error, whatever became of the copy that was made of it, or if none could be
/// made; and one that is asked for, to what standard error is by then.
#[test]
fn reports_find_standard_error() {
    let source = Source::file("life/reported.c");
    let file = source.folder().join("own");
    for (mode, own) in [("close", "mine\n"), ("reopen", "hmm: heap")] {
        for way in [Way::Preload, Way::Archive, Way::Static] {
            fs::write(&file, "").expect("the file is there");
            let outcome = source.run(way).arg(mode).arg(&file).run().ok().served();
            let written = fs::read_to_string(&file).expect("the file is still there");
            assert!(written.starts_with(own), "{written:?} in the file\n{outcome}");
            assert!(mode == "reopen" || written == own, "{written:?} in the file\n{outcome}");
        }
    }
    fs::write(&file, "").expect("the file is there");
    source.run(Way::Preload).arg("both").arg(&file).run();
    let written = fs::read_to_string(&file).expect("the file is still there");
    assert!(written.starts_with("begun\nhmm: double free"), "{written:?} in the file");
    let work = Source::file("life/work.c");
    work.run(Way::Preload).after("ulimit -n 64").run().ok().served();
}

/// With a library that is told of all that is bound, and has a libc of its own.
#[test]
fn audited() {
    let audit = Source::file("life/audit.c").compile_shared("audit.so");
    works(|source| source.run(Way::Preload).env("LD_AUDIT", audit.to_string_lossy()));
}

/// On one core, with what time the others leave.
#[test]
fn on_one_core() {
    let source = Source::file("life/stopped.c");
    let program = source.compile(Way::Preload);
    Run::new("taskset").args(["-c", "0"]).arg(&program).on_hmm().run().ok().served();
    let idle = Run::new("taskset").args(["-c", "0", "chrt", "--idle", "0"]).arg(&program);
    idle.seconds(300).on_hmm().run().ok().served();
}

#[test]
fn without_proc() {
    let unshare = Run::new("unshare").args(["--mount", "true"]).run();
    if !unshare.status.success() {
        return println!("skipped: no right to hide /proc");
    }
    let script = "mount -t tmpfs none /proc && exec \"$@\"";
    works(|source| {
        let run = Run::new("unshare").args(["--mount", "bash", "-c", script, "bash"]);
        run.arg(source.compile(Way::Preload)).on_hmm()
    });
}

/// What HMM is preloaded into, but cannot serve: a static program, and one for another processor.
#[test]
fn where_it_cannot_serve() {
    let source = Source::file("life/work.c").flags(&["-static"]);
    let outcome = source.run(Way::Preload).run().ok();
    assert!(outcome.stderr.is_empty(), "{outcome}");

    if cfg!(target_arch = "x86_64") {
        let text = "_start: mov $1, %eax\nmov $7, %ebx\nint $0x80\n";
        let small = Source::text("small.s", &format!(".globl _start\n{text}"));
        let program = small.folder().join("small");
        let gcc = Run::new("gcc").args(["-m32", "-nostdlib", "-static"]);
        gcc.arg(small.folder().join("small.s")).arg("-o").arg(&program).run().exits(0);
        let outcome = Run::new(&program).on_hmm().run().exits(7);
        assert!(outcome.stderr.is_empty(), "{outcome}");
    }
}

/// A program that gives its user more rights listens to none of the user's settings.
#[test]
fn with_more_rights() {
    let source = Source::file("life/rights.c");
    fs::set_permissions(source.folder(), fs::Permissions::from_mode(0o755)).expect("our own folder");
    for way in [Way::Archive, Way::Static, Way::Plain] {
        let program = source.compile(way);
        fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).expect("our own file");
        let other = Run::new("setpriv").args(["--reuid=65534", "--regid=65534", "--clear-groups", "env"]);
        let settings = ["HMM_STATS=1", "HMM_LIMIT=1M", "HMM_KEEP=nonsense"];
        let run = other.args(settings).arg(format!("LD_PRELOAD={}", library().shared.display())).arg(&program);
        let outcome = run.run();
        if outcome.text() == "not secure\n" || outcome.stderr.starts_with("setpriv") {
            return println!("skipped: not root, or a file system without set-user-ID programs\n{outcome}");
        }
        let outcome = outcome.ok();
        assert!(outcome.stderr.is_empty(), "{outcome}");
    }
}
