//! Running one program under the stopwatch: `measure/measure.c` starts it and
//! writes down what it took; this module starts that and reads it.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// After how many seconds a run counts as hung.
const LIMIT: &str = "120";

/// The stopwatch.
#[derive(Debug, Clone)]
pub(crate) struct Stopwatch {
    pub(crate) tool: PathBuf,
    /// Where it writes.
    pub(crate) report: PathBuf,
    /// How many seconds a process is to sleep after its work before it is asked what memory it still
    /// has, if it can be asked; 0: it is not.
    pub(crate) settle_s: f64,
}

/// A program to be run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(&'static str, String)>,
}

/// What a run took, and what it printed.
#[derive(Debug)]
pub(crate) struct Usage {
    pub(crate) wall_ns: u64,
    pub(crate) cpu_us: u64,
    pub(crate) peak_kib: u64,
    pub(crate) faults: u64,
    /// What it had a while after its work, if it was asked.
    pub(crate) settled_kib: Option<u64>,
    pub(crate) output: String,
}

impl Program {
    pub(crate) fn new(path: impl Into<PathBuf>, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { path: path.into(), arguments: arguments.into_iter().map(Into::into).collect(), environment: Vec::new() }
    }

    /// With a variable in its environment.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }
}

impl Stopwatch {
    /// Runs `program` on the allocator to preload, to its end.
    pub(crate) fn run(&self, program: &Program, preload: Option<&Path>) -> Result<Usage> {
        self.finish(self.start(program, preload)?)
    }

    /// Starts it only: for servers.
    pub(crate) fn start(&self, program: &Program, preload: Option<&Path>) -> Result<Child> {
        let mut command = Command::new(&self.tool);
        command.arg(&self.report).arg(LIMIT).arg(preload.unwrap_or(Path::new("-")));
        command.arg(&program.path).args(&program.arguments);
        command.env_remove("LD_PRELOAD").envs(program.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().with_context(|| format!("cannot run {}", self.tool.display()))
    }

    /// Waits for the end of what was started. An exit code other than 0 is an
    /// error, told with the last line that the program had to say.
    pub(crate) fn finish(&self, running: Child) -> Result<Usage> {
        let output = running.wait_with_output()?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        let complaint = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("").trim();
        if !output.status.success() {
            bail!("the stopwatch: {complaint}");
        }
        let report = fs::read_to_string(&self.report)?;
        let numbers: Vec<i64> = report.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let &[code, wall_ns, cpu_us, peak_kib, faults] = numbers.as_slice() else {
            bail!("the stopwatch wrote {report:?}");
        };
        match code {
            0 => {}
            -1 => bail!("not done after {LIMIT} s"),
            signal if signal > 128 => bail!("signal {}: {complaint}", signal - 128),
            code => bail!("exit code {code}: {complaint}"),
        }
        Ok(Usage {
            wall_ns: wall_ns.unsigned_abs(),
            cpu_us: cpu_us.unsigned_abs(),
            peak_kib: peak_kib.unsigned_abs(),
            faults: faults.unsigned_abs(),
            settled_kib: None,
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
        })
    }
}
