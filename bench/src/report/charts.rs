//! The charts, as SVG: bars of geometric means, and for each group of
//! workloads dots on a logarithmic axis.
//!
//! Everything is placed by hand on the drawing area: the labels are what makes
//! such charts readable, and their places are known.

use super::{dots, tables};
use crate::results::{Metric, Results, SUBJECT};
use crate::summary;
use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::fs;
use std::path::{Path, PathBuf};

/// What is drawn on.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub(super) const WIDTH: u32 = 960;
pub(super) const SUBJECT_COLOR: RGBColor = RGBColor(214, 64, 41);
pub(super) const INK: RGBColor = RGBColor(45, 48, 54);
pub(super) const FAINT: RGBColor = RGBColor(120, 126, 136);
pub(super) const GRID: RGBColor = RGBColor(222, 225, 230);
const BAR: RGBColor = RGBColor(131, 154, 186);

/// Draws all of them into a folder and gives their paths.
pub(crate) fn draw(results: &Results, folder: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)?;
    let mut charts = Vec::new();
    for metric in [Metric::Time, Metric::Memory] {
        let slug = if metric == Metric::Time { "time" } else { "memory" };
        let path = folder.join(format!("{slug}.svg"));
        bars(results, metric, &path).map_err(|error| anyhow!("cannot draw {}: {error:#}", path.display()))?;
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

/// One bar for each allocator: the geometric mean of its ratios. Who does not
/// take part in every row is told from the others by a note, as its mean is
/// one of other rows.
fn bars(results: &Results, metric: Metric, path: &Path) -> Result<()> {
    const ROW: i32 = 34;
    const TOP: i32 = 78;
    const LEFT: i32 = 130;
    const RIGHT: i32 = 190;
    let mut means: Vec<(&str, f64, usize)> = results
        .allocators
        .iter()
        .filter_map(|one| {
            let (mean, rows) = summary::mean(results, None, metric, &one.name)?;
            Some((one.name.as_str(), mean, rows))
        })
        .collect();
    means.sort_by(|a, b| a.1.total_cmp(&b.1));
    let all_rows = means.iter().map(|mean| mean.2).max().unwrap_or(0);
    let longest = means.iter().map(|mean| mean.1).fold(1.0, f64::max);

    let height = TOP + ROW * i32::try_from(means.len())? + 16;
    let area = SVGBackend::new(path, (WIDTH, height.unsigned_abs())).into_drawing_area();
    area.fill(&WHITE)?;
    title(&area, &format!("{}: geometric mean over {all_rows} workloads", capital(metric.title())))?;
    let width = f64::from(WIDTH as i32 - LEFT - RIGHT);
    let x = |value: f64| LEFT + (value / longest * width) as i32;
    area.draw(&PathElement::new(vec![(x(1.0), TOP - 4), (x(1.0), height - 12)], GRID.stroke_width(2)))?;
    for (row, &(name, mean, rows)) in (0..).zip(&means) {
        let middle = TOP + ROW * row + ROW / 2;
        let (color, ink) = if name == SUBJECT { (SUBJECT_COLOR, SUBJECT_COLOR) } else { (BAR, INK) };
        area.draw(&Rectangle::new([(LEFT, middle - 11), (x(mean), middle + 11)], color.filled()))?;
        label(&area, name, (LEFT - 10, middle), HPos::Right, 16, ink)?;
        let note = if rows < all_rows { format!("{mean:.2}  ({rows} workloads)") } else { format!("{mean:.2}") };
        label(&area, &note, (x(mean) + 8, middle), HPos::Left, 16, ink)?;
    }
    area.present()?;
    Ok(())
}

/// The heading of a chart, and what its figures mean.
pub(super) fn title(area: &Area<'_>, text: &str) -> Result<()> {
    label(area, text, (20, 24), HPos::Left, 20, INK)?;
    label(area, "ratio to the best peer of each row; less is better", (20, 50), HPos::Left, 14, FAINT)
}

/// A text at a point, centred on its height.
pub(super) fn label(area: &Area<'_>, text: &str, at: (i32, i32), side: HPos, size: i32, color: RGBColor) -> Result<()> {
    let style = ("sans-serif", size).into_font().color(&color).pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(text.to_owned(), at, style))?;
    Ok(())
}

pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}
