//! The family of functions keeps the contracts of POSIX, C23, C++ and glibc's manual: one C or
//! C++ program per topic, on HMM by preload, linked with it, and fully static.

use std::fs;

use hmm_tests::{Outcome, Run, Source, Way};

/// The ways for programs that use only what every C library has.
const COMMON: [Way; 3] = [Way::Preload, Way::Archive, Way::Static];
/// The ways for programs that need libstdc++'s own nothrow operators behind ours: where it is linked
/// statically there is only one set of them.
const DYNAMIC: [Way; 2] = [Way::Preload, Way::Archive];
/// The ways for programs that define names of ours themselves: an archive would define them twice.
const INTERPOSED: [Way; 2] = [Way::Preload, Way::Shared];
/// The ways for programs that name functions which this machine's C library lacks.
const OWN: [Way; 3] = [Way::Shared, Way::Archive, Way::Static];

/// A test that compiles a program of this folder in some ways, and sees it pass in each.
macro_rules! topics {
    ($($name:ident: $file:literal, $ways:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let source = Source::file(concat!("family/", $file));
                for way in $ways {
                    println!("{way:?}");
                    source.run(way).run().ok().served();
                }
            }
        )*
    };
}

topics! {
    values: "values.c", COMMON;
    errors_kept: "errors_kept.c", COMMON;
    alignment: "alignment.c", COMMON;
    zero: "zero.c", COMMON;
    ladder: "ladder.c", COMMON;
    usable: "usable.c", COMMON;
    second: "second.c", COMMON;
    info: "info.c", COMMON;
    operators: "operators.cc", COMMON;
    bad_alloc: "bad_alloc.cc", COMMON;
    nothrow: "nothrow.cc", DYNAMIC;
    replaced: "replaced.cc", INTERPOSED;
    plain_new: "plain_new.cc", INTERPOSED;
    promises: "promises.c", COMMON;
    nothing: "nothing.c", COMMON;
    sized: "sized.c", OWN;
    hmm_from_c: "hmm.c", OWN;
    hmm_from_cxx: "hmm.cc", OWN;
}

#[test]
fn nothing_beyond_the_first_range() {
    for way in COMMON {
        println!("{way:?}");
        Source::file("family/nothing.c").run(way).arg("refused").run().ok().served();
    }
}

/// A C program's plugins, each with a C++ runtime of its own: handlers and exceptions are the caller's.
#[test]
fn plugins_with_a_runtime() {
    for runtime in [&["-static-libstdc++"][..], &["-static-libstdc++", "-static-libgcc"], &[], &["-DPOOL"]] {
        let plugin = Source::file("family/plugin.cc").flags(runtime);
        // One runtime for both, if it is a library, has one handler for both.
        let is_library = !runtime.contains(&"-static-libstdc++");
        let names = if is_library { &["plugin.so"][..] } else { &["plugin.so", "another.so"] };
        let files: Vec<_> = names.iter().map(|name| plugin.compile_shared(name)).collect();
        for way in DYNAMIC {
            println!("{way:?}, {runtime:?}");
            let host = Source::file("family/plugin_host.c").flags(&["-rdynamic"]);
            host.run(way).arg("all").args(&files).run().ok().served();
        }
    }
}

/// And one that lets nothing be seen of its runtime but the operators: it catches what another one throws.
#[test]
fn a_plugin_that_hides_its_runtime() {
    let plugin = Source::file("family/plugin.cc");
    let script = plugin.folder().join("visible");
    fs::write(&script, "{ global: throws_bad_alloc; _Zn*; _Zd*; local: *; };").expect("the script is written");
    let script = format!("-Wl,--version-script={}", script.display());
    let plugin = plugin.flags(&["-static-libstdc++", &script]);
    let file = plugin.compile_shared("plugin.so");
    for way in DYNAMIC {
        println!("{way:?}");
        let host = Source::file("family/plugin_host.c").flags(&["-rdynamic"]);
        host.run(way).arg("exceptions").arg(&file).run().ok().served();
    }
}

/// `malloc_info` writes XML that a parser takes, with the shape that glibc's readers expect.
#[test]
fn info_is_xml() {
    let info = Source::file("family/info_xml.c").run(Way::Preload).run().exits(0);
    let parse = "import sys, xml.etree.ElementTree as tree\n\
                 root = tree.parse(sys.stdin).getroot()\n\
                 assert root.tag == 'malloc', root.tag\n\
                 assert root.get('version') == '1', root.attrib\n\
                 numbers = [int(v) for e in root.iter() for k, v in e.items() if k == 'size']\n\
                 assert any(n > 1000000 for n in numbers), numbers\n\
                 assert int(root.find('hmm').get('held')) > 1000000\n\
                 print('ok')";
    Run::new("python3").args(["-c", parse]).input(&info.stdout).run().ok();
}

/// `malloc_stats` prints on standard error, unasked by any setting.
#[test]
fn stats_are_printed() {
    let source = Source::file("family/stats.c");
    let run = Run::new(source.compile(Way::Preload)).preload();
    let outcome: Outcome = run.run().ok();
    let numbers = outcome.stderr.chars().filter(char::is_ascii_digit).count();
    assert!(numbers >= 4, "malloc_stats told nothing:\n{outcome}");
}

/// Nothing is printed that nobody asked for.
#[test]
fn silence() {
    let source = Source::file("family/usable.c");
    for way in COMMON {
        let run = Run::new(source.compile(way));
        let run = if way == Way::Preload { run.preload() } else { run };
        let outcome = run.run().ok();
        assert!(outcome.stderr.is_empty(), "{outcome}");
    }
}
