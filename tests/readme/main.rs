//! README tells the truth: its commands and its programs are run as they stand there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use hmm_tests::{Source, Way, library};
use tempfile::TempDir;

/// The contents of README's blocks in one language, in order.
fn blocks(language: &str) -> Vec<String> {
    let readme = fs::read_to_string(library().root.join("README.md")).expect("README.md is there");
    let mut blocks = Vec::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        let Some(found) = line.strip_prefix("```") else { continue };
        let block: String = lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
        if found == language {
            blocks.push(block);
        }
    }
    blocks
}

/// The one block in a language that has this text in it.
#[track_caller]
fn block(language: &str, text: &str) -> String {
    let mut found = blocks(language);
    found.retain(|block| block.contains(text));
    assert!(found.len() == 1, "{} blocks in README have `{text}`", found.len());
    found.remove(0)
}

fn target() -> &'static Path {
    let release = library().shared.parent().expect("libhmm.so lies in target/release");
    release.parent().expect("which lies in target")
}

/// Runs README's commands in a folder, and returns what they print: output and errors. They find
/// the distribution's programs first, as all tests here do.
#[track_caller]
fn shell(commands: &str, folder: &Path) -> (String, String) {
    let path = format!("/usr/bin:/bin:{}", std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("bash");
    shell.args(["-e", "-c", commands]).current_dir(folder).env("PATH", path).env_remove("HMM_STATS");
    let output = shell.output().expect("bash starts");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{commands}{}\n{told}{errors}", output.status);
    (told, errors)
}

/// A text with `#` for every number and its unit, which differ from machine to machine.
fn without_numbers(text: &str) -> String {
    let mut words = Vec::new();
    for line in text.lines() {
        for word in line.split(' ') {
            let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
            let number = bare.starts_with(|c: char| c.is_ascii_digit());
            let unit = matches!(bare, "B" | "KiB" | "MiB" | "GiB");
            match (number, unit) {
                (true, _) => words.push(word.replace(bare, "#")),
                (_, true) => words.push(word.replace(bare, "")),
                _ => words.push(word.to_owned()),
            }
        }
        words.push("\n".to_owned());
    }
    words.join(" ")
}

/// The first command builds HMM, and Python runs on it and is followed by the report shown.
#[test]
fn first_command() {
    let command = block("sh", "LD_PRELOAD").replace("$PWD/target", &target().display().to_string());
    let (told, errors) = shell(&command, &library().root);
    assert_eq!(told, "1000000 strings\n");
    let report: String = errors.lines().filter(|line| line.starts_with("hmm: ")).flat_map(|l| [l, "\n"]).collect();
    let shown = block("text", "heap at exit");
    assert_eq!(without_numbers(&(told + &report)), without_numbers(&shown), "\n{report}");
}

/// `.ci/run` takes the command that passes the tests from README: there is one, in one line.
#[test]
fn test_command() {
    assert_eq!(block("sh", "cargo test").trim(), "cargo test --workspace");
    assert!(library().root.join("tests/packages.txt").is_file());
    assert!(block("sh", "apt-get").contains("$(cat tests/packages.txt)"));
}

/// The C and C++ programs are those of `examples/`, and do what they say, linked in every way.
#[test]
fn c_and_cxx_programs() {
    let root = &library().root;
    let programs = [
        (
            block("c", "main"),
            "c/hello.c",
            "Hello from HMM: 1024 bytes usable\nthe heap holds blocks: yes\nthe heap is sound: yes\n",
        ),
        (block("cpp", "main"), "cpp/hello.cc", "10000 strings live on HMM: yes\n"),
    ];
    for (text, name, output) in programs {
        let file = root.join("examples").join(name);
        assert_eq!(fs::read_to_string(&file).expect("an example"), text, "{name} and README differ");
        let name = file.file_name().expect("a name").to_string_lossy();
        let source = Source::text(&name, &text);
        for way in [Way::Shared, Way::Archive, Way::Static] {
            let outcome = source.run(way).run().exits(0).served();
            assert_eq!(outcome.text(), output, "{way:?}");
        }
    }
}

/// The commands that compile them work as they stand there.
#[test]
fn compiler_commands() {
    for (compiler, output) in [("gcc ", "the heap is sound: yes"), ("g++ ", "10000 strings live on HMM: yes")] {
        // In a folder that looks like the repository, so that nothing is left in that one.
        let folder = TempDir::new().expect("a temporary folder");
        for name in ["include", "examples"] {
            symlink(library().root.join(name), folder.path().join(name)).expect("a link");
        }
        symlink(target(), folder.path().join("target")).expect("a link");
        let (told, _) = shell(&block("sh", compiler), folder.path());
        assert!(told.contains(output), "{told}");
    }
}

/// The Rust programs compile against the crates, and do what they say.
#[test]
fn rust_programs() {
    let root = &library().root;
    let project = TempDir::new().expect("a temporary folder");
    let folder = project.path();
    let manifest = format!(
        "[package]\nname = \"readme\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
         [dependencies]\nhmm-core = {{ path = '{0}/hmm-core' }}\nhmm-global = {{ path = '{0}/hmm-global' }}\n",
        root.display()
    );
    fs::write(folder.join("Cargo.toml"), manifest).expect("a manifest");
    // The crates that are here already, in the same versions.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).expect("a lock file");
    fs::create_dir_all(folder.join("src/bin")).expect("a folder");
    let programs = [("hmm_global", "10000 strings live on HMM: true\n"), ("FixedRegion", "double free: 0x")];
    for (text, _) in programs {
        fs::write(folder.join(format!("src/bin/{text}.rs")), block("rust", text)).expect("a program");
    }
    assert_eq!(blocks("rust").len(), programs.len(), "every Rust program of README is run here");
    for (text, output) in programs {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["run", "--quiet", "--bin", text]).current_dir(folder);
        let run = cargo.env("CARGO_TARGET_DIR", target().join("readme")).output().expect("cargo starts");
        let told = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success(), "{text}: {told}{}", String::from_utf8_lossy(&run.stderr));
        assert!(told.starts_with(output), "{text}: {told}");
    }
}

/// The tests that a page names in backquotes: `suite::test`, or `file.c:function`.
fn named(page: &str) -> Vec<String> {
    let text = fs::read_to_string(library().root.join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
    let rows = text.lines().filter(|line| line.starts_with('|'));
    let quoted = rows.flat_map(|row| row.rsplit('|').nth(1).unwrap_or("").split('`').skip(1).step_by(2));
    let is_one = |name: &&str| {
        let suite = name.split_once("::").is_some_and(|(suite, _)| suite.chars().all(|c| c.is_ascii_lowercase()));
        suite || name.contains(".c:") || name.contains(".cc:")
    };
    quoted.filter(is_one).map(String::from).collect()
}

/// The text of all files in a folder of `tests/`, by name.
fn folder(suite: &str) -> Vec<(String, String)> {
    let suite = if suite == "loom" { "loom/models" } else { suite };
    let files = fs::read_dir(library().root.join("tests").join(suite)).unwrap_or_else(|_| panic!("no suite {suite}"));
    let files = files.map(|file| file.expect("an entry").path()).filter(|file| file.is_file());
    let name = |file: &Path| file.file_name().expect("a name").to_string_lossy().into_owned();
    files.map(|file| (name(&file), fs::read_to_string(&file).expect("a source"))).collect()
}

/// Whether there is a test of this name, and it is run: a program by its suite, a function by its program.
fn is_a_test(name: &str) -> bool {
    if let Some((suite, test)) = name.split_once("::") {
        let defined = [format!("fn {test}("), format!(" {test}: "), format!(" {test}, ")];
        return folder(suite)
            .iter()
            .filter(|(file, _)| file.ends_with(".rs"))
            .any(|(_, text)| defined.iter().any(|defined| text.contains(defined)));
    }
    let Some((file, function)) = name.split_once(':') else { return false };
    ["family", "life", "limits", "memory", "endurance"].iter().map(|suite| folder(suite)).any(|suite| {
        let run = suite.iter().any(|(name, text)| name.ends_with(".rs") && text.contains(file));
        run && suite.iter().any(|(name, text)| name == file && text.contains(&format!("{function}(")))
    })
}

/// Every test that `docs/conformance.md` and `docs/reliability.md` name exists.
#[test]
fn named_tests() {
    for (page, at_least) in [("docs/conformance.md", 80), ("docs/reliability.md", 20)] {
        let named = named(page);
        assert!(named.len() >= at_least, "{page} names {} tests", named.len());
        let missing: Vec<_> = named.iter().filter(|name| !is_a_test(name)).collect();
        assert!(missing.is_empty(), "{page} names tests that are not there: {missing:?}");
    }
}

/// What the page links to is there.
#[test]
fn links() {
    let root = &library().root;
    let readme = fs::read_to_string(root.join("README.md")).expect("README.md is there");
    let links: Vec<&str> = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 5, "{links:?}");
    for link in links.into_iter().filter(|link| !link.contains("://")) {
        assert!(root.join(link).exists(), "README links to {link}");
    }
}
