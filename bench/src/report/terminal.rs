//! The report on a terminal.

use super::tables::{self, Mark, Table};
use crate::results::Results;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, TableComponent, presets};
use std::fmt::Write;

pub(super) fn render(results: &Results) -> String {
    let mut text = String::new();
    for table in tables::details(results) {
        _ = writeln!(text, "\n{}\n{}", table.title, table_text(&table));
    }
    for table in tables::means(results) {
        _ = writeln!(text, "\n{}\n{}", table.title, table_text(&table));
    }
    _ = writeln!(text, "\n{}\n", tables::LEGEND);
    for note in tables::notes(results) {
        _ = writeln!(text, "* {note}");
    }
    text.push('\n');
    for line in tables::circumstances(results) {
        _ = writeln!(text, "{line}");
    }
    text
}

fn table_text(table: &Table) -> comfy_table::Table {
    let mut shown = comfy_table::Table::new();
    // As wide as it gets: a line that is wrapped by the terminal reads better
    // than columns of single letters.
    shown.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    shown.set_style(TableComponent::HeaderLines, '─').set_style(TableComponent::MiddleHeaderIntersections, '─');
    shown.set_header(table.head.iter().map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
    for row in &table.rows {
        shown.add_row(row.iter().map(|cell| match cell.mark {
            Mark::None => Cell::new(&cell.text),
            Mark::Subject => Cell::new(&cell.text).add_attribute(Attribute::Bold),
            Mark::Bad => Cell::new(format!("{} !", cell.text)).fg(Color::Red).add_attribute(Attribute::Bold),
        }));
    }
    for column in shown.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    shown
}
