//! Real programs, as Debian has them, on work that is generated here and
//! always the same.

mod compilers;
mod git;
mod graphics;
mod redis;
mod scripts;
mod solver;
mod sql;

use crate::measured::{Program, Stopwatch, Usage};
use crate::setup::command;
use crate::setup::places::Places;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// A real program with something to do.
#[derive(Debug)]
pub(crate) struct Real {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// The executables, and the Debian package that has them.
    executables: &'static [&'static str],
    pub(crate) package: &'static str,
    prepare: fn(&Places, f64) -> Result<Box<dyn Job>>,
}

/// Something that can be run again and again, each time on another allocator.
pub(crate) trait Job {
    /// Runs it once; the usage is that of the process that is measured.
    fn run(&self, stopwatch: &Stopwatch, preload: Option<&Path>) -> Result<Usage>;
}

impl Job for Program {
    fn run(&self, stopwatch: &Stopwatch, preload: Option<&Path>) -> Result<Usage> {
        stopwatch.run(self, preload)
    }
}

impl Real {
    /// Whether it can be started here.
    pub(crate) fn is_here(&self) -> bool {
        self.executables.iter().all(|name| command::exists(name))
    }

    /// Makes what it works on. `scale` is the amount of work, 1 for a full run's.
    pub(crate) fn prepare(&self, places: &Places, scale: f64) -> Result<Box<dyn Job>> {
        (self.prepare)(places, scale)
    }
}

/// All of them, in the order of the tables.
pub(crate) const ALL: [Real; 14] = [
    Real {
        name: "python-json",
        description: "web services in Python: JSON, dictionaries, sorting",
        executables: &["/usr/bin/python3"],
        package: "python3",
        prepare: |places, scale| scripts::python(places, "json_sort.py", scale),
    },
    Real {
        name: "python-strings",
        description: "text being put together in Python: joins, splits, growing buffers",
        executables: &["/usr/bin/python3"],
        package: "python3",
        prepare: |places, scale| scripts::python(places, "strings.py", scale),
    },
    Real {
        name: "python-objects",
        description: "programs of classes in Python: a tree of instances grows and goes",
        executables: &["/usr/bin/python3"],
        package: "python3",
        prepare: |places, scale| scripts::python(places, "objects.py", scale),
    },
    Real {
        name: "python-compile",
        description: "tools that read programs: expressions, syntax trees, byte code",
        executables: &["/usr/bin/python3"],
        package: "python3",
        prepare: |places, scale| scripts::python(places, "compile.py", scale),
    },
    Real {
        name: "lua",
        description: "scripts inside games and servers: tables, closures, garbage collection",
        executables: &["lua5.4"],
        package: "lua5.4",
        prepare: |places, scale| scripts::plain(places, "lua5.4", "tables.lua", scale),
    },
    Real {
        name: "perl",
        description: "text processing: hashes of arrays, regular expressions",
        executables: &["perl"],
        package: "perl",
        prepare: |places, scale| scripts::plain(places, "perl", "words.pl", scale),
    },
    Real {
        name: "sqlite",
        description: "an application's database in memory: inserts, indexes, joins, groups",
        executables: &["sqlite3"],
        package: "sqlite3",
        prepare: sql::prepare,
    },
    Real {
        name: "redis",
        description: "a key-value server under load; CPU and memory are the server's",
        executables: &["redis-server", "redis-benchmark"],
        package: "redis-server",
        prepare: redis::prepare,
    },
    Real {
        name: "redis-cache",
        description: "a cache that drops what was not asked for lately: ever other sizes in the same room",
        executables: &["redis-server", "redis-benchmark"],
        package: "redis-server",
        prepare: redis::prepare_cache,
    },
    Real {
        name: "gcc",
        description: "compiling C: a large generated file, optimised",
        executables: &["gcc"],
        package: "gcc",
        prepare: compilers::c,
    },
    Real {
        name: "g++",
        description: "compiling C++: templates and the standard library, optimised",
        executables: &["g++"],
        package: "g++",
        prepare: compilers::cxx,
    },
    Real {
        name: "z3",
        description: "a solver: bit vectors and schedules",
        executables: &["z3"],
        package: "z3",
        prepare: solver::prepare,
    },
    Real {
        name: "ghostscript",
        description: "rendering pages: an interpreter with dictionaries, paths and fonts",
        executables: &["gs"],
        package: "ghostscript",
        prepare: graphics::prepare,
    },
    Real {
        name: "git-repack",
        description: "version control: finding deltas among thousands of objects",
        executables: &["git"],
        package: "git",
        prepare: git::prepare,
    },
];

/// Writes an input file. It is small work, so it is done anew each time: a change of
/// the generator needs no cleaning up.
fn input(places: &Places, name: &str, scale: f64, generate: impl FnOnce() -> String) -> Result<PathBuf> {
    let path = places.inputs().join(format!("{scale}-{name}"));
    fs::write(&path, generate()).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// How many of something that a full run has `full` of; at least one.
fn scaled(full: u32, scale: f64) -> u32 {
    // Positive and far below the limits of both types.
    ((f64::from(full) * scale) as u32).max(1)
}

/// A path as an argument.
fn word(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
