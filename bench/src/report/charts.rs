//! The charts, as SVG: bars of geometric means, and for each group of
//! workloads dots on a logarithmic axis.

use super::{bars, dots, tables};
use crate::results::{Metric, Results};
use anyhow::{Result, anyhow};
use std::fs;
use std::path::{Path, PathBuf};

/// Draws all of them into a folder and gives their paths.
pub(crate) fn draw(results: &Results, folder: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let mut charts = Vec::new();
    for metric in [Metric::Time, Metric::Memory] {
        let slug = if metric == Metric::Time { "time" } else { "memory" };
        let path = folder.join(format!("{slug}.svg"));
        bars::draw(results, metric, &path).map_err(|error| anyhow!("cannot draw {}: {error:#}", path.display()))?;
        charts.push(path);
        for group in tables::present(results) {
            let path = folder.join(format!("{}-{slug}.svg", group.prefix()));
            dots::draw(results, group, metric, &path)
                .map_err(|error| anyhow!("cannot draw {}: {error:#}", path.display()))?;
            charts.push(path);
        }
    }
    Ok(charts)
}
