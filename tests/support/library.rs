//! The library under test: built once per test process, as a user builds it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where the built library and its header lie.
#[derive(Debug)]
pub struct Library {
    /// `libhmm.so`, for `LD_PRELOAD`, `-lhmm` and `dlopen`.
    pub shared: PathBuf,
    /// `libhmm.a`, for static linking.
    pub archive: PathBuf,
    /// The folder of `hmm.h`.
    pub include: PathBuf,
    /// The workspace's root folder.
    pub root: PathBuf,
}

/// The library, after `cargo build --release -p hmm-preload` has made it.
///
/// Test binaries that run side by side need no lock of ours: cargo holds one on the target
/// folder for the length of a build, and a build with nothing to do replaces no file.
///
/// # Panics
/// If it does not build.
pub fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_path_buf();
        let build = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--release", "-p", "hmm-preload"])
            .current_dir(&root)
            .output()
            .expect("cargo starts");
        assert!(build.status.success(), "libhmm does not build:\n{}", String::from_utf8_lossy(&build.stderr));
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        let built = |name: &str| {
            let file = target.join("release").join(name);
            assert!(file.is_file(), "{} was not built", file.display());
            file
        };
        Library { shared: built("libhmm.so"), archive: built("libhmm.a"), include: root.join("include"), root }
    })
}
