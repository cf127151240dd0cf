//! Where things are: the project, and the folder under `target` that all of
//! the benchmark's own files go to.

use crate::setup::command;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folders.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    /// `bench` in the target folder.
    pub(crate) out: PathBuf,
}

impl Places {
    /// Asks Cargo for the target folder, which may be anywhere.
    pub(crate) fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the benchmark lies in no project")?;
        let metadata = metadata(&root.join("Cargo.toml"), &["--no-deps"])?;
        let target = metadata["target_directory"].as_str().context("Cargo names no target folder")?;
        let places = Self { root: root.to_owned(), target: target.into(), out: Path::new(target).join("bench") };
        for folder in [&places.out, &places.peers(), &places.inputs(), &places.scratch()] {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        Ok(places)
    }

    /// A file of the benchmark's own sources.
    pub(crate) fn source(&self, path: &str) -> PathBuf {
        self.root.join("bench").join(path)
    }

    /// The allocators that were built here.
    pub(crate) fn peers(&self) -> PathBuf {
        self.out.join("peers")
    }

    /// What real programs work on: generated once.
    pub(crate) fn inputs(&self) -> PathBuf {
        self.out.join("inputs")
    }

    /// What they leave behind.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.out.join("scratch")
    }
}

/// What `cargo metadata` says of a manifest.
pub(crate) fn metadata(manifest: &Path, arguments: &[&str]) -> Result<serde_json::Value> {
    let mut cargo = Command::new(command::cargo());
    cargo.args(["metadata", "--format-version=1", "--manifest-path"]).arg(manifest).args(arguments);
    let output = command::run(&mut cargo)?;
    serde_json::from_str(&output).context("cargo metadata printed no JSON")
}

/// The folder and version of a package, from [`metadata`].
pub(crate) fn package<'a>(metadata: &'a serde_json::Value, name: &str) -> Option<(&'a Path, &'a str)> {
    let package = metadata["packages"].as_array()?.iter().find(|found| found["name"] == name)?;
    Some((Path::new(package["manifest_path"].as_str()?).parent()?, package["version"].as_str()?))
}

/// The file names in a folder, sorted, that end in `.extension`.
pub(crate) fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    Ok(files)
}
