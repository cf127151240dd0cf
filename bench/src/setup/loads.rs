//! Building what is measured and what measures: HMM, the C and Rust
//! workloads, and the two small C programs beside them.

use crate::setup::command;
use crate::setup::places::{self, Places};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A workload of an executable that holds many.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) name: String,
    pub(crate) description: String,
}

/// Builds HMM and gives the path of its library.
pub(crate) fn build_hmm(places: &Places) -> Result<PathBuf> {
    let mut cargo = Command::new(command::cargo());
    cargo.args(["build", "--release"]).current_dir(&places.root).env("CARGO_TARGET_DIR", &places.target);
    command::run(&mut cargo).context("HMM could not be built")?;
    // A copy: what is measured stays the same if someone builds meanwhile.
    let library = places.peers().join("libhmm.so");
    fs::copy(places.target.join("release/libhmm.so"), &library).context("no libhmm.so was built")?;
    Ok(library)
}

/// Compiles one of the C programs in `bench/measure`.
pub(crate) fn build_tool(places: &Places, name: &str) -> Result<PathBuf> {
    let tool = places.out.join(name);
    let mut gcc = Command::new("gcc");
    gcc.args(["-O2", "-o"]).arg(&tool).arg(places.source(&format!("measure/{name}.c"))).arg("-ldl");
    command::run(&mut gcc)?;
    Ok(tool)
}

/// Compiles the C workloads into one executable.
pub(crate) fn build_c(places: &Places) -> Result<PathBuf> {
    let loads = places.out.join("loads-c");
    let mut gcc = Command::new("gcc");
    // Without -fno-builtin the compiler leaves out a malloc whose block is freed unused.
    gcc.args(["-O2", "-g", "-pthread", "-fno-builtin", "-o"]).arg(&loads);
    gcc.args(places::files(&places.source("workloads/c"), "c")?).arg("-lm");
    command::run(&mut gcc)?;
    Ok(loads)
}

/// What Cargo knows of the Rust workloads and the crates that they use.
pub(crate) fn rust_crates(places: &Places) -> Result<serde_json::Value> {
    places::metadata(&places.source("workloads/rust/Cargo.toml"), &["--all-features"])
}

/// Builds the Rust workloads on the global allocator that `feature` stands for.
pub(crate) fn build_rust(places: &Places, feature: &str) -> Result<PathBuf> {
    let manifest = places.source("workloads/rust/Cargo.toml");
    let target = places.out.join("rust");
    let mut cargo = Command::new(command::cargo());
    cargo.args(["build", "--release", "--features", feature, "--manifest-path"]).arg(manifest);
    cargo.env("CARGO_TARGET_DIR", &target);
    command::run(&mut cargo)?;
    let loads = places.out.join(format!("loads-rust-{feature}"));
    fs::copy(target.join("release/hmm-loads"), &loads).context("no hmm-loads was built")?;
    Ok(loads)
}

/// What an executable with workloads offers.
pub(crate) fn list(loads: &Path) -> Result<Vec<Load>> {
    let output = command::run(Command::new(loads).arg("list"))?;
    let load = |line: &str| {
        let (name, description) = line.split_once('\t')?;
        Some(Load { name: name.trim().to_owned(), description: description.trim().to_owned() })
    };
    Ok(output.lines().filter_map(load).collect())
}
