//! Which Debian package holds a program, so that an absent one fails with advice.

use std::env;
use std::path::PathBuf;

/// Programs that the suites run, and the Debian packages they come in. `packages.txt` beside
/// `Cargo.toml` lists the packages for CI; the `programs` suite holds the two to each other.
pub const PACKAGES: &[(&str, &str)] = &[
    ("awk", "mawk"),
    ("bash", "bash"),
    ("chrt", "util-linux"),
    ("g++", "g++"),
    ("gcc", "gcc"),
    ("gdb", "gdb"),
    ("git", "git"),
    ("grep", "grep"),
    ("ls", "coreutils"),
    ("nm", "binutils"),
    ("node", "nodejs"),
    ("perl", "perl"),
    ("php", "php-cli"),
    ("python3", "python3"),
    ("readelf", "binutils"),
    ("sed", "sed"),
    ("setarch", "util-linux"),
    ("setpriv", "util-linux"),
    ("sort", "coreutils"),
    ("sqlite3", "sqlite3"),
    ("tar", "tar"),
    ("taskset", "util-linux"),
    ("unshare", "util-linux"),
    ("valgrind", "valgrind"),
    ("vim", "vim"),
    ("xz", "xz-utils"),
];

/// The folders that programs are looked for in: the distribution's own first, since a program
/// found elsewhere may be a wrapper script, and a wrapper is not what is tested.
pub(crate) fn path() -> String {
    format!("/usr/bin:/bin:{}", env::var("PATH").unwrap_or_default())
}

/// The full path of `program`; a name with a slash in it is one already.
///
/// # Panics
/// If it is not installed, with the name of the package to install.
pub fn find(program: &str) -> PathBuf {
    if program.contains('/') {
        return PathBuf::from(program);
    }
    let found = env::split_paths(&path()).map(|folder| folder.join(program)).find(|file| file.is_file());
    found.unwrap_or_else(|| {
        let package = PACKAGES.iter().find(|(name, _)| *name == program).map_or(program, |(_, package)| package);
        panic!("`{program}` is not installed: apt-get install {package}")
    })
}
