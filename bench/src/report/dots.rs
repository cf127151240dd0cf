//! The chart of a group: a line for each workload, a dot for each allocator,
//! on a logarithmic axis of the ratio to the best peer.

use super::canvas::{Area, FAINT, GRID, INK, SUBJECT_COLOR, WIDTH, capital, label, title};
use super::tables::short;
use crate::results::{Group, Metric, Results, SUBJECT};
use crate::summary;
use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::HPos;
use std::path::Path;

const ROW: i32 = 26;
const LEFT: i32 = 190;
const RIGHT: i32 = 40;
/// Where the first row begins: below title, legend and axis.
const TOP: i32 = 124;

/// Colours that stay apart, for colour-blind eyes, too; in the order of the
/// allocators, HMM left out.
const COLORS: [RGBColor; 10] = [
    RGBColor(0, 0, 0),
    RGBColor(0, 114, 178),
    RGBColor(86, 180, 233),
    RGBColor(0, 158, 115),
    RGBColor(148, 203, 85),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(117, 112, 179),
    RGBColor(140, 110, 80),
    RGBColor(150, 150, 150),
];

/// Ratios at which a line may be drawn; those within the axis are.
const TICKS: [f64; 13] = [0.125, 0.25, 0.5, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 10.0];
/// Ratios beyond lie on the edge: the tables have them.
const FARTHEST: f64 = 16.0;

pub(super) fn draw(results: &Results, group: Group, metric: Metric, path: &Path) -> Result<()> {
    let rows = summary::comparisons(results, Some(group), metric);
    let allocators: Vec<&str> = results
        .allocators
        .iter()
        .map(|one| one.name.as_str())
        .filter(|name| rows.iter().any(|row| row.ratio(name).is_some()))
        .collect();
    let ratios: Vec<f64> = rows.iter().flat_map(|row| allocators.iter().filter_map(|name| row.ratio(name))).collect();
    let axis = Axis::over(&ratios);

    let bottom = TOP + ROW * i32::try_from(rows.len())?;
    let area = SVGBackend::new(path, (WIDTH, (bottom + 20).unsigned_abs())).into_drawing_area();
    area.fill(&WHITE)?;
    title(&area, &format!("{}: {}", group.title(), capital(metric.title()).to_lowercase()))?;
    legend(&area, &allocators)?;
    axis.draw(&area, bottom)?;
    for (line, row) in (0..).zip(&rows) {
        let y = TOP + ROW * line + ROW / 2;
        label(&area, short(&row.row.name), (LEFT - 14, y), HPos::Right, 14, INK)?;
        area.draw(&PathElement::new(vec![(LEFT, y), (WIDTH as i32 - RIGHT, y)], GRID.stroke_width(1)))?;
        // HMM last, on top of the others.
        for name in
            allocators.iter().filter(|name| **name != SUBJECT).chain(allocators.iter().filter(|name| **name == SUBJECT))
        {
            if let Some(ratio) = row.ratio(name) {
                dot(&area, name, &allocators, (axis.x(ratio), y))?;
            }
        }
    }
    area.present()?;
    Ok(())
}

/// The logarithmic axis: from where to where it goes.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// One that all ratios fit on, but for those far out.
    fn over(ratios: &[f64]) -> Self {
        let low = ratios.iter().copied().fold(0.95, f64::min);
        let high = ratios.iter().copied().fold(1.5, f64::max).min(FARTHEST);
        Self { low: (low / 1.04).ln(), high: (high * 1.04).ln() }
    }

    fn x(&self, ratio: f64) -> i32 {
        let share = (ratio.ln() - self.low) / (self.high - self.low);
        LEFT + (share.clamp(0.0, 1.0) * f64::from(WIDTH as i32 - LEFT - RIGHT)) as i32
    }

    fn draw(&self, area: &Area<'_>, bottom: i32) -> Result<()> {
        let mut last = 0;
        for tick in TICKS.into_iter().filter(|tick| (self.low..=self.high).contains(&tick.ln())) {
            let x = self.x(tick);
            let (color, width) = if tick == 1.0 { (FAINT, 2) } else { (GRID, 1) };
            area.draw(&PathElement::new(vec![(x, TOP - 4), (x, bottom)], color.stroke_width(width)))?;
            // Labels that would touch the one before are left out.
            if x - last > 34 {
                label(area, &format!("{tick}"), (x, TOP - 14), HPos::Center, 13, FAINT)?;
                last = x;
            }
        }
        Ok(())
    }
}

fn legend(area: &Area<'_>, allocators: &[&str]) -> Result<()> {
    let step = (WIDTH as i32 - 40) / i32::try_from(allocators.len().max(1))?;
    let step = step.min(112);
    for (place, name) in (0..).zip(allocators) {
        let x = 28 + step * place;
        dot(area, name, allocators, (x, 82))?;
        label(area, name, (x + 10, 82), HPos::Left, 13, INK)?;
    }
    Ok(())
}

/// HMM is a diamond, larger than the others' dots.
fn dot(area: &Area<'_>, name: &str, allocators: &[&str], (x, y): (i32, i32)) -> Result<()> {
    if name == SUBJECT {
        let corners = vec![(x - 8, y), (x, y - 8), (x + 8, y), (x, y + 8)];
        area.draw(&Polygon::new(corners, SUBJECT_COLOR.filled()))?;
        return Ok(());
    }
    let peers = allocators.iter().filter(|one| **one != SUBJECT);
    let place = peers.into_iter().position(|one| *one == name).unwrap_or(0);
    area.draw(&Circle::new((x, y), 5, COLORS[place % COLORS.len()].mix(0.85).filled()))?;
    Ok(())
}
