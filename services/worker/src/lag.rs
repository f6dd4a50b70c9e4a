//! How far a worker is behind its input, by records and by time. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// What is read and not committed, by source partition.
#[derive(Debug, Default)]
pub(crate) struct Lag {
    sources: BTreeMap<u32, SourceLag>,
}

#[derive(Debug, Default)]
struct SourceLag {
    committed: u64,
    /// The next record that may be read, as brokers said last.
    end: u64,
    /// Batches that were read and are not committed: where each ends, and the time of its oldest record.
    waiting: VecDeque<(u64, i64)>,
    /// Since when there is more that is not read, with nothing waiting.
    unread_since_ms: Option<i64>,
}

impl Lag {
    /// A source partition is read from `start` on.
    pub(crate) fn begin(&mut self, source: u32, start: u64) {
        self.sources.insert(source, SourceLag { committed: start, end: start, ..SourceLag::default() });
    }

    /// No source partition is read any more.
    pub(crate) fn end_all(&mut self) {
        self.sources.clear();
    }

    /// A batch up to `next` was read, whose oldest record is of the time `oldest_ms`.
    pub(crate) fn read(&mut self, source: u32, next: u64, oldest_ms: i64) {
        if let Some(lag) = self.sources.get_mut(&source) {
            lag.waiting.push_back((next, oldest_ms));
            lag.end = lag.end.max(next);
            lag.unread_since_ms = None;
        }
    }

    /// Everything below `next` is committed.
    pub(crate) fn committed(&mut self, source: u32, next: u64) {
        if let Some(lag) = self.sources.get_mut(&source) {
            lag.committed = next;
            while lag.waiting.front().is_some_and(|(batch, _)| *batch <= next) {
                lag.waiting.pop_front();
            }
        }
    }

    /// Brokers say where a source partition ends; `drained` that nothing is left to be read there but markers.
    pub(crate) fn seen(&mut self, source: u32, end: u64, drained: bool, now_ms: i64) {
        let Some(lag) = self.sources.get_mut(&source) else { return };
        let idle = lag.waiting.is_empty();
        lag.end = if idle && drained { lag.committed } else { lag.end.max(end) };
        lag.unread_since_ms = if idle && lag.end > lag.committed { lag.unread_since_ms.or(Some(now_ms)) } else { None };
    }

    /// Per source partition the records that are not committed, and the age of the oldest of them.
    pub(crate) fn now(&self, now_ms: i64) -> impl Iterator<Item = (u32, u64, Duration)> {
        self.sources.iter().map(move |(&source, lag)| {
            let since = lag.waiting.front().map(|(_, oldest_ms)| *oldest_ms).or(lag.unread_since_ms);
            let age = since.map_or(0, |since| now_ms.saturating_sub(since).max(0));
            (source, lag.end.saturating_sub(lag.committed), Duration::from_millis(age as u64))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lag: &Lag, now_ms: i64, records: u64, age_ms: u64) {
        let found: Vec<_> = lag.now(now_ms).collect();
        assert_eq!(found, [(3, records, Duration::from_millis(age_ms))]);
    }

    #[test]
    fn the_oldest_event_that_is_not_committed_counts() {
        let mut lag = Lag::default();
        lag.begin(3, 10);
        check(&lag, 1_000, 0, 0);
        lag.read(3, 12, 400);
        lag.read(3, 20, 700);
        check(&lag, 1_000, 10, 600);
        lag.committed(3, 12);
        check(&lag, 1_000, 8, 300);
        lag.seen(3, 50, false, 1_000);
        check(&lag, 1_000, 38, 300);
        lag.committed(3, 20);
        check(&lag, 1_100, 30, 0);
        // Nothing is read of what is there: that too is waiting.
        lag.seen(3, 50, false, 1_200);
        lag.seen(3, 60, false, 1_500);
        check(&lag, 1_700, 40, 500);
        lag.end_all();
        assert_eq!(lag.now(0).count(), 0);
    }

    #[test]
    fn markers_behind_the_last_event_are_no_lag() {
        let mut lag = Lag::default();
        lag.begin(3, 10);
        lag.seen(3, 11, true, 5);
        check(&lag, 9_000, 0, 0);
    }

    #[test]
    fn an_event_from_the_future_is_not_old_and_foreign_partitions_are_ignored() {
        let mut lag = Lag::default();
        lag.begin(3, 0);
        lag.read(3, 1, i64::MAX);
        lag.read(9, 1, 0);
        lag.committed(9, 1);
        lag.seen(9, 1, false, 0);
        check(&lag, 5, 1, 0);
    }
}
