//! One run of one program: its surroundings, its time limit, and what came of it.

use std::env;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use wait_timeout::ChildExt;

use crate::library::library;
use crate::packages::{find, path};

/// How many times longer than usual the programs of these suites are to go on: `HMM_ROUNDS`.
fn rounds() -> u64 {
    env::var("HMM_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1).max(1)
}

/// What every line that HMM prints begins with.
const OURS: &str = "hmm: ";

/// A program about to run, in surroundings that do not depend on who runs the tests.
#[derive(Clone, Debug)]
pub struct Run {
    words: Vec<String>,
    dir: Option<PathBuf>,
    env: Vec<(String, String)>,
    input: Vec<u8>,
    limit: Duration,
    /// A shell command to run first, in the process that then becomes the program.
    before: Option<String>,
}

impl Run {
    /// `program`, looked up in `PATH` if it has no slash.
    ///
    /// # Panics
    /// If it is not installed.
    pub fn new(program: impl AsRef<Path>) -> Self {
        let program = find(&program.as_ref().to_string_lossy());
        let run = Self {
            words: vec![program.to_string_lossy().into_owned()],
            dir: None,
            env: Vec::new(),
            input: Vec::new(),
            limit: Duration::from_secs(120),
            before: None,
        };
        let run = run.env("PATH", path()).env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        match rounds() {
            1 => run,
            rounds => run.env("HMM_ROUNDS", rounds.to_string()),
        }
    }

    /// With one more argument.
    pub fn arg(mut self, arg: impl AsRef<Path>) -> Self {
        self.words.push(arg.as_ref().to_string_lossy().into_owned());
        self
    }

    /// With more arguments.
    pub fn args<A: AsRef<Path>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// With an environment variable.
    pub fn env(mut self, key: &str, value: impl Into<String>) -> Self {
        self.env.push((key.to_owned(), value.into()));
        self
    }

    /// In a folder, which is its home too.
    pub fn dir(mut self, dir: &Path) -> Self {
        self.dir = Some(dir.to_path_buf());
        self.env("HOME", dir.to_string_lossy())
    }

    /// With bytes on its standard input, which is empty otherwise.
    pub fn input(mut self, bytes: &[u8]) -> Self {
        self.input = bytes.to_vec();
        self
    }

    /// Killed, and the test failed, after this many seconds instead of 120; as many times that as
    /// `HMM_ROUNDS` says.
    pub fn seconds(mut self, seconds: u64) -> Self {
        self.limit = Duration::from_secs(seconds * rounds());
        self
    }

    /// On HMM by preload, with the report at exit that proves it.
    pub fn on_hmm(self) -> Self {
        self.preload().env("HMM_STATS", "1")
    }

    /// On HMM by preload, silent.
    pub fn preload(self) -> Self {
        let library = library().shared.to_string_lossy();
        self.env("LD_PRELOAD", library)
    }

    /// In the process that a shell prepared with `command`: `ulimit`, or closed descriptors by
    /// `exec`. The shell itself runs without HMM.
    pub fn after(mut self, command: &str) -> Self {
        self.before = Some(command.to_owned());
        self
    }

    /// Runs it to its end, or to the end of its time.
    ///
    /// # Panics
    /// If it does not start, or is not done in time: a hang is a failure.
    pub fn run(self) -> Outcome {
        let mut command = match &self.before {
            None => {
                let mut command = Command::new(&self.words[0]);
                command.args(&self.words[1..]).env_clear();
                command.envs(self.env.iter().map(|(key, value)| (key, value)));
                command
            }
            Some(before) => {
                let mut command = Command::new(find("bash"));
                command.env_clear().arg("-c");
                command.arg(format!("{before}; exec \"$@\"")).arg("bash");
                command.arg(find("env")).arg("-i");
                command.args(self.env.iter().map(|(key, value)| format!("{key}={value}")));
                command.args(&self.words);
                command
            }
        };
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        // Files, not pipes: they never fill up, and nobody need read along.
        let file = || tempfile::tempfile().expect("a temporary file");
        let (mut input, output, errors) = (file(), file(), file());
        input.write_all(&self.input).expect("input is written");
        input.rewind().expect("input is rewound");
        command
            .stdin(input)
            .stdout(Stdio::from(output.try_clone().expect("a second handle")))
            .stderr(Stdio::from(errors.try_clone().expect("a second handle")))
            .process_group(0);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{} does not start: {error}", self.line()));
        let status = child.wait_timeout(self.limit).expect("the child is ours");
        if status.is_none() {
            // The whole group: what hangs is often a grandchild.
            let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
            let _ = child.wait();
        }
        let outcome = Outcome {
            line: self.line(),
            status: status.unwrap_or_default(),
            stdout: contents(output),
            stderr: String::from_utf8_lossy(&contents(errors)).into_owned(),
        };
        assert!(status.is_some(), "not done after {} s:\n{outcome}", self.limit.as_secs());
        outcome
    }

    fn line(&self) -> String {
        self.words.join(" ")
    }
}

fn contents(mut file: File) -> Vec<u8> {
    let mut bytes = Vec::new();
    file.rewind().expect("output is rewound");
    file.read_to_end(&mut bytes).expect("output is read");
    bytes
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    line: String,
    /// How it ended.
    pub status: ExitStatus,
    /// All it wrote to standard output.
    pub stdout: Vec<u8>,
    /// All it wrote to standard error.
    pub stderr: String,
}

impl Outcome {
    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// HMM's own lines on standard error.
    pub fn report(&self) -> Vec<&str> {
        self.stderr.lines().filter(|line| line.starts_with(OURS)).collect()
    }

    /// Standard error without HMM's lines.
    pub fn stderr_of_program(&self) -> String {
        self.stderr.split_inclusive('\n').filter(|line| !line.starts_with(OURS)).collect()
    }

    /// Returns itself if the exit code is `code`.
    ///
    /// # Panics
    /// If not.
    pub fn exits(self, code: i32) -> Self {
        assert!(self.status.code() == Some(code), "exit {code} expected:\n{self}");
        self
    }

    /// Returns itself if the program ended well and its last word was `ok`: how all C programs
    /// of these suites say that every check in them held.
    ///
    /// # Panics
    /// If not.
    pub fn ok(self) -> Self {
        let outcome = self.exits(0);
        assert!(outcome.text().ends_with("ok\n"), "no \"ok\":\n{outcome}");
        outcome
    }

    /// Returns itself if HMM reported at exit: so it was HMM that served the program.
    ///
    /// # Panics
    /// If not.
    pub fn served(self) -> Self {
        let mut report = self.report().into_iter();
        assert!(
            report.any(|line| line.contains("heap at exit")),
            "HMM did not serve this program, or did not say so:\n{self}"
        );
        self
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "$ {}", self.line)?;
        write!(f, "{}", self.text())?;
        if !self.stderr.is_empty() {
            write!(f, "--- stderr\n{}", self.stderr)?;
        }
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => writeln!(f, "--- exit {code}"),
            (_, Some(signal)) => writeln!(f, "--- killed by signal {signal}"),
            _ => writeln!(f, "--- {}", self.status),
        }
    }
}
