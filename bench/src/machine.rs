//! The machine: what it is, and how quiet.

use crate::results::{Machine, Noise};
use crate::setup::command;
use crate::setup::packages;
use crate::statistics::median;
use std::fs;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

/// Looks around. What cannot be found out is "unknown".
pub(crate) fn describe() -> Machine {
    let unknown = || "unknown".to_owned();
    let first_line = |program: &str, argument: &str| {
        let output = command::run(Command::new(program).arg(argument)).ok()?;
        output.lines().next().map(str::to_owned)
    };
    let field = |file: &str, name: &str| {
        let text = fs::read_to_string(file).ok()?;
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line[name.len()..].trim_matches([' ', '\t', ':', '=', '"']).to_owned())
    };
    let kib = field("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    let huge = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").ok();
    let huge = huge.and_then(|text| Some(text.split_once('[')?.1.split_once(']')?.0.to_owned()));
    Machine {
        cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_gib: kib.unwrap_or(0.0) / f64::from(1 << 20),
        kernel: first_line("uname", "-sr").unwrap_or_else(unknown),
        system: field("/etc/os-release", "PRETTY_NAME").unwrap_or_else(unknown),
        huge_pages: huge.unwrap_or_else(unknown),
        libc: packages::version("libc6").map_or_else(unknown, |version| format!("glibc {version}")),
        rustc: first_line("rustc", "--version").unwrap_or_else(unknown),
        gcc: first_line("gcc", "--version").unwrap_or_else(unknown),
    }
}

/// How many processes wanted to run lately, on average of one minute.
pub(crate) fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0.0)
}

/// Runs a loop that always does the same, in registers, for about 10 ms. How
/// long it takes differs by what else the machine does.
pub(crate) fn calibrate() -> u64 {
    let start = Instant::now();
    let mut state = black_box(88_172_645_463_325_252_u64);
    for _ in 0..5_000_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    black_box(state);
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

impl Machine {
    /// In a few lines.
    pub(crate) fn lines(&self) -> [String; 2] {
        [
            format!(
                "{}, {} cores, {:.0} GiB; {}; {}; huge pages: {}",
                self.cpu, self.cores, self.memory_gib, self.system, self.kernel, self.huge_pages
            ),
            format!("{}; {}; {}", self.libc, self.gcc, self.rustc),
        ]
    }
}

impl Noise {
    /// In one line.
    pub(crate) fn line(&self) -> String {
        let loops: Vec<f64> = self.calibration_ns.iter().map(|&ns| ns as f64 / 1e6).collect();
        let mut sorted = loops.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or(0.0);
        let fastest = at(0.0);
        let slower = |ms: f64| if fastest > 0.0 { (ms / fastest - 1.0) * 100.0 } else { 0.0 };
        format!(
            "noise: a fixed loop of {fastest:.1} ms took {:.1} % longer in the median, {:.1} % in the slowest tenth \
             ({} runs); load {:.2} at the start, {:.2} at the end",
            slower(median(&loops).unwrap_or(0.0)),
            slower(at(0.9)),
            loops.len(),
            self.load_at_start,
            self.load_at_end
        )
    }
}
