//! The arithmetic of the benchmark: medians, their spread, geometric means,
//! and which peer is the best. Pure functions; nothing here knows of programs.

/// The middle value, or the mean of the two in the middle; `None` of nothing.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

/// How far the values lie from their median: the median of the distances, as
/// a fraction of the median. Unlike the standard deviation it does not tell of
/// one disturbed run among many quiet ones.
pub(crate) fn spread(values: &[f64]) -> Option<f64> {
    let middle = median(values)?;
    if middle == 0.0 {
        return Some(0.0);
    }
    let distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    Some(median(&distances)? / middle)
}

/// The mean for ratios: twice as much and half as much make no difference.
/// `None` of nothing.
pub(crate) fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    if ratios.is_empty() {
        return None;
    }
    let logs: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    Some((logs / ratios.len() as f64).exp())
}

/// The least value of the peers and whose it is; the subject's own never
/// counts, and neither does 0, which stands for nothing measured.
pub(crate) fn best_peer<'a>(
    values: impl IntoIterator<Item = (&'a str, f64)>,
    is_peer: impl Fn(&str) -> bool,
) -> Option<(&'a str, f64)> {
    values.into_iter().filter(|&(name, value)| value > 0.0 && is_peer(name)).min_by(|a, b| a.1.total_cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: Option<f64>, b: f64) -> bool {
        a.is_some_and(|a| (a - b).abs() < 1e-12)
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[7.0]), Some(7.0));
        assert_eq!(median(&[9.0, 1.0, 5.0]), Some(5.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 100.0]), Some(3.0));
    }

    #[test]
    fn one_disturbed_run_does_not_widen_the_spread() {
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[3.0]), Some(0.0));
        assert!(close(spread(&[9.0, 10.0, 11.0]), 0.1));
        assert!(close(spread(&[9.0, 10.0, 11.0, 9.0, 1000.0]), 0.1));
        assert_eq!(spread(&[0.0, 0.0]), Some(0.0));
    }

    #[test]
    fn ratios_cancel_out() {
        assert_eq!(geometric_mean(&[]), None);
        assert!(close(geometric_mean(&[2.0, 0.5]), 1.0));
        assert!(close(geometric_mean(&[1.0, 4.0]), 2.0));
        assert!(close(geometric_mean(&[3.0]), 3.0));
    }

    #[test]
    fn the_subject_is_not_its_own_peer() {
        let values = [("hmm", 1.0), ("glibc", 3.0), ("mimalloc3", 2.0), ("broken", 0.0)];
        let peer = |name: &str| name != "hmm";
        assert_eq!(best_peer(values, peer), Some(("mimalloc3", 2.0)));
        assert_eq!(best_peer([("hmm", 1.0)], peer), None);
        let (_, best) = best_peer(values, peer).expect("there are peers");
        assert!(close(Some(1.0 / best), 0.5));
    }
}
