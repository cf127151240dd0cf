//! Allocators that are built from the C and C++ sources inside crates, with
//! the flags of their own build files for a library to preload: optimised, no
//! assertions, checks as they come.

use crate::setup::command;
use crate::setup::places::{self, Places};
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;

/// How to build one.
#[derive(Debug)]
pub(crate) struct Recipe {
    /// In `bench/peers/Cargo.toml`.
    pub(crate) package: &'static str,
    compiler: &'static str,
    flags: &'static [&'static str],
    /// All below are paths in the package.
    includes: &'static [&'static str],
    sources: &'static [&'static str],
    /// After the sources, where the linker looks for what they lack.
    libraries: &'static [&'static str],
}

/// What all have in common.
const FLAGS: [&str; 6] = ["-O3", "-DNDEBUG", "-fPIC", "-shared", "-fvisibility=hidden", "-ftls-model=initial-exec"];

/// mimalloc's newest: CMakeLists.txt of its `v3`, release, shared.
pub(crate) const MIMALLOC3: Recipe = Recipe {
    package: "libmimalloc-sys",
    compiler: "gcc",
    flags: &[
        "-std=gnu11",
        "-fno-builtin-malloc",
        "-DMI_DEBUG=0",
        "-DMI_MALLOC_OVERRIDE",
        "-DMI_SHARED_LIB",
        "-DMI_SHARED_LIB_EXPORT",
    ],
    includes: &["c_src/mimalloc/v3/include", "c_src/mimalloc/v3/src"],
    sources: &["c_src/mimalloc/v3/src/static.c"],
    libraries: &["-pthread"],
};

/// snmalloc's `snmallocshim`, the one without checks of its client.
pub(crate) const SNMALLOC: Recipe = Recipe {
    package: "snmalloc-sys",
    compiler: "g++",
    flags: &[
        "-std=c++20",
        #[cfg(target_arch = "x86_64")]
        "-mcx16",
        #[cfg(target_arch = "x86_64")]
        "-mprfchw",
        "-fomit-frame-pointer",
        "-ffunction-sections",
        "-DSNMALLOC_EXPORT=__attribute__((visibility(\"default\")))",
        "-DSNMALLOC_USE_CXX11_THREAD_ATEXIT_DIRECT",
        "-DSNMALLOC_CHECK_LOADS=false",
        "-DSNMALLOC_PAGEID=false",
        "-DSNMALLOC_USE_WAIT_ON_ADDRESS=1",
        "-DSNMALLOC_HAS_LINUX_FUTEX_H",
        "-DSNMALLOC_HAS_LINUX_RANDOM_H",
        "-DSNMALLOC_PLATFORM_HAS_GETENTROPY",
        "-DSNMALLOC_NO_REALLOCARRAY",
        "-DSNMALLOC_NO_REALLOCARR",
    ],
    includes: &["upstream/src"],
    sources: &["upstream/src/snmalloc/override/malloc.cc", "upstream/src/snmalloc/override/new.cc"],
    libraries: &["-static-libstdc++", "-pthread", "-latomic"],
};

/// rpmalloc's `librpmallocwrap`.
pub(crate) const RPMALLOC: Recipe = Recipe {
    package: "rpmalloc-sys",
    compiler: "gcc",
    flags: &["-std=gnu11", "-D_GNU_SOURCE=1", "-DENABLE_PRELOAD=1", "-DENABLE_OVERRIDE=1"],
    includes: &[],
    sources: &["rpmalloc/rpmalloc/rpmalloc.c"],
    libraries: &["-pthread", "-ldl"],
};

/// The unpacked sources of the crates.
#[derive(Debug)]
pub(crate) struct Sources(serde_json::Value);

impl Sources {
    /// Has Cargo download them.
    pub(crate) fn get(places: &Places) -> Result<Self> {
        places::metadata(&places.source("peers/Cargo.toml"), &["--locked"]).map(Self)
    }
}

/// Builds the library unless it is there, and gives its path and version.
pub(crate) fn build(places: &Places, sources: &Sources, recipe: &Recipe, name: &str) -> Result<(PathBuf, String)> {
    let (folder, version) =
        places::package(&sources.0, recipe.package).with_context(|| format!("no crate {}", recipe.package))?;
    let library = places.peers().join(format!("lib{name}-{version}.so"));
    if !library.exists() {
        // Under another name at first: a build that was interrupted leaves no
        // half of a library behind.
        let unfinished = library.with_extension("part");
        let mut compiler = Command::new(recipe.compiler);
        compiler.args(FLAGS).args(recipe.flags);
        compiler.args(recipe.includes.iter().map(|path| format!("-I{}", folder.join(path).display())));
        compiler.args(recipe.sources.iter().map(|path| folder.join(path)));
        compiler.args(recipe.libraries).arg("-o").arg(&unfinished);
        command::run(&mut compiler)?;
        std::fs::rename(&unfinished, &library)?;
    }
    Ok((library, format!("crate {} {version}", recipe.package)))
}
