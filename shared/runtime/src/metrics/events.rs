//! What happened, told once: each function moves all the metrics that belong to it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{GatewayMetrics, Metrics, ServerMetrics, WorkerMetrics};

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventOutcome {
    /// Learned from.
    Learned,
    /// Took an item from a user's seen items.
    Removed,
    /// Asked to forget a user.
    Forgotten,
    /// Sent to the rejected topic.
    Rejected,
    /// Of no meaning to this model.
    Ignored,
}

impl EventOutcome {
    /// The label's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Learned => "learned",
            Self::Removed => "removed",
            Self::Forgotten => "forgotten",
            Self::Rejected => "rejected",
            Self::Ignored => "ignored",
        }
    }
}

impl Metrics {
    /// A role failed and will be started again.
    pub fn role_failed(&self, role: &str) {
        self.process.restarts.with_label_values(&[role]).inc();
    }

    /// A transaction was committed, `duration` after its begin.
    pub fn transaction_committed(&self, role: &str, model: &str, duration: Duration) {
        self.process.transactions.with_label_values(&[role, model, "committed"]).inc();
        self.process.transaction_seconds.with_label_values(&[role, model]).observe(duration.as_secs_f64());
    }

    /// A transaction failed; what it held will be done again.
    pub fn transaction_failed(&self, role: &str, model: &str) {
        self.process.transactions.with_label_values(&[role, model, "failed"]).inc();
    }

    /// A record on an internal topic was passed over; `reason` is one of the frame errors' names.
    pub fn frame_skipped(&self, role: &str, model: &str, reason: &'static str) {
        self.process.frames_skipped.with_label_values(&[role, model, reason]).inc();
    }

    /// A client lost a broker or could not reach one.
    pub fn broker_error(&self, role: &str) {
        self.process.broker_errors.with_label_values(&[role]).inc();
    }
}

impl WorkerMetrics {
    /// `count` events of a committed batch had this outcome.
    pub fn events(&self, model: &str, outcome: EventOutcome, count: u64) {
        self.events.with_label_values(&[model, outcome.as_str()]).inc_by(count);
    }

    /// `count` events of a committed batch were rejected because of `reason`, one of the reasons' fixed names.
    pub fn rejected(&self, model: &str, reason: &str, count: u64) {
        self.events(model, EventOutcome::Rejected, count);
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

    /// Bytes of all push frames that were committed, over all models.
    #[must_use]
    pub fn pushed_bytes(&self) -> f64 {
        use prometheus::core::Collector;
        let families = self.pushed_bytes.collect();
        families
            .iter()
            .flat_map(prometheus::proto::MetricFamily::get_metric)
            .map(|metric| metric.get_counter().get_value())
            .sum()
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

    /// `partition` went to another worker, whose figure counts from now on.
    pub fn partition_gone(&self, model: &str, partition: u32) {
        let _ = self.committed_offset.remove_label_values(&[model, &partition.to_string()]);
    }
}

impl ServerMetrics {
    /// A shard applied `frames` push frames with `rows` rows and stands before the offset `next` of the pushes topic.
    pub fn applied(&self, model: &str, shard: u32, frames: u64, rows: u64, next: u64) {
        self.frames.with_label_values(&[model]).inc_by(frames);
        self.applied_rows.with_label_values(&[model]).inc_by(rows);
        self.applied_offset.with_label_values(&[model, &shard.to_string()]).set(next as i64);
    }

    /// A pull was answered.
    pub fn pull_answered(&self, model: &str) {
        self.pulls.with_label_values(&[model, "answered"]).inc();
    }

    /// A pull has to wait until its position is applied.
    pub fn pull_waits(&self, model: &str) {
        self.pulls.with_label_values(&[model, "waited"]).inc();
    }

    /// A pull was dropped because too many wait; it will be asked again.
    pub fn pull_dropped(&self, model: &str) {
        self.pulls.with_label_values(&[model, "dropped"]).inc();
    }

    /// A shard has `rows` rows, `dirty` of them changed since its last barrier.
    pub fn rows(&self, model: &str, shard: u32, rows: usize, dirty: usize) {
        let shard = shard.to_string();
        self.rows.with_label_values(&[model, &shard]).set(rows as i64);
        self.dirty_rows.with_label_values(&[model, &shard]).set(dirty as i64);
    }

    /// A shard's publish of `rows` rows took `duration` and committed a barrier before the push offset `next`.
    pub fn published(&self, model: &str, shard: u32, rows: usize, duration: Duration, next: u64) {
        self.publish_rows.with_label_values(&[model]).observe(rows as f64);
        self.publish_seconds.with_label_values(&[model]).observe(duration.as_secs_f64());
        self.barrier_offset.with_label_values(&[model, &shard.to_string()]).set(next as i64);
    }

    /// A shard's local store was written just now.
    pub fn stored(&self, model: &str, shard: u32, bytes: u64, duration: Duration) {
        self.store_seconds.with_label_values(&[model]).observe(duration.as_secs_f64());
        self.store_bytes.with_label_values(&[model]).inc_by(bytes);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.store_written.with_label_values(&[model, &shard.to_string()]).set(now.as_secs() as i64);
    }

    /// A local store was given up; `reason` is a fixed name such as `damaged` or `too_old`.
    pub fn store_discarded(&self, reason: &'static str) {
        self.stores_discarded.with_label_values(&[reason]).inc();
    }

    /// A shard answers again, `duration` after it was assigned.
    pub fn restored(&self, model: &str, duration: Duration) {
        self.restore_seconds.with_label_values(&[model]).observe(duration.as_secs_f64());
    }

    /// A shard went to another server, whose figures count from now on.
    pub fn shard_gone(&self, model: &str, shard: u32) {
        let shard = shard.to_string();
        let gauges = [&self.rows, &self.dirty_rows, &self.applied_offset, &self.barrier_offset, &self.store_written];
        for gauge in gauges {
            let _ = gauge.remove_label_values(&[model, &shard]);
        }
    }
}

impl GatewayMetrics {
    /// A request was answered. `route` is the route's template, never the path, which would hold users.
    pub fn request(&self, route: &str, method: &str, status: u16, duration: Duration) {
        self.requests.with_label_values(&[route, method, &status.to_string()]).inc();
        self.request_seconds.with_label_values(&[route, method]).observe(duration.as_secs_f64());
    }

    /// An event taken over REST was acknowledged by the broker.
    pub fn event_produced(&self) {
        self.events_produced.with_label_values(&["acknowledged"]).inc();
    }

    /// An event taken over REST could not be produced.
    pub fn event_failed(&self) {
        self.events_produced.with_label_values(&["failed"]).inc();
    }

    /// A request with `at_least` was covered in its time, or was not.
    pub fn at_least(&self, covered: bool) {
        self.at_least.with_label_values(&[if covered { "covered" } else { "timed_out" }]).inc();
    }

    /// `records` changelog records were taken into memory, which has `rows` rows of the model now.
    pub fn materialised(&self, model: &str, records: u64, rows: usize) {
        self.changelog_records.with_label_values(&[model]).inc_by(records);
        self.rows.with_label_values(&[model]).set(rows as i64);
    }

    /// Answers cover `partition` of the input up to the offset `next`.
    pub fn covered(&self, model: &str, partition: u32, next: u64) {
        self.covered_offset.with_label_values(&[model, &partition.to_string()]).set(next as i64);
    }
}
