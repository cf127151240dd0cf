//! The report as Markdown, to be copied into the documentation.

use super::tables::{self, Mark, Table};
use crate::results::Results;
use std::fmt::Write;

pub(super) fn render(results: &Results) -> String {
    let mut text = format!("{}\n", tables::LEGEND);
    for table in tables::means(results) {
        section(&mut text, &table);
    }
    text.push('\n');
    for note in tables::notes(results) {
        _ = writeln!(text, "* {note}");
    }
    for table in tables::details(results) {
        section(&mut text, &table);
    }
    section(&mut text, &tables::workloads(results));
    _ = writeln!(text, "\n### Where this ran\n");
    for line in tables::circumstances(results) {
        _ = writeln!(text, "* {line}");
    }
    text
}

fn section(text: &mut String, table: &Table) {
    _ = writeln!(text, "\n### {}\n", table.title);
    _ = writeln!(text, "| {} |", table.head.join(" | "));
    // Names to the left, figures to the right.
    let lines: Vec<&str> = (0..table.head.len()).map(|column| if column == 0 { "---" } else { "--:" }).collect();
    let is_prose = table.head.len() == 2;
    _ = writeln!(text, "|{}|", if is_prose { "---|---".to_owned() } else { lines.join("|") });
    for row in &table.rows {
        let cells = row.iter().map(|cell| {
            // Else `Box<u64>` would be HTML.
            let text = cell.text.replace('<', "&lt;").replace('|', "\\|");
            match cell.mark {
                Mark::None => text,
                Mark::Subject => format!("**{text}**"),
                Mark::Bad => format!("**{text} !**"),
            }
        });
        _ = writeln!(text, "| {} |", cells.collect::<Vec<_>>().join(" | "));
    }
}
