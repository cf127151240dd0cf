//! What all charts are drawn with: an area, its colours, texts on it.
//!
//! Everything is placed by hand: the labels are what makes such charts readable, and
//! their places are known.

use anyhow::Result;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// What is drawn on.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub(super) const WIDTH: u32 = 960;
pub(super) const SUBJECT_COLOR: RGBColor = RGBColor(214, 64, 41);
pub(super) const INK: RGBColor = RGBColor(45, 48, 54);
pub(super) const FAINT: RGBColor = RGBColor(120, 126, 136);
pub(super) const GRID: RGBColor = RGBColor(222, 225, 230);

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

/// The text, with a capital at its beginning.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}
