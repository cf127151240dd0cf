//! Git: a repository is packed anew, in one thread, all deltas recomputed.

use super::{Job, scaled, word};
use crate::measured::{Program, Stopwatch, Usage};
use crate::setup::command;
use crate::setup::places::Places;
use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A repository to copy before each run: repacking changes it.
#[derive(Debug)]
struct Repack {
    original: PathBuf,
    copy: PathBuf,
    program: Program,
}

pub(super) fn prepare(places: &Places, scale: f64) -> Result<Box<dyn Job>> {
    let original = places.inputs().join(format!("{scale}-repository.git"));
    let copy = places.scratch().join("repository.git");
    generate(&original, scaled(600, scale))?;
    let folder = word(&copy);
    let arguments = ["-C", &folder, "-c", "pack.threads=1", "repack", "-adfq", "--window=20"];
    Ok(Box::new(Repack { original, copy, program: without_settings(Program::new("git", arguments)) }))
}

impl Job for Repack {
    fn run(&self, stopwatch: &Stopwatch, preload: Option<&Path>) -> Result<Usage> {
        remove(&self.copy)?;
        copy(&self.original, &self.copy)?;
        stopwatch.run(&self.program, preload)
    }
}

/// The user's and the system's settings would make it another job.
fn without_settings(program: Program) -> Program {
    program.with("GIT_CONFIG_GLOBAL", "/dev/null").with("GIT_CONFIG_NOSYSTEM", "1")
}

/// A bare repository with this many commits.
fn generate(repository: &Path, commits: u32) -> Result<()> {
    remove(repository)?;
    command::run(Command::new("git").args(["init", "-q", "--bare"]).arg(repository))?;
    let stream = repository.with_extension("stream");
    fs::write(&stream, history(commits))?;
    let script = "git -C \"$1\" fast-import --quiet < \"$2\"";
    command::run(Command::new("sh").args(["-c", script, "sh"]).arg(repository).arg(&stream))?;
    fs::remove_file(&stream)?;
    Ok(())
}

/// What `git fast-import` reads: 60 files, of which each commit changes some
/// lines in some.
fn history(commits: u32) -> String {
    let mut random = fastrand::Rng::with_seed(17);
    let mut line = |n: usize| format!("line {n} says {:x} {:x}\n", random.u64(..), random.u64(..));
    let mut files: Vec<Vec<String>> = (0..60).map(|_| (0..200).map(&mut line).collect()).collect();
    let mut random = fastrand::Rng::with_seed(18);
    let mut stream = String::new();
    for commit in 0..commits {
        _ = write!(
            stream,
            "commit refs/heads/main\ncommitter B <b@example.org> {} +0000\ndata 7\nchange\n\n",
            1_700_000_000 + commit
        );
        for _ in 0..8 {
            let number = random.usize(..files.len());
            let file = &mut files[number];
            for _ in 0..6 {
                let at = random.usize(..file.len());
                file[at] = format!("line {at} now says {:x}\n", random.u64(..));
            }
            let text = file.concat();
            _ = write!(stream, "M 100644 inline folder{}/file{number}\ndata {}\n{text}\n", number % 7, text.len());
        }
    }
    stream
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
