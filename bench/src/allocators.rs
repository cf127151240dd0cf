//! Who is compared: HMM and its peers, where each comes from, and making sure
//! that it is really there.

use crate::setup::command;
use crate::setup::packages;
use crate::setup::peers::{self, Recipe, Sources};
use crate::setup::places::{self, Places};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An allocator as the benchmark knows it.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    origin: Origin,
    rust: Option<Rust>,
}

/// How the Rust workloads get it.
#[derive(Debug)]
struct Rust {
    /// Makes it the global allocator.
    feature: &'static str,
    /// Which brings it, unless it is there without.
    package: Option<&'static str>,
}

/// Where the library to preload comes from.
#[derive(Debug)]
enum Origin {
    /// This project.
    Hmm,
    /// The C library. It is preloaded, too: some programs are linked with
    /// another allocator, Debian's Redis for one.
    Libc,
    Debian {
        package: &'static str,
        file: &'static str,
    },
    Crate(Recipe),
    /// For Rust alone.
    None,
}

/// All of them, in the order of the tables.
pub(crate) const KINDS: [Kind; 11] = [
    Kind { name: "hmm", origin: Origin::Hmm, rust: Some(Rust { feature: "hmm", package: None }) },
    Kind { name: "glibc", origin: Origin::Libc, rust: Some(Rust { feature: "system", package: None }) },
    Kind {
        name: "jemalloc",
        origin: Origin::Debian { package: "libjemalloc2", file: "libjemalloc.so.2" },
        rust: rust("jemalloc", "tikv-jemallocator"),
    },
    Kind {
        name: "tcmalloc",
        origin: Origin::Debian { package: "libtcmalloc-minimal4", file: "libtcmalloc_minimal.so.4" },
        rust: None,
    },
    Kind {
        name: "mimalloc2",
        origin: Origin::Debian { package: "libmimalloc2.0", file: "libmimalloc.so.2" },
        rust: rust("mimalloc2", "mimalloc"),
    },
    Kind { name: "mimalloc3", origin: Origin::Crate(peers::MIMALLOC3), rust: rust("mimalloc", "mimalloc") },
    Kind { name: "snmalloc", origin: Origin::Crate(peers::SNMALLOC), rust: rust("snmalloc", "snmalloc-rs") },
    Kind { name: "rpmalloc", origin: Origin::Crate(peers::RPMALLOC), rust: rust("rpmalloc", "rpmalloc") },
    Kind { name: "dlmalloc", origin: Origin::None, rust: rust("dlmalloc", "dlmalloc") },
    Kind { name: "talc", origin: Origin::None, rust: rust("talc", "talc") },
    Kind { name: "rlsf", origin: Origin::None, rust: rust("rlsf", "rlsf") },
];

/// By a feature and a crate.
const fn rust(feature: &'static str, package: &'static str) -> Option<Rust> {
    Some(Rust { feature, package: Some(package) })
}

impl Kind {
    /// The feature of the Rust workloads.
    pub(crate) fn feature(&self) -> Option<&'static str> {
        self.rust.as_ref().map(|rust| rust.feature)
    }

    /// What it is: the library's version, and the crate's, which may be of
    /// another one. `crates` is what Cargo knows of the Rust workloads.
    pub(crate) fn version(&self, library: Option<String>, crates: Option<&serde_json::Value>) -> String {
        let package = self.rust.as_ref().and_then(|rust| rust.package);
        let package = package.and_then(|name| {
            let (_, version) = places::package(crates?, name)?;
            Some(format!("in Rust {name} {version}"))
        });
        library.into_iter().chain(package).collect::<Vec<_>>().join(", ")
    }
}

/// An allocator that takes part.
#[derive(Debug)]
pub(crate) struct Allocator {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    /// What to preload under C and real programs; `None` if it is for Rust
    /// alone or could not be had.
    pub(crate) library: Option<PathBuf>,
    pub(crate) feature: Option<&'static str>,
}

/// What all of them need.
#[derive(Debug)]
pub(crate) struct Shop<'a> {
    pub(crate) places: &'a Places,
    pub(crate) hmm: &'a Path,
    pub(crate) probe: &'a Path,
    pub(crate) sources: Result<Sources>,
}

impl Shop<'_> {
    /// Finds or builds the library, and sees that it serves `malloc`.
    pub(crate) fn library(&self, kind: &Kind) -> Result<Option<(PathBuf, String)>> {
        let (library, version) = match &kind.origin {
            Origin::None => return Ok(None),
            Origin::Hmm => (self.hmm.to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            Origin::Libc => (libc(self.probe)?, packages::version("libc6").unwrap_or_default()),
            Origin::Debian { package, file } => {
                let version = packages::version(package).with_context(|| format!("no Debian package {package}"))?;
                (debian_library(package, file)?, format!("Debian {version}"))
            }
            Origin::Crate(recipe) => match &self.sources {
                Ok(sources) => peers::build(self.places, sources, recipe, kind.name)?,
                Err(error) => bail!("its sources could not be had: {error:#}"),
            },
        };
        let serving = serving(self.probe, Some(&library))?;
        if fs::canonicalize(&serving)? != fs::canonicalize(&library)? {
            bail!("preloaded, but malloc is {}'s", serving.display());
        }
        Ok(Some((library, version)))
    }
}

/// The packages that some allocators are in, if they are not installed.
pub(crate) fn missing_packages(wanted: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let package = |kind: &Kind| match kind.origin {
        Origin::Debian { package, .. } if wanted(kind.name) => Some(package),
        _ => None,
    };
    KINDS.iter().filter_map(package).filter(|package| packages::version(package).is_none()).collect()
}

/// The file whose `malloc` a small program gets.
fn serving(probe: &Path, preload: Option<&Path>) -> Result<PathBuf> {
    let mut command = Command::new(probe);
    match preload {
        Some(library) => command.env("LD_PRELOAD", library),
        None => command.env_remove("LD_PRELOAD"),
    };
    Ok(command::run(&mut command)?.trim().into())
}

/// The C library that programs have here.
fn libc(probe: &Path) -> Result<PathBuf> {
    Ok(fs::canonicalize(serving(probe, None)?)?)
}

/// Where a package put its library.
fn debian_library(package: &str, file: &str) -> Result<PathBuf> {
    let files = command::run(Command::new("dpkg").args(["--listfiles", package]))?;
    let end = format!("/{file}");
    let path = files.lines().find(|line| line.ends_with(&end));
    Ok(path.with_context(|| format!("{package} has no {file}"))?.into())
}
