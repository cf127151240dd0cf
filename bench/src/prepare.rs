//! From the command line to a stage on which all is ready: what was asked for
//! and can be had is built, what cannot be had is named.

use crate::allocators::{self, Allocator, KINDS, Shop};
use crate::machine;
use crate::measured::Stopwatch;
use crate::options::Options;
use crate::plan::Entry;
use crate::programs;
use crate::results::{AllocatorInfo, Group, Noise, Results};
use crate::setup::peers::Sources;
use crate::setup::places::Places;
use crate::setup::{loads, packages};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::io::{self, Write};

/// All that measuring needs.
pub(crate) struct Stage {
    pub(crate) entries: Vec<Entry>,
    pub(crate) allocators: Vec<Allocator>,
    pub(crate) stopwatch: Stopwatch,
    pub(crate) budget_ns: u64,
    /// Its rows are those of the entries, with nothing measured yet.
    pub(crate) results: Results,
}

/// Builds and installs, and tells what it does.
pub(crate) fn all(places: &Places, options: &Options) -> Result<Stage> {
    for name in &options.allocators {
        if KINDS.iter().all(|kind| kind.name != name) {
            let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
            bail!("there is no allocator {name:?}, only {}", names.join(", "));
        }
    }
    let mut missing = Missing::default();
    install(options, &mut missing);
    let mut allocators = get_allocators(places, options, &mut missing)?;
    let entries = get_entries(places, options, &allocators, &mut missing)?;
    if entries.is_empty() {
        bail!("no workload is named like that; --list has them all");
    }
    allocators.retain(|allocator| entries.iter().any(|entry| entry.suits(allocator)));

    let info = |one: &Allocator| AllocatorInfo { name: one.name.to_owned(), version: one.version.clone() };
    let results = Results {
        machine: machine::describe(),
        noise: Noise::default(),
        rounds: options.rounds(),
        scale: options.scale(),
        allocators: allocators.iter().map(info).collect(),
        rows: entries.iter().map(|entry| entry.row(&allocators)).collect(),
        missing: missing.0,
    };
    let stopwatch = Stopwatch {
        tool: loads::build_tool(places, "measure")?,
        report: places.scratch().join("measured"),
        settle_s: options.settle_s(),
    };
    Ok(Stage { entries, allocators, stopwatch, budget_ns: options.budget_ns(), results })
}

/// Prints what there is to measure.
pub(crate) fn list(places: &Places, options: &Options) -> Result<()> {
    let mut found: Vec<(String, String)> = Vec::new();
    let executables = [(Group::C, loads::build_c(places)), (Group::Rust, loads::build_rust(places, "system"))];
    for (group, executable) in executables {
        match executable.and_then(|path| loads::list(&path)) {
            Ok(loads) => found
                .extend(loads.into_iter().map(|load| (format!("{}/{}", group.prefix(), load.name), load.description))),
            Err(error) => eprintln!("{}: {error:#}", group.title()),
        }
    }
    let prefix = Group::Program.prefix();
    found.extend(programs::ALL.iter().map(|one| (format!("{prefix}/{}", one.name), one.description.to_owned())));
    found.retain(|(name, _)| options.wants(name));
    // Whoever reads may stop reading, which is no error: `| head`.
    let mut out = io::stdout().lock();
    let width = found.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, description) in found {
        _ = writeln!(out, "{name:width$}  {description}");
    }
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    _ = writeln!(out, "\nallocators: {}", names.join(", "));
    Ok(())
}

/// What could not be had. Each is told at once and kept for the report.
#[derive(Default)]
struct Missing(Vec<String>);

impl Missing {
    fn say(&mut self, what: &str, why: impl std::fmt::Display) {
        let line = format!("{what} is left out: {why}");
        eprintln!("{line}");
        self.0.push(line);
    }
}

/// Whether any workload of this group may be asked for.
fn wants_group(options: &Options, group: Group) -> bool {
    // Names of workloads are known only when they are built, so: unless every
    // name given begins with another group's.
    let other = |name: &String| {
        Group::ALL.into_iter().any(|one| one != group && name.starts_with(&format!("{}/", one.prefix())))
    };
    options.names.is_empty() || !options.names.iter().all(other)
}

/// The real programs that are asked for.
fn wanted_programs(options: &Options) -> Vec<&'static programs::Real> {
    let wanted = |one: &&programs::Real| options.wants(&format!("{}/{}", Group::Program.prefix(), one.name));
    programs::ALL.iter().filter(wanted).collect()
}

/// Gets missing Debian packages, if it may. What stays missing is named later,
/// by those who need it.
fn install(options: &Options, missing: &mut Missing) {
    let mut lacking = allocators::missing_packages(|name| options.wants_allocator(name));
    lacking.extend(wanted_programs(options).iter().filter(|one| !one.is_here()).map(|one| one.package));
    lacking.dedup();
    if lacking.is_empty() || options.no_install {
        return;
    }
    eprintln!("installing {}", lacking.join(" "));
    for (package, error) in packages::install(&lacking) {
        missing.say(package, format!("{error:#}"));
    }
}

/// Builds HMM and finds or builds the others.
fn get_allocators(places: &Places, options: &Options, missing: &mut Missing) -> Result<Vec<Allocator>> {
    eprintln!("building HMM and the other allocators");
    let hmm = loads::build_hmm(places)?;
    let probe = loads::build_tool(places, "probe").context("there is no C compiler that works")?;
    let shop = Shop { places, hmm: &hmm, probe: &probe, sources: Sources::get(places) };
    let crates = loads::rust_crates(places);
    let mut found = Vec::new();
    for kind in KINDS.iter().filter(|kind| options.wants_allocator(kind.name)) {
        let library = match shop.library(kind) {
            Ok(library) => library,
            Err(error) => {
                missing.say(kind.name, format!("{error:#}"));
                None
            }
        };
        let (library, version) = library.unzip();
        found.push(Allocator {
            name: kind.name,
            version: kind.version(version, crates.as_ref().ok()),
            library,
            feature: kind.feature(),
        });
    }
    Ok(found)
}

/// Builds the workloads that are asked for.
fn get_entries(
    places: &Places,
    options: &Options,
    allocators: &[Allocator],
    missing: &mut Missing,
) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    if wants_group(options, Group::C) {
        eprintln!("building the C workloads");
        match loads::build_c(places).and_then(|path| Ok(Entry::c(&path, loads::list(&path)?))) {
            Ok(found) => entries.extend(found),
            Err(error) => missing.say("all C workloads", format!("{error:#}")),
        }
    }
    if wants_group(options, Group::Rust) {
        let mut executables = BTreeMap::new();
        for allocator in allocators {
            let Some(feature) = allocator.feature else { continue };
            eprintln!("building the Rust workloads for {}", allocator.name);
            match loads::build_rust(places, feature) {
                Ok(path) => _ = executables.insert(allocator.name, path),
                Err(error) => missing.say(&format!("{} in Rust", allocator.name), format!("{error:#}")),
            }
        }
        entries.extend(Entry::rust(&executables)?);
    }
    entries.retain(|entry| options.wants(&entry.name));
    for program in wanted_programs(options) {
        if !program.is_here() {
            missing.say(program.name, format!("Debian package {} is not installed", program.package));
            continue;
        }
        match Entry::real(program, places, options.scale()) {
            Ok(entry) => entries.push(entry),
            Err(error) => missing.say(program.name, format!("{error:#}")),
        }
    }
    Ok(entries)
}
