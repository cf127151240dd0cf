//! A story: steps that programs take in a folder, told once without HMM and once on it.

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use tempfile::TempDir;

use crate::run::{Outcome, Run};

/// One telling: the folder it plays in, and all that was seen.
#[derive(Debug)]
pub struct Story {
    dir: PathBuf,
    hmm: bool,
    seen: String,
}

impl Story {
    /// Writes a file.
    ///
    /// # Panics
    /// If it can not be written.
    pub fn put(&self, name: &str, text: impl AsRef<[u8]>) {
        let file = self.dir.join(name);
        fs::create_dir_all(file.parent().expect("it lies in the folder")).expect("a folder");
        fs::write(file, text).expect("the file is written");
    }

    /// A program ready to run in the folder, for steps that need more than arguments.
    pub fn program(&self, program: &str) -> Run {
        Run::new(program).dir(&self.dir)
    }

    /// A program runs, with these arguments, and ends well. Output and errors are compared.
    pub fn step(&mut self, program: &str, args: &[&str]) -> Outcome {
        self.take(self.program(program).args(args), 0)
    }

    /// A prepared program runs and ends with this code. Output and errors are compared.
    ///
    /// # Panics
    /// If it ends otherwise, or HMM should have served it and did not.
    pub fn take(&mut self, run: Run, code: i32) -> Outcome {
        let outcome = self.tell(run, code);
        self.note("stderr", &outcome.stderr_of_program());
        outcome
    }

    /// As [`Story::take`], but errors are not compared: times or process numbers are in them.
    ///
    /// # Panics
    /// As [`Story::take`].
    pub fn tell(&mut self, run: Run, code: i32) -> Outcome {
        let run = if self.hmm { run.on_hmm() } else { run };
        let outcome = run.run().exits(code);
        let outcome = if self.hmm { outcome.served() } else { outcome };
        self.note("stdout", &outcome.text());
        outcome
    }

    /// The contents of a file are compared.
    ///
    /// # Panics
    /// If there is no such file.
    pub fn file(&mut self, name: &str) {
        let bytes = fs::read(self.dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let sum = format!("{} bytes, hash {:016x}\n", bytes.len(), hasher.finish());
        self.note(name, &sum);
    }

    fn note(&mut self, title: &str, text: &str) {
        writeln!(self.seen, "--- {title}\n{text}").expect("a string takes all");
    }
}

/// Tells the story without HMM, then on HMM, each time in an empty folder of the same name, and
/// holds what was seen the second time against the first.
///
/// # Panics
/// At the first line that differs.
pub fn same(story: impl Fn(&mut Story)) {
    let home = TempDir::new().expect("a temporary folder");
    let tell = |hmm| {
        let dir = home.path().join("work");
        fs::create_dir(&dir).expect("the story's folder");
        let seen = String::new();
        let mut telling = Story { dir, hmm, seen };
        story(&mut telling);
        fs::remove_dir_all(&telling.dir).expect("the story's folder goes");
        telling.seen
    };
    let (plain, hmm) = (tell(false), tell(true));
    assert!(!plain.is_empty(), "a story without a step shows nothing");
    let different = plain.lines().zip(hmm.lines()).position(|(plain, hmm)| plain != hmm);
    if plain != hmm {
        let at = different.unwrap_or_else(|| plain.lines().count().min(hmm.lines().count()));
        let around = |seen: &str| {
            let lines = seen.lines().skip(at.saturating_sub(3)).take(8);
            lines.fold(String::new(), |all, line| all + line + "\n")
        };
        panic!("differs from line {at} on\n=== without HMM\n{}=== on HMM\n{}", around(&plain), around(&hmm));
    }
}
