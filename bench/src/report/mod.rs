//! The results for people: as text on a terminal, as Markdown, as charts.

mod bars;
mod canvas;
pub(crate) mod charts;
mod dots;
mod markdown;
mod tables;
mod terminal;

use crate::results::Results;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// Everything, for a terminal.
pub(crate) fn text(results: &Results) -> String {
    terminal::render(results)
}

/// The same as Markdown, with what each workload stands for.
pub(crate) fn write_markdown(results: &Results, path: &Path) -> Result<()> {
    fs::write(path, markdown::render(results)).with_context(|| format!("cannot write {}", path.display()))
}
