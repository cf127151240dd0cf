//! The chart of all workloads: one bar for each allocator, the geometric mean of its ratios.

use super::canvas::{GRID, INK, SUBJECT_COLOR, WIDTH, capital, label, title};
use crate::results::{Metric, Results, SUBJECT};
use crate::summary;
use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use std::path::Path;

const BAR: RGBColor = RGBColor(131, 154, 186);

/// Draws the chart. Who does not
/// take part in every row is told from the others by a note, as its mean is
/// one of other rows.
pub(super) fn draw(results: &Results, metric: Metric, path: &Path) -> Result<()> {
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
