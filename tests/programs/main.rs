//! Everyday programs behave on HMM as they do without it: the same output, errors, exit codes
//! and files; and HMM is shown to be what served them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hmm_tests::{PACKAGES, Story, same};

/// A script of this suite.
fn script(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("programs/scripts");
    folder.join(name)
}

/// The story of one program that does what a script of this suite says.
fn scripted(program: &str, flags: &[&str], name: &str) {
    same(|story| {
        story.take(story.program(program).args(flags).arg(script(name)), 0);
    });
}

/// Some text to work on: the numbers from 1 on, many times over, in a fixed disorder.
fn lines(count: u64) -> String {
    (0..count)
        .map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40)
        .fold(String::new(), |all, n| all + &format!("{} word{}\n", n, n % 97))
}

#[test]
fn ls() {
    same(|story| {
        for n in 0..500 {
            story.put(&format!("folder{}/file-{n}", n % 7), vec![b'x'; n]);
        }
        let columns = ["--format=across", "--width=100"];
        story.step("ls", &["-R", "-1", "--size", "--si"]);
        story.step("ls", &[columns[0], columns[1], "--color=always", "folder3"]);
        story.step("ls", &["-ln", "--time-style=+", "--sort=size", "folder0"]);
        story.take(story.program("ls").arg("absent"), 2);
    });
}

#[test]
fn bash() {
    scripted("bash", &[], "bash.sh");
}

#[test]
fn vim() {
    same(|story| {
        story.put("text", lines(5_000));
        let vim = story.program("vim").args(["-e", "-s", "-n", "-u", "NONE", "-i", "NONE"]);
        story.take(vim.arg("-S").arg(script("vim.vim")).arg("text"), 0);
        story.file("text");
        story.file("counted");
        story.file("long");
    });
}

#[test]
fn python() {
    same(|story| {
        let python = story.program("python3").env("PYTHONMALLOC", "malloc");
        story.take(python.env("PYTHONHASHSEED", "1").arg(script("python.py")), 0);
    });
}

#[test]
fn python_processes() {
    same(|story| {
        let python = story.program("python3").env("PYTHONMALLOC", "malloc");
        story.take(python.arg(script("processes.py")), 0);
    });
}

#[test]
fn perl() {
    same(|story| {
        let perl = story.program("perl").env("PERL_HASH_SEED", "0");
        story.take(perl.arg(script("perl.pl")), 0);
    });
}

/// With its own pools in front of `malloc`, and without. Its extensions are modules that are loaded
/// with `RTLD_DEEPBIND`.
#[test]
fn php() {
    for pools in ["1", "0"] {
        same(|story| {
            let php = story.program("php").env("USE_ZEND_ALLOC", pools);
            story.take(php.arg(script("php.php")), 0);
        });
    }
}

#[test]
fn git() {
    same(|story| {
        story.put(
            ".gitconfig",
            "[user]\nname = A\nemail = a@example.org\n[init]\ndefaultBranch = main\n\
             [gc]\nauto = 0\n[advice]\ndetachedHead = false\n",
        );
        let git = |story: &mut Story, date: u32, args: &[&str]| {
            let date = format!("2024-01-01T00:{:02}:{:02} +0000", date / 60, date % 60);
            let git = story.program("git").env("GIT_CONFIG_NOSYSTEM", "1");
            let git = git.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
            story.take(git.args(["-C", "repo"]).args(args), 0);
        };
        story.put("repo/first", "first\n");
        git(story, 0, &["init", "--quiet"]);
        for n in 0..30 {
            story.put(&format!("repo/part{}/file{n}", n % 4), lines(100 + u64::from(n)));
            story.put("repo/changes", lines(u64::from(n) * 20));
            git(story, n, &["add", "."]);
            git(story, n, &["commit", "--quiet", "-m", &format!("commit {n}")]);
        }
        git(story, 40, &["checkout", "--quiet", "-b", "side", "HEAD~9"]);
        story.put("repo/side", lines(77));
        git(story, 41, &["add", "."]);
        git(story, 41, &["commit", "--quiet", "-m", "side"]);
        git(story, 42, &["checkout", "--quiet", "main"]);
        git(story, 43, &["merge", "--quiet", "-m", "merge", "side"]);
        git(story, 44, &["gc", "--quiet", "--aggressive", "--prune=now"]);
        git(story, 45, &["fsck", "--full", "--strict", "--no-progress"]);
        git(story, 46, &["log", "--graph", "--stat", "-p", "--format=fuller"]);
        git(story, 47, &["blame", "changes"]);
        git(story, 48, &["count-objects"]);
    });
}

#[test]
fn gcc() {
    same(|story| {
        story.put("queens.c", include_str!("scripts/queens.c"));
        story.step("gcc", &["-O2", "-Wall", "-c", "queens.c", "-o", "queens.o"]);
        story.step("gcc", &["-O3", "-S", "queens.c", "-o", "queens.s"]);
        story.step("gcc", &["-O2", "-flto", "queens.c", "-o", "queens"]);
        story.step("./queens", &["8"]);
        for file in ["queens.o", "queens.s", "queens"] {
            story.file(file);
        }
        story.put("wrong.c", "int main(void) { return missing + \"text\"; }\n");
        story.take(story.program("gcc").args(["-c", "wrong.c"]), 1);
    });
}

#[test]
fn gxx() {
    same(|story| {
        story.put("words.cc", include_str!("scripts/words.cc"));
        story.step("g++", &["-O2", "-std=c++17", "-g", "words.cc", "-o", "words"]);
        let words = story.program("./words").input(lines(20_000).as_bytes());
        story.take(words, 0);
        story.file("words");
    });
}

#[test]
fn cargo() {
    same(|story| {
        story.put("Cargo.toml", "[package]\nname = \"small\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n");
        story.put("src/main.rs", include_str!("scripts/small.rs"));
        // The toolchain that runs this test, not the proxy that would look for one.
        let cargo = PathBuf::from(env!("CARGO"));
        let bin = cargo.parent().expect("cargo lies in a folder");
        let path = format!("{}:/usr/bin:/bin", bin.display());
        let build = story.program(env!("CARGO")).env("PATH", path);
        let build = build.args(["build", "--release", "--offline", "--jobs", "2"]);
        // Its errors name the time it took.
        story.tell(build.env("CARGO_TARGET_DIR", "out"), 0);
        story.step("./out/release/small", &["300"]);
    });
}

#[test]
fn sqlite3() {
    same(|story| {
        let sql = fs::read(script("sqlite3.sql")).expect("the script is there");
        let shell = story.program("sqlite3").args(["-batch", "base"]);
        story.take(shell.input(&sql), 0);
        story.file("base");
    });
}

#[test]
fn node() {
    scripted("node", &[], "node.js");
}

#[test]
fn xz() {
    same(|story| {
        let text = lines(400_000);
        story.put("text", &text);
        story.step("xz", &["--keep", "-T2", "-3", "--block-size=1MiB", "text"]);
        story.file("text.xz");
        story.step("xz", &["--test", "-T2", "text.xz"]);
        let back = story.step("xz", &["-T2", "--decompress", "--stdout", "text.xz"]);
        assert!(back.stdout == text.as_bytes(), "xz lost something");
    });
}

#[test]
fn gdb() {
    same(|story| {
        story.put("queens.c", include_str!("scripts/queens.c"));
        let flags = ["-g", "-O0", "queens.c", "-o", "queens"];
        story.step("gcc", &flags);
        let gdb = story.program("gdb").args(["--batch", "--nx", "--quiet", "-x"]);
        // Its errors may tell of the machine: no ASLR to turn off, no debug symbols.
        story.tell(gdb.arg(script("gdb.gdb")).arg("./queens"), 0);
    });
}

#[test]
fn tar() {
    same(|story| {
        for n in 0..200 {
            story.put(&format!("folder/part{}/file{n}", n % 9), lines(n));
        }
        let fixed = ["--sort=name", "--mtime=2024-01-01", "--owner=0", "--group=0", "--numeric-owner"];
        let tar = |story: &Story| story.program("tar").args(fixed);
        story.take(tar(story).args(["--create", "--file=all.tar", "folder"]), 0);
        story.take(tar(story).args(["--list", "-v", "--file=all.tar"]), 0);
        story.take(tar(story).args(["--extract", "--file=all.tar", "--transform=s/folder/back/"]), 0);
        story.take(tar(story).args(["--create", "--gzip", "--file=back.tgz", "back"]), 0);
        story.file("all.tar");
        story.file("back/part7/file169");
    });
}

#[test]
fn awk() {
    same(|story| {
        story.put("text", lines(50_000));
        story.take(story.program("awk").arg("-f").arg(script("awk.awk")).arg("text"), 0);
    });
}

#[test]
fn sort() {
    same(|story| {
        story.put("text", lines(200_000));
        story.step("sort", &["--parallel=2", "-n", "-S", "1M", "text", "-o", "sorted"]);
        story.step("sort", &["--parallel=2", "-k2,2", "-k1,1nr", "text", "-o", "by-word"]);
        story.step("sort", &["--parallel=2", "-u", "-k2,2", "text"]);
        story.step("sort", &["--check", "-n", "sorted"]);
        story.file("sorted");
        story.file("by-word");
    });
}

#[test]
fn grep() {
    same(|story| {
        story.put("text", lines(50_000));
        story.step("grep", &["-n", "-E", "^([0-9])[0-9]*\\1 word(1|2)+$", "text"]);
        story.step("grep", &["-c", "-i", "-w", "WORD42", "text"]);
        story.step("grep", &["-r", "-o", "-P", "(?<=word)9\\d$", "."]);
        story.take(story.program("grep").args(["nowhere", "text"]), 1);
        story.take(story.program("grep").args(["-E", "(", "text"]), 2);
    });
}

#[test]
fn sed() {
    same(|story| {
        story.put("text", lines(30_000));
        story.step("sed", &["-n", "-E", "s/^([0-9]+) (word[0-9]*3)$/\\2=\\1/p", "text"]);
        story.step("sed", &["-i", "-e", "1!G;h;$!d", "-e", "y/word/WORD/", "text"]);
        story.file("text");
        story.take(story.program("sed").args(["s/(/", "text"]), 1);
    });
}

/// CI installs what `packages.txt` lists, so what is run here must be in it.
#[test]
fn packages() {
    let listed: BTreeSet<&str> = include_str!("../packages.txt").lines().collect();
    let needed = PACKAGES.iter().map(|(_, package)| *package);
    let missing: Vec<&str> = needed.filter(|package| !listed.contains(package)).collect();
    assert!(missing.is_empty(), "not in packages.txt: {missing:?}");
}
