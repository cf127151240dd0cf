//! Interpreters and the scripts in `bench/programs`.

use super::{Job, word};
use crate::measured::Program;
use crate::setup::places::Places;
use anyhow::Result;

/// CPython, with all its objects from `malloc`: by default it asks for whole
/// arenas and cuts them itself.
pub(super) fn python(places: &Places, script: &str, scale: f64) -> Result<Box<dyn Job>> {
    let script = places.source("programs").join(script);
    let program = Program::new("/usr/bin/python3", ["-S", &word(&script), &scale.to_string()]);
    // The seed: otherwise the hashes of strings are others each time.
    Ok(Box::new(program.with("PYTHONMALLOC", "malloc").with("PYTHONHASHSEED", "0")))
}

/// An interpreter that uses `malloc` as it is.
pub(super) fn plain(places: &Places, interpreter: &str, script: &str, scale: f64) -> Result<Box<dyn Job>> {
    let script = places.source("programs").join(script);
    let program = Program::new(interpreter, [word(&script), scale.to_string()]);
    // Perl's order of hash keys, otherwise another one each time.
    Ok(Box::new(program.with("PERL_HASH_SEED", "0")))
}
