//! What happens in a worker.

use std::time::Duration;

use crate::EventOutcome;
use crate::metrics::WorkerMetrics;

impl WorkerMetrics {
    /// A worker begins to learn `topic`, whose events may be refused for these reasons: none has been yet.
    pub fn begins<'a>(&self, model: &str, topic: &str, reasons: impl IntoIterator<Item = &'a str>) {
        self.events(model, topic, EventOutcome::Learned, 0);
        self.events(model, topic, EventOutcome::Rejected, 0);
        for reason in reasons {
            self.rejected.with_label_values(&[model, reason]);
        }
        for outcome in ["used", "dropped"] {
            self.replies.with_label_values(&[model, outcome]);
        }
        self.pulls.with_label_values(&[model]);
        self.pulls_repeated.with_label_values(&[model]);
    }

    /// `count` events of a committed batch of `topic` had this outcome.
    pub fn events(&self, model: &str, topic: &str, outcome: EventOutcome, count: u64) {
        self.events.with_label_values(&[model, topic, outcome.as_str()]).inc_by(count);
    }

    /// `count` events of a committed batch of `topic` were rejected because of `reason`, one of the reasons' fixed names.
    pub fn rejected(&self, model: &str, topic: &str, reason: &str, count: u64) {
        self.events(model, topic, EventOutcome::Rejected, count);
        self.rejected.with_label_values(&[model, reason]).inc_by(count);
    }

    /// A batch of `events` was committed, `duration` after its first event was read.
    pub fn batch_committed(&self, model: &str, events: usize, duration: Duration) {
        self.batch_events.with_label_values(&[model]).observe(events as f64);
        self.batch_seconds.with_label_values(&[model]).observe(duration.as_secs_f64());
    }

    /// A pull was sent, for the first time or again.
    pub fn pull_sent(&self, model: &str, repeated: bool) {
        self.pulls.with_label_values(&[model]).inc();
        self.pulls_repeated.with_label_values(&[model]).inc_by(repeated.into());
    }

    /// The reply to a pull came, `duration` after it was first asked; `staleness` is how many events of the source
    /// partition its rows did not contain.
    pub fn reply_used(&self, model: &str, duration: Duration, staleness: u64) {
        self.replies.with_label_values(&[model, "used"]).inc();
        self.pull_seconds.with_label_values(&[model]).observe(duration.as_secs_f64());
        self.staleness.with_label_values(&[model]).observe(staleness as f64);
    }

    /// A reply came that nobody waited for.
    pub fn reply_dropped(&self, model: &str) {
        self.replies.with_label_values(&[model, "dropped"]).inc();
    }

    /// Push frames of `rows` rows and `bytes` bytes were committed.
    pub fn pushed(&self, model: &str, rows: u64, bytes: u64) {
        self.pushed_rows.with_label_values(&[model]).inc_by(rows);
        self.pushed_bytes.with_label_values(&[model]).inc_by(bytes);
    }

    /// A pull frame of `bytes` bytes was sent.
    pub fn pulled_bytes(&self, model: &str, bytes: usize) {
        self.pulled_bytes.with_label_values(&[model]).inc_by(bytes as u64);
    }

    /// Rows were looked up in the cache, which holds `rows` now.
    pub fn cache_used(&self, model: &str, hits: u64, misses: u64, rows: usize) {
        self.cache_lookups.with_label_values(&[model, "hit"]).inc_by(hits);
        self.cache_lookups.with_label_values(&[model, "miss"]).inc_by(misses);
        self.cached_rows.with_label_values(&[model]).set(rows as i64);
    }

    /// What waits in the worker now: batches in flight, batches committed but unapplied, batches cut and not begun.
    pub fn waiting(&self, model: &str, in_flight: usize, unapplied: usize, queued: usize) {
        self.in_flight.with_label_values(&[model]).set(in_flight as i64);
        self.unapplied.with_label_values(&[model]).set(unapplied as i64);
        self.queued.with_label_values(&[model]).set(queued as i64);
    }

    /// The input offset `next` of `partition` was committed.
    pub fn offset_committed(&self, model: &str, partition: u32, next: u64) {
        self.committed_offset.with_label_values(&[model, &partition.to_string()]).set(next as i64);
    }

    /// `partition` has `records` that are not committed, the oldest of which has waited for `waited`.
    pub fn lag(&self, model: &str, partition: u32, records: u64, waited: Duration) {
        let partition = partition.to_string();
        self.lag_records.with_label_values(&[model, &partition]).set(records as i64);
        self.lag_seconds.with_label_values(&[model, &partition]).set(waited.as_secs_f64());
    }

    /// Input partitions are read, `duration` after the group gave them.
    pub fn taken_over(&self, model: &str, duration: Duration) {
        self.take_over_seconds.with_label_values(&[model]).observe(duration.as_secs_f64());
    }

    /// `events` predictions of committed batches were measured before they were learned: `sum` of the measure `measure`,
    /// one of the model's fixed names. What is no number or below 0 is left out.
    pub fn measured(&self, model: &str, generation: &str, measure: &str, sum: f64, events: u64) {
        if sum.is_finite() && sum >= 0.0 {
            self.quality.with_label_values(&[model, generation, measure]).inc_by(sum);
            self.quality_events.with_label_values(&[model, generation, measure]).inc_by(events);
        }
    }

    /// `partition` went to another worker, whose figures count from now on.
    pub fn partition_gone(&self, model: &str, partition: u32) {
        let labels = [model, &partition.to_string()];
        let _ = self.committed_offset.remove_label_values(&labels);
        let _ = self.lag_records.remove_label_values(&labels);
        let _ = self.lag_seconds.remove_label_values(&labels);
    }
}
