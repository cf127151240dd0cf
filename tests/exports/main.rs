//! The shape of the built library: what it exports and needs, how much thread-local storage it
//! takes, and a header that says what the code says.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;

use hmm_tests::{Run, Source, Way, library};

/// The family: all that `libhmm.so` may export, and must.
const FAMILY: &str = "
    malloc free calloc realloc reallocarray aligned_alloc memalign posix_memalign valloc pvalloc
    malloc_usable_size malloc_trim mallinfo mallinfo2 mallopt malloc_stats malloc_info
    free_sized free_aligned_sized cfree dlopen dlmopen
    __libc_malloc __libc_free __libc_calloc __libc_realloc __libc_memalign __libc_valloc __libc_pvalloc

    HmmAlloc HmmFree HmmCalloc HmmRealloc HmmAlignedAlloc HmmUsableSize HmmStats HmmCheck
    HmmTrim HmmSetLimit HmmSetOption

    _Znwm _ZnwmRKSt9nothrow_t _ZnwmSt11align_val_t _ZnwmSt11align_val_tRKSt9nothrow_t
    _Znam _ZnamRKSt9nothrow_t _ZnamSt11align_val_t _ZnamSt11align_val_tRKSt9nothrow_t
    _ZdlPv _ZdlPvm _ZdlPvRKSt9nothrow_t
    _ZdlPvSt11align_val_t _ZdlPvmSt11align_val_t _ZdlPvSt11align_val_tRKSt9nothrow_t
    _ZdaPv _ZdaPvm _ZdaPvRKSt9nothrow_t
    _ZdaPvSt11align_val_t _ZdaPvmSt11align_val_t _ZdaPvSt11align_val_tRKSt9nothrow_t
";

fn family() -> BTreeSet<String> {
    FAMILY.split_whitespace().map(str::to_owned).collect()
}

fn output(program: &str, args: &[&str], file: &Path) -> String {
    Run::new(program).args(args).arg(file).run().exits(0).text()
}

/// What `nm` lists of a file, without addresses, kinds and versions.
fn symbols(args: &[&str], file: &Path) -> BTreeSet<String> {
    output("nm", args, file)
        .lines()
        .filter_map(|line| line.split_whitespace().nth(2))
        .map(|name| name.split('@').next().unwrap_or(name).to_owned())
        .collect()
}

#[test]
fn only_the_family_is_exported() {
    let exported = symbols(&["-D", "--defined-only"], &library().shared);
    let family = family();
    let more: Vec<_> = exported.difference(&family).collect();
    let less: Vec<_> = family.difference(&exported).collect();
    assert!(more.is_empty() && less.is_empty(), "exported besides: {more:?}, missing: {less:?}");
}

/// The static library has the family too.
#[test]
fn archive_defines_the_family() {
    let defined = symbols(&["--defined-only", "--extern-only"], &library().archive);
    let missing: Vec<_> = family().into_iter().filter(|name| !defined.contains(name)).collect();
    assert!(missing.is_empty(), "missing: {missing:?}");
}

#[test]
fn only_libc_is_needed() {
    let dynamic = output("readelf", &["-dW"], &library().shared);
    let needed: Vec<&str> = dynamic
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .filter_map(|line| line.split(['[', ']']).nth(1))
        .collect();
    assert_eq!(needed, ["libc.so.6"]);
    assert!(!dynamic.contains("(TEXTREL)"), "{dynamic}");
}

/// What a library takes of the static thread-local storage, others lack when they are loaded.
#[test]
fn little_thread_local_storage() {
    let headers = output("readelf", &["-lW"], &library().shared);
    let size = headers
        .lines()
        .find(|line| line.trim_start().starts_with("TLS "))
        .and_then(|line| line.split_whitespace().nth(5))
        .map_or(0, |size| i64::from_str_radix(size.trim_start_matches("0x"), 16).expect("a size"));
    assert!(size <= 16, "{size} bytes of thread-local storage");
}

/// No stack that can be executed, no memory that can be written and executed.
#[test]
fn nothing_writable_is_executable() {
    let headers = output("readelf", &["-lW"], &library().shared);
    for line in headers.lines().filter(|line| line.contains(" 0x")) {
        assert!(!line.contains("RWE"), "{line}");
    }
    assert!(headers.contains("GNU_STACK") && headers.contains("GNU_RELRO"), "{headers}");
}

/// `include/hmm.h` is what cbindgen makes of the code. `HMM_BLESS=1` writes it anew.
#[test]
fn header_is_generated() {
    let package = library().root.join("hmm-preload");
    let config =
        cbindgen::Config::from_file(package.join("cbindgen.toml")).expect("hmm-preload/cbindgen.toml is there");
    let mut generated = Vec::new();
    cbindgen::generate_with_config(&package, config).expect("cbindgen understands the code").write(&mut generated);
    let generated = String::from_utf8(generated).expect("a header is text");
    let header = library().include.join("hmm.h");
    if env::var_os("HMM_BLESS").is_some() {
        fs::create_dir_all(&library().include).expect("include/ is there");
        fs::write(&header, &generated).expect("the header is written");
    }
    let committed = fs::read_to_string(&header).unwrap_or_default();
    assert!(
        committed == generated,
        "{} is not what the code says; HMM_BLESS=1 cargo test -p hmm-tests --test exports \
         writes it. Generated:\n{generated}",
        header.display()
    );
}

/// The header alone is enough, in every C and C++ that there was; and in C++, too, its names are C's.
#[test]
fn header_stands_alone() {
    let text = "#include \"hmm.h\"\n#include \"hmm.h\"\nint main(void) { HmmFree(HmmAlloc(1)); return 0; }\n";
    for (name, standards) in [("one.c", ["c89", "c99", "c11", "c2x"]), ("one.cc", ["c++98", "c++11", "c++17", "c++23"])]
    {
        for standard in standards {
            Source::text(name, text).flags(&[&format!("-std={standard}"), "-pedantic-errors"]).compile(Way::Archive);
        }
    }
}
