//! What the role `worker` has.

use prometheus::{CounterVec, GaugeVec, HistogramVec, IntCounterVec, IntGaugeVec, Result};

use crate::metrics::family::{Buckets, Register};

/// Metrics of the role `worker`; see `events` for what call sites use.
#[derive(Debug)]
pub struct WorkerMetrics {
    pub(in crate::metrics) events: IntCounterVec,
    pub(in crate::metrics) rejected: IntCounterVec,
    pub(in crate::metrics) batch_events: HistogramVec,
    pub(in crate::metrics) batch_seconds: HistogramVec,
    pub(in crate::metrics) pulls: IntCounterVec,
    pub(in crate::metrics) pulled_bytes: IntCounterVec,
    pub(in crate::metrics) pulls_repeated: IntCounterVec,
    pub(in crate::metrics) replies: IntCounterVec,
    pub(in crate::metrics) pull_seconds: HistogramVec,
    pub(in crate::metrics) pushed_rows: IntCounterVec,
    pub(in crate::metrics) pushed_bytes: IntCounterVec,
    pub(in crate::metrics) cache_lookups: IntCounterVec,
    pub(in crate::metrics) cached_rows: IntGaugeVec,
    pub(in crate::metrics) in_flight: IntGaugeVec,
    pub(in crate::metrics) unapplied: IntGaugeVec,
    pub(in crate::metrics) queued: IntGaugeVec,
    pub(in crate::metrics) staleness: HistogramVec,
    pub(in crate::metrics) committed_offset: IntGaugeVec,
    pub(in crate::metrics) lag_records: IntGaugeVec,
    pub(in crate::metrics) lag_seconds: GaugeVec,
    pub(in crate::metrics) take_over_seconds: HistogramVec,
    pub(in crate::metrics) quality: CounterVec,
    pub(in crate::metrics) quality_events: IntCounterVec,
}

impl WorkerMetrics {
    #[rustfmt::skip] // A table: one metric a line.
    pub(in crate::metrics) fn register(r: &mut Register<'_>) -> Result<Self> {
        use Buckets::{LongSeconds, Seconds, Sizes};
        let (model, partition, measure) = (&["model"], &["model", "partition"], &["model", "generation", "measure"]);
        Ok(Self {
            events: r.counter("weir_worker_events_total", "Events of the input topic whose batch was committed, by outcome.", &["model", "topic", "outcome"])?,
            rejected: r.counter("weir_worker_rejected_total", "Events whose batch was committed and that went to the rejected topic, by reason.", &["model", "reason"])?,
            batch_events: r.histogram("weir_worker_batch_events", "Events of a transaction's batches; its count is the number of transactions.", model, Sizes)?,
            batch_seconds: r.histogram("weir_worker_batch_duration_seconds", "Time from the making of a transaction out of learned batches to its commit.", model, Seconds)?,
            pulls: r.counter("weir_worker_pulls_total", "Pull frames sent, those asked again included.", model)?,
            pulled_bytes: r.counter("weir_worker_pulled_bytes_total", "Bytes of pull frames sent.", model)?,
            pulls_repeated: r.counter("weir_worker_pulls_repeated_total", "Pull frames sent again after a time-out.", model)?,
            replies: r.counter("weir_worker_replies_total", "Reply frames received, used or dropped because nobody waited for them.", &["model", "outcome"])?,
            pull_seconds: r.histogram("weir_worker_pull_duration_seconds", "Time from a pull's first asking to its reply.", model, Seconds)?,
            pushed_rows: r.counter("weir_worker_pushed_rows_total", "Rows in committed push frames.", model)?,
            pushed_bytes: r.counter("weir_worker_pushed_bytes_total", "Bytes of committed push frames.", model)?,
            cache_lookups: r.counter("weir_worker_cache_lookups_total", "Rows looked up in the cache, hit or miss.", &["model", "outcome"])?,
            cached_rows: r.gauge("weir_worker_cached_rows", "Rows in the cache; bounded by worker.cached_rows.", model)?,
            in_flight: r.gauge("weir_worker_batches_in_flight", "Batches begun and not committed; bounded by worker.in_flight per partition.", model)?,
            unapplied: r.gauge("weir_worker_batches_unapplied", "Batches committed that not every shard has applied; bounded by worker.unapplied_batches per partition.", model)?,
            queued: r.gauge("weir_worker_queued_batches", "Batches that are cut and not begun; bounded by worker.in_flight for each partition.", model)?,
            staleness: r.histogram("weir_worker_staleness_events", "Events of the source partition that a reply's rows did not contain yet.", model, Sizes)?,
            committed_offset: r.gauge("weir_worker_committed_offset", "Offset next to read of an input partition, as committed.", partition)?,
            lag_records: r.gauge("weir_worker_lag_records", "Records of an input partition that are not committed yet.", partition)?,
            lag_seconds: r.level("weir_worker_lag_seconds", "How long the oldest event of an input partition has waited that is not committed yet, since it was read or, if none is read, since the partition was seen to have more; 0 if there is none.", partition)?,
            take_over_seconds: r.histogram("weir_worker_take_over_duration_seconds", "Time from the group's giving input partitions until they are read.", model, LongSeconds)?,
            quality: r.sum("weir_worker_quality_total", "Sum of a progressive measure: what was predicted before it was learned, against what came. Divided by weir_worker_quality_events_total it is the mean.", measure)?,
            quality_events: r.counter("weir_worker_quality_events_total", "How many predictions are in weir_worker_quality_total.", measure)?,
        })
    }
}
