//! From samples to ratios: what each allocator took of a row, compared with
//! the best peer there, and the means of that over many rows.

use crate::results::{Group, Metric, Results, Row, SUBJECT};
use crate::statistics::{best_peer, geometric_mean, median, spread};

/// One allocator on one row, in one metric.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Figure {
    /// Does not take part in rows of this kind.
    Absent,
    Failed,
    Measured {
        /// To the best peer; 1 if there is none.
        ratio: f64,
        spread: f64,
    },
}

/// One row in one metric.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    pub(crate) row: &'a Row,
    metric: Metric,
    /// Who needs least, HMM left aside, and how much.
    pub(crate) best: Option<(&'a str, f64)>,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(row: &'a Row, metric: Metric) -> Self {
        let medians = row.cells.keys().filter_map(|name| Some((name.as_str(), median(&values(row, name, metric))?)));
        Self { row, metric, best: best_peer(medians, |name| name != SUBJECT) }
    }

    /// What `allocator` needed.
    pub(crate) fn figure(&self, allocator: &str) -> Figure {
        let Some(cell) = self.row.cells.get(allocator) else { return Figure::Absent };
        if cell.failure.is_some() {
            return Figure::Failed;
        }
        let values = values(self.row, allocator, self.metric);
        let (Some(middle), Some(spread)) = (median(&values), spread(&values)) else { return Figure::Absent };
        let best = self.best.map_or(middle, |(_, value)| value);
        Figure::Measured { ratio: middle / best, spread }
    }

    /// The ratio to the best peer, if `allocator` was measured.
    pub(crate) fn ratio(&self, allocator: &str) -> Option<f64> {
        match self.figure(allocator) {
            Figure::Measured { ratio, .. } => Some(ratio),
            Figure::Absent | Figure::Failed => None,
        }
    }

    /// Whether HMM needs more here than it should.
    pub(crate) fn is_bad(&self) -> bool {
        self.ratio(SUBJECT).is_some_and(|ratio| ratio > self.row.group.tolerance())
    }
}

/// The samples' values; none of a cell that failed.
fn values(row: &Row, allocator: &str, metric: Metric) -> Vec<f64> {
    match row.cells.get(allocator) {
        Some(cell) if cell.failure.is_none() => cell.samples.iter().filter_map(|sample| metric.of(sample)).collect(),
        _ => Vec::new(),
    }
}

/// The rows of a group, or all, in one metric. Few rows tell of settled memory;
/// the others are left out there.
pub(crate) fn comparisons(results: &Results, group: Option<Group>, metric: Metric) -> Vec<Comparison<'_>> {
    let wanted = |row: &&Row| group.is_none_or(|group| row.group == group);
    let told = |row: &Comparison<'_>| row.best.is_some() || row.ratio(SUBJECT).is_some() || metric != Metric::Settled;
    results.rows.iter().filter(wanted).map(|row| Comparison::new(row, metric)).filter(told).collect()
}

/// The geometric mean of an allocator's ratios to the best peer, and of how
/// many rows.
pub(crate) fn mean(results: &Results, group: Option<Group>, metric: Metric, allocator: &str) -> Option<(f64, usize)> {
    let rows = comparisons(results, group, metric);
    let ratios: Vec<f64> = rows.iter().filter_map(|row| row.ratio(allocator)).collect();
    Some((geometric_mean(&ratios)?, ratios.len()))
}

/// The geometric mean of what HMM needs for each 1 that `peer` needs, over the
/// rows that both have; below 1 is good for HMM.
pub(crate) fn against(results: &Results, metric: Metric, peer: &str) -> Option<f64> {
    let rows = comparisons(results, None, metric);
    let ratios: Vec<f64> = rows.iter().filter_map(|row| Some(row.ratio(SUBJECT)? / row.ratio(peer)?)).collect();
    geometric_mean(&ratios)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Cell, Sample};

    fn cell(times: &[u64], failed: bool) -> Cell {
        let sample = |&time_ns: &u64| Sample { time_ns, cpu_us: 1, peak_kib: 1, faults: 1, settled_kib: None };
        Cell { samples: times.iter().map(sample).collect(), failure: failed.then(|| "crash".to_owned()) }
    }

    fn row(cells: &[(&str, Cell)]) -> Row {
        Row {
            group: Group::C,
            name: "c/test".to_owned(),
            description: String::new(),
            cells: cells.iter().map(|(name, cell)| ((*name).to_owned(), cell.clone())).collect(),
        }
    }

    #[test]
    fn ratios_are_to_the_best_peer_that_did_not_fail() {
        let row = row(&[
            ("hmm", cell(&[10, 30, 20], false)),
            ("glibc", cell(&[40, 40, 40], false)),
            ("crashes", cell(&[1, 1, 1], true)),
        ]);
        let comparison = Comparison::new(&row, Metric::Time);
        assert_eq!(comparison.best, Some(("glibc", 40.0)));
        assert_eq!(comparison.ratio("hmm"), Some(0.5));
        assert_eq!(comparison.ratio("glibc"), Some(1.0));
        assert!(matches!(comparison.figure("crashes"), Figure::Failed));
        assert!(matches!(comparison.figure("tcmalloc"), Figure::Absent));
        assert!(!comparison.is_bad());
    }

    #[test]
    fn hmm_is_bad_above_the_tolerance() {
        let slow = row(&[("hmm", cell(&[116], false)), ("glibc", cell(&[100], false))]);
        assert!(Comparison::new(&slow, Metric::Time).is_bad());
        let fine = row(&[("hmm", cell(&[115], false)), ("glibc", cell(&[100], false))]);
        assert!(!Comparison::new(&fine, Metric::Time).is_bad());
    }
}
