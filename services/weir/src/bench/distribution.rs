//! Times of many single events, as percentiles.

use std::time::Duration;

use serde::Serialize;

/// A distribution of times, in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Distribution {
    pub(super) what: &'static str,
    pub(super) count: usize,
    pub(super) p50_ms: f64,
    pub(super) p90_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) most_ms: f64,
}

impl Distribution {
    /// Of these times; all 0 where there are none.
    pub(super) fn of(what: &'static str, times: &[Duration]) -> Self {
        let mut times: Vec<f64> = times.iter().map(|time| time.as_secs_f64() * 1e3).collect();
        times.sort_by(f64::total_cmp);
        // The least time that so many in a hundred do not exceed.
        let percentile = |percent: usize| {
            let rank = (times.len() * percent).div_ceil(100).max(1);
            times.get(rank - 1).copied().unwrap_or_default()
        };
        let (p50_ms, p90_ms, p99_ms) = (percentile(50), percentile(90), percentile(99));
        Self { what, count: times.len(), p50_ms, p90_ms, p99_ms, most_ms: percentile(100) }
    }

    /// What each row of [`Self::row`] has.
    pub(super) const HEADER: [&str; 6] = ["milliseconds", "count", "p50", "p90", "p99", "most"];

    /// A row of a table.
    pub(super) fn row(&self) -> [String; 6] {
        let Self { what, count, p50_ms, p90_ms, p99_ms, most_ms } = self;
        let times = [p50_ms, p90_ms, p99_ms, most_ms].map(|time| format!("{time:.1}"));
        let [p50, p90, p99, most] = times;
        [(*what).to_owned(), count.to_string(), p50, p90, p99, most]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_occurred() {
        let times: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        let found = Distribution::of("times", &times);
        assert_eq!((found.count, found.p50_ms, found.p90_ms), (200, 100.0, 180.0));
        assert_eq!((found.p99_ms, found.most_ms), (198.0, 200.0));
        let single = Distribution::of("one", &times[..1]);
        assert_eq!((single.p50_ms, single.p99_ms), (200.0, 200.0));
        assert_eq!(Distribution::of("none", &[]).most_ms, 0.0);
        assert_eq!(single.row()[1..3], ["1".to_owned(), "200.0".to_owned()]);
    }
}
