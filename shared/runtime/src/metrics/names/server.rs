//! What the role `server` has.

use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec, Result};

use crate::metrics::family::{Buckets, Register};

/// Metrics of the role `server`; see `events` for what call sites use.
#[derive(Debug)]
pub struct ServerMetrics {
    pub(in crate::metrics) frames: IntCounterVec,
    pub(in crate::metrics) applied_rows: IntCounterVec,
    pub(in crate::metrics) push_seconds: HistogramVec,
    pub(in crate::metrics) pulls: IntCounterVec,
    pub(in crate::metrics) let_go: IntCounterVec,
    pub(in crate::metrics) rows: IntGaugeVec,
    pub(in crate::metrics) parameters: IntGaugeVec,
    pub(in crate::metrics) parameter_bytes: IntGaugeVec,
    pub(in crate::metrics) memory_bytes: IntGaugeVec,
    pub(in crate::metrics) dirty_rows: IntGaugeVec,
    pub(in crate::metrics) applied_offset: IntGaugeVec,
    pub(in crate::metrics) lag_records: IntGaugeVec,
    pub(in crate::metrics) barrier_offset: IntGaugeVec,
    pub(in crate::metrics) barrier_committed: IntGaugeVec,
    pub(in crate::metrics) publish_rows: HistogramVec,
    pub(in crate::metrics) publish_seconds: HistogramVec,
    pub(in crate::metrics) replied_bytes: IntCounterVec,
    pub(in crate::metrics) published_bytes: IntCounterVec,
    pub(in crate::metrics) store_seconds: HistogramVec,
    pub(in crate::metrics) store_bytes: IntCounterVec,
    pub(in crate::metrics) store_pause_seconds: HistogramVec,
    pub(in crate::metrics) store_disk_bytes: IntGaugeVec,
    pub(in crate::metrics) store_written: IntGaugeVec,
    pub(in crate::metrics) store_failures: IntCounterVec,
    pub(in crate::metrics) stores_discarded: IntCounterVec,
    pub(in crate::metrics) restore_seconds: HistogramVec,
    pub(in crate::metrics) restore_phase_seconds: HistogramVec,
    pub(in crate::metrics) restored_changelog: IntGaugeVec,
    pub(in crate::metrics) restored_pushes: IntGaugeVec,
    pub(in crate::metrics) push_log_first: IntGaugeVec,
}

impl ServerMetrics {
    #[rustfmt::skip] // A table: one metric a line.
    pub(in crate::metrics) fn register(r: &mut Register<'_>) -> Result<Self> {
        use Buckets::{LongSeconds, Seconds, Sizes};
        let (model, shard) = (&["model"], &["model", "shard"]);
        Ok(Self {
            frames: r.counter("weir_server_applied_frames_total", "Push frames applied.", model)?,
            applied_rows: r.counter("weir_server_applied_rows_total", "Rows changed by push frames.", model)?,
            push_seconds: r.histogram("weir_server_push_duration_seconds", "Time from a push record's own time, when its worker wrote it, until the shard has applied it; the commit lies between.", model, Seconds)?,
            pulls: r.counter("weir_server_pulls_total", "Pull frames by outcome: answered, waited for a position, or dropped because too many wait.", &["model", "outcome"])?,
            let_go: r.counter("weir_server_let_go_total", "Users, items and lists of neighbours that shards let go by themselves: not seen for long (age), or the least recently seen of too many (room).", &["model", "what", "why"])?,
            rows: r.gauge("weir_server_rows", "Rows in memory by table; those of the table users are the users.", &["model", "shard", "table"])?,
            parameters: r.gauge("weir_server_parameters", "Values of 32 bits in all rows.", shard)?,
            parameter_bytes: r.gauge("weir_server_parameter_bytes", "Raw size of all rows: four bytes a value.", shard)?,
            memory_bytes: r.gauge("weir_server_memory_bytes", "Memory that the rows take with keys, index and room to grow, about; names come on top.", shard)?,
            dirty_rows: r.gauge("weir_server_dirty_rows", "Rows changed since the last barrier.", shard)?,
            applied_offset: r.gauge("weir_server_applied_offset", "Offset next to apply of the pushes topic.", shard)?,
            lag_records: r.gauge("weir_server_lag_records", "Records of the pushes topic that readers may have and that are not applied yet, by what brokers said within the last second.", shard)?,
            barrier_offset: r.gauge("weir_server_barrier_offset", "Offset next to apply that the last committed barrier holds.", shard)?,
            barrier_committed: r.gauge("weir_server_barrier_timestamp_seconds", "When the last barrier was committed, in seconds since 1970; its age is time() minus this.", shard)?,
            publish_rows: r.histogram("weir_server_publish_rows", "Changed rows of a publish; its count is the number of publishes.", model, Sizes)?,
            publish_seconds: r.histogram("weir_server_publish_duration_seconds", "Time of a whole publish.", model, Seconds)?,
            replied_bytes: r.counter("weir_server_replied_bytes_total", "Bytes of reply frames sent, answers to queries included.", model)?,
            published_bytes: r.counter("weir_server_published_bytes_total", "Bytes of keys and values written to the changelog, barriers included.", model)?,
            store_seconds: r.histogram("weir_server_store_write_duration_seconds", "Time of a write to the local store; its count is the number of writes.", model, Seconds)?,
            store_bytes: r.counter("weir_server_store_written_bytes_total", "Bytes written to the local store.", model)?,
            store_pause_seconds: r.histogram("weir_server_store_pause_seconds", "Time that a shard's changes were copied for the local store, while nothing was applied; writing them goes on beside.", model, Seconds)?,
            store_disk_bytes: r.gauge("weir_server_store_disk_bytes", "Bytes that the model's local store takes on disk.", model)?,
            store_written: r.gauge("weir_server_store_write_timestamp_seconds", "When the local store was last written or, before that, when the shard was taken over, in seconds since 1970; its age is time() minus this.", shard)?,
            store_failures: r.counter("weir_server_store_failures_total", "Writes to the local store that failed; the shard goes on without one.", model)?,
            stores_discarded: r.counter("weir_server_stores_discarded_total", "Local stores given up, by reason; the changelog rebuilds them.", &["reason"])?,
            restore_seconds: r.histogram("weir_server_restore_duration_seconds", "Time from a shard's assignment until it answers.", model, LongSeconds)?,
            restore_phase_seconds: r.histogram("weir_server_restore_phase_duration_seconds", "Time of a restore's phases: store, loading the local store; changelog, reading what is behind it.", &["model", "phase"], LongSeconds)?,
            restored_changelog: r.gauge("weir_server_restored_changelog_records", "Changelog records that the shard's last restore read behind the local store.", shard)?,
            restored_pushes: r.gauge("weir_server_restored_push_records", "Push records behind the barrier of the shard's last restore.", shard)?,
            push_log_first: r.gauge("weir_server_push_log_first_offset", "How far back the shard's push log reaches: its first offset. Above the barrier's, something is lost.", shard)?,
        })
    }
}
