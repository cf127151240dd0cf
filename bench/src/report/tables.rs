//! The tables, before they become text: what stands in which cell, and what
//! is to be highlighted.

use crate::results::{Cell, Group, Metric, Results, SUBJECT};
use crate::summary::{self, Comparison, Figure};

/// A table with a title.
pub(super) struct Table {
    pub(super) title: String,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<Text>>,
}

/// What stands in a cell.
#[derive(Clone)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) mark: Mark,
}

/// How a cell is set off.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    None,
    /// HMM's own figures.
    Subject,
    /// HMM needs more than it should.
    Bad,
}

impl Text {
    fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), mark: Mark::None }
    }
}

/// What the ratios mean, to stand above the tables.
pub(super) const LEGEND: &str = "Figures are ratios to the best peer of the row, whose median is given; HMM itself is \
     no peer. Less is better, and below 1.00 HMM beats them all. ± is the spread of the runs in percent: the median \
     of their distances to the median, not given where it is below half a percent. ! marks where HMM needs 15 % more than the best peer, real programs 3 %.";

/// For each metric, the geometric means over all rows and over each group.
pub(super) fn means(results: &Results) -> Vec<Table> {
    Metric::ALL
        .iter()
        .filter(|&&metric| has_rows(results, None, metric))
        .map(|&metric| means_of(results, metric))
        .collect()
}

/// Whether anything was measured there.
fn has_rows(results: &Results, group: Option<Group>, metric: Metric) -> bool {
    !summary::comparisons(results, group, metric).is_empty()
}

fn means_of(results: &Results, metric: Metric) -> Table {
    let groups = present(results);
    let mut head: Vec<String> = vec!["allocator".to_owned(), "all".to_owned()];
    head.extend(groups.iter().map(|group| group.title().to_owned()));
    head.extend(["rows".to_owned(), "HMM takes".to_owned()]);
    let rows = results.allocators.iter().map(|allocator| {
        let name = &allocator.name;
        let mean = |group| summary::mean(results, group, metric, name);
        let mark = if name == SUBJECT { Mark::Subject } else { Mark::None };
        let show = |value: Option<(f64, usize)>| Text { text: value.map_or_else(dash, |(mean, _)| ratio(mean)), mark };
        let mut row = vec![Text { text: name.clone(), mark }, show(mean(None))];
        row.extend(groups.iter().map(|&group| show(mean(Some(group)))));
        row.push(Text::plain(mean(None).map_or_else(dash, |(_, rows)| rows.to_string())));
        let takes = if name == SUBJECT { None } else { summary::against(results, metric, name) };
        row.push(Text::plain(takes.map_or_else(dash, |takes| format!("{:.0} % of it", takes * 100.0))));
        row
    });
    Table { title: format!("Geometric means: {}", metric.title()), head, rows: rows.collect() }
}

/// All rows of a group, one table for each metric.
pub(super) fn details(results: &Results) -> Vec<Table> {
    let of_group = |group| Metric::ALL.into_iter().map(move |metric| (group, metric));
    let told = |&(group, metric): &(Group, Metric)| has_rows(results, Some(group), metric);
    let all = present(results).into_iter().flat_map(of_group).filter(told);
    all.map(|(group, metric)| detail(results, group, metric)).collect()
}

fn detail(results: &Results, group: Group, metric: Metric) -> Table {
    let allocators: Vec<&str> = results.allocators.iter().map(|one| one.name.as_str()).collect();
    let takes_part = |name: &&&str| results.rows.iter().any(|row| row.group == group && row.cells.contains_key(**name));
    let allocators: Vec<&str> = allocators.iter().filter(takes_part).copied().collect();
    let mut head = vec!["workload".to_owned(), "best peer".to_owned()];
    head.extend(allocators.iter().map(|&name| name.to_owned()));
    let comparisons = summary::comparisons(results, Some(group), metric);
    let rows = comparisons.iter().map(|one| {
        let best = one.best.map_or_else(dash, |(name, value)| format!("{name} {}", metric.show(value)));
        let mut row = vec![Text::plain(short(&one.row.name)), Text::plain(best)];
        row.extend(allocators.iter().map(|name| figure(one, name)));
        row
    });
    let rows = rows.collect();
    Table { title: format!("{}: {}", group.title(), metric.title()), head, rows }
}

fn figure(comparison: &Comparison<'_>, allocator: &str) -> Text {
    let is_subject = allocator == SUBJECT;
    match comparison.figure(allocator) {
        Figure::Absent => Text::plain(dash()),
        Figure::Failed => Text { text: "failed".to_owned(), mark: if is_subject { Mark::Bad } else { Mark::None } },
        Figure::Measured { ratio: value, spread } => {
            let percent = (spread * 100.0).round();
            let spread = if percent > 0.0 { format!(" ±{percent}") } else { String::new() };
            let mark = match is_subject {
                true if comparison.is_bad() => Mark::Bad,
                true => Mark::Subject,
                false => Mark::None,
            };
            Text { text: ratio(value) + &spread, mark }
        }
    }
}

/// What each workload stands for.
pub(super) fn workloads(results: &Results) -> Table {
    let row = |row: &crate::results::Row| vec![Text::plain(row.name.clone()), Text::plain(row.description.clone())];
    Table {
        title: "What the workloads stand for".to_owned(),
        head: vec!["workload".to_owned(), "stands for".to_owned()],
        rows: results.rows.iter().map(row).collect(),
    }
}

/// What the figures do not tell: who failed, where HMM needs more than it
/// should, and what was left out.
pub(super) fn notes(results: &Results) -> Vec<String> {
    let complaints = Metric::ALL.into_iter().filter_map(|metric| complaint(results, metric));
    complaints.chain(failures(results)).chain(results.missing.iter().cloned()).collect()
}

fn complaint(results: &Results, metric: Metric) -> Option<String> {
    let rows = summary::comparisons(results, None, metric);
    let bad = rows.iter().filter(|row| row.is_bad());
    let named = bad.map(|row| format!("{} {}", row.row.name, row.ratio(SUBJECT).map_or_else(dash, ratio)));
    let named: Vec<String> = named.collect();
    (!named.is_empty()).then(|| format!("HMM needs too much {}: {}", metric.title(), named.join(", ")))
}

fn failures(results: &Results) -> impl Iterator<Item = String> {
    results.rows.iter().flat_map(|row| {
        let failed =
            |(name, cell): (&String, &Cell)| Some(format!("{} failed on {name}: {}", row.name, cell.failure.as_ref()?));
        row.cells.iter().filter_map(failed)
    })
}

/// Where and how this was measured.
pub(super) fn circumstances(results: &Results) -> Vec<String> {
    let versions = results.allocators.iter().map(|one| format!("{} ({})", one.name, one.version));
    let [machine, tools] = results.machine.lines();
    vec![
        machine,
        tools,
        versions.collect::<Vec<_>>().join(", "),
        format!("rounds: {}; work: {} of a full run's", results.rounds, results.scale),
        results.noise.line(),
    ]
}

/// The groups that have rows.
pub(super) fn present(results: &Results) -> Vec<Group> {
    let has_rows = |group: &Group| results.rows.iter().any(|row| row.group == *group);
    Group::ALL.into_iter().filter(has_rows).collect()
}

/// A workload's name without its group.
pub(super) fn short(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, short)| short)
}

fn ratio(value: f64) -> String {
    format!("{value:.2}")
}

fn dash() -> String {
    "–".to_owned()
}
