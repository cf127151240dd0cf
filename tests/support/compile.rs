//! C and C++ programs, compiled in each of the ways in which a program can come to live on HMM.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::library::library;
use crate::run::Run;

/// How a compiled program comes to its allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It does not: libc's own serves it.
    Plain,
    /// Compiled without a thought of HMM, run with `LD_PRELOAD`.
    Preload,
    /// Linked with `libhmm.so`: the way for programs that call `HmmAlloc` and its like.
    Shared,
    /// Linked with `libhmm.a`, everything else dynamic.
    Archive,
    /// Linked with `libhmm.a`, everything static.
    Static,
}

/// A program's source, and the folder that what is compiled from it goes to.
#[derive(Debug)]
pub struct Source {
    file: PathBuf,
    folder: TempDir,
    flags: Vec<String>,
}

impl Source {
    /// A source file of the suites, relative to `tests/`.
    ///
    /// # Panics
    /// If no temporary folder can be made.
    pub fn file(name: &str) -> Self {
        Self {
            file: Path::new(env!("CARGO_MANIFEST_DIR")).join(name),
            folder: TempDir::new().expect("a temporary folder"),
            flags: Vec::new(),
        }
    }

    /// A source given as text; `name` tells the language by its extension.
    ///
    /// # Panics
    /// If it can not be written.
    pub fn text(name: &str, text: &str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let file = folder.path().join(name);
        fs::write(&file, text).expect("the source is written");
        Self { file, folder, flags: Vec::new() }
    }

    /// With further compiler flags.
    pub fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(ToString::to_string));
        self
    }

    /// The folder of the compiled files; it goes when this does.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Compiles it, and returns the executable.
    ///
    /// # Panics
    /// If it does not compile.
    pub fn compile(&self, way: Way) -> PathBuf {
        let hmm = library();
        let program = self.folder().join(format!("{way:?}").to_lowercase());
        let compiler = self.compiler().arg(&self.file).arg("-o").arg(&program);
        let compiler = match way {
            Way::Plain | Way::Preload => compiler,
            // By `-rpath`, and by a link under the library's own name: nothing is installed.
            Way::Shared => compiler.arg(&hmm.shared).arg(format!("-Wl,-rpath,{}", self.shared_folder().display())),
            Way::Archive => compiler.arg(&hmm.archive),
            Way::Static => compiler.arg("-static").arg(&hmm.archive),
        };
        compiler.arg("-ldl").run().exits(0);
        program
    }

    /// Compiles it to a shared library of this name in [`Source::folder`].
    ///
    /// # Panics
    /// If it does not compile.
    pub fn compile_shared(&self, name: &str) -> PathBuf {
        let file = self.folder().join(name);
        let compiler = self.compiler().args(["-shared", "-fPIC"]);
        compiler.arg(&self.file).arg("-o").arg(&file).run().exits(0);
        file
    }

    /// Compiles it, and returns a run of it with the report that proves HMM served it.
    ///
    /// # Panics
    /// If it does not compile.
    pub fn run(&self, way: Way) -> Run {
        let run = Run::new(self.compile(way)).dir(self.folder());
        match way {
            Way::Plain => run,
            Way::Preload => run.on_hmm(),
            Way::Shared | Way::Archive | Way::Static => run.env("HMM_STATS", "1"),
        }
    }

    /// The compiler with the flags that all programs get. Without built-ins, or it would drop a
    /// `malloc` whose block nobody uses. Warnings that misuse of memory brings are off: misuse
    /// is what much of this is for.
    fn compiler(&self) -> Run {
        let plus = self.file.extension().is_some_and(|ext| ext != "c");
        let support = Path::new(env!("CARGO_MANIFEST_DIR")).join("support");
        Run::new(if plus { "g++" } else { "gcc" })
            .args(["-O2", "-g", "-fno-builtin", "-pthread", "-D_GNU_SOURCE"])
            .arg("-fno-allocation-dce")
            .args(["-Wall", "-Wextra", "-Werror", "-Wno-free-nonheap-object"])
            .args(["-Wno-use-after-free", "-Wno-alloc-size-larger-than"])
            .args(["-Wno-mismatched-dealloc", "-Wno-unused-result"])
            .arg("-Wno-deprecated-declarations")
            .arg("-Wno-clobbered")
            .arg(if plus { "-std=c++17" } else { "-std=gnu11" })
            .arg("-I")
            .arg(support)
            .arg("-I")
            .arg(&library().include)
            .args(&self.flags)
    }

    /// A folder in which `libhmm.so` is found under the name that it asks to be found by.
    fn shared_folder(&self) -> &Path {
        let shared = &library().shared;
        let dynamic = Run::new("readelf").arg("-d").arg(shared).run().text();
        let name = dynamic
            .lines()
            .find(|line| line.contains("(SONAME)"))
            .and_then(|line| line.split(['[', ']']).nth(1))
            .unwrap_or("libhmm.so");
        let _ = std::os::unix::fs::symlink(shared, self.folder().join(name));
        self.folder()
    }
}
