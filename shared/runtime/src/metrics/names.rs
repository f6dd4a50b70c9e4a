//! Every metric's name, help text, labels and buckets.

use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, Result, exponential_buckets,
};

/// Requests, pulls and transactions: 0.25 ms to 8 s, each twice the one before.
fn seconds() -> Result<Vec<f64>> {
    exponential_buckets(0.000_25, 2.0, 16)
}

/// Restores: 10 ms to about 11 min.
fn long_seconds() -> Result<Vec<f64>> {
    exponential_buckets(0.01, 2.0, 17)
}

/// Events and rows: 1 to about a million.
fn sizes() -> Result<Vec<f64>> {
    exponential_buckets(1.0, 4.0, 11)
}

fn register<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> Result<C> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

fn counter(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec> {
    register(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
}

fn gauge(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntGaugeVec> {
    register(registry, IntGaugeVec::new(Opts::new(name, help), labels)?)
}

fn histogram(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
    buckets: Result<Vec<f64>>,
) -> Result<HistogramVec> {
    register(registry, HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets?), labels)?)
}

/// What every role has.
#[derive(Debug)]
pub(super) struct ProcessMetrics {
    pub(super) ready: IntGauge,
    pub(super) restarts: IntCounterVec,
    pub(super) transactions: IntCounterVec,
    pub(super) transaction_seconds: HistogramVec,
    pub(super) frames_skipped: IntCounterVec,
    pub(super) broker_errors: IntCounterVec,
}

impl ProcessMetrics {
    #[rustfmt::skip] // A table: one metric a line.
    pub(super) fn register(r: &Registry) -> Result<Self> {
        r.register(Box::new(ProcessCollector::new(std::process::id() as i32, "weir")))?;
        let build = gauge(r, "weir_build_info", "Always 1; the label is the version that runs.", &["version"])?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        Ok(Self {
            ready: register(r, IntGauge::new("weir_ready", "1 when every part of the process is ready, else 0.")?)?,
            restarts: counter(r, "weir_role_restarts_total", "Times a role failed and was torn down to be started again.", &["role"])?,
            transactions: counter(r, "weir_transactions_total", "Kafka transactions by outcome, committed or failed.", &["role", "model", "outcome"])?,
            transaction_seconds: histogram(r, "weir_transaction_duration_seconds", "Time from the begin to the commit of a committed Kafka transaction.", &["role", "model"], seconds())?,
            frames_skipped: counter(r, "weir_frames_skipped_total", "Records on internal topics that are no frame of this model and were passed over.", &["role", "model", "reason"])?,
            broker_errors: counter(r, "weir_broker_errors_total", "Times a client lost a broker or could not reach one.", &["role"])?,
        })
    }
}

/// Metrics of the role `worker`; see `events` for what call sites use.
#[derive(Debug)]
pub struct WorkerMetrics {
    pub(super) events: IntCounterVec,
    pub(super) rejected: IntCounterVec,
    pub(super) batch_events: HistogramVec,
    pub(super) batch_seconds: HistogramVec,
    pub(super) pulls: IntCounterVec,
    pub(super) pulls_repeated: IntCounterVec,
    pub(super) replies: IntCounterVec,
    pub(super) pull_seconds: HistogramVec,
    pub(super) pushed_rows: IntCounterVec,
    pub(super) pushed_bytes: IntCounterVec,
    pub(super) cache_lookups: IntCounterVec,
    pub(super) cached_rows: IntGaugeVec,
    pub(super) in_flight: IntGaugeVec,
    pub(super) unapplied: IntGaugeVec,
    pub(super) queued: IntGaugeVec,
    pub(super) staleness: HistogramVec,
    pub(super) committed_offset: IntGaugeVec,
}

impl WorkerMetrics {
    #[rustfmt::skip] // A table: one metric a line.
    pub(super) fn register(r: &Registry) -> Result<Self> {
        let model = &["model"];
        Ok(Self {
            events: counter(r, "weir_worker_events_total", "Events whose batch was committed, by outcome.", &["model", "outcome"])?,
            rejected: counter(r, "weir_worker_rejected_total", "Events whose batch was committed and that went to the rejected topic, by reason.", &["model", "reason"])?,
            batch_events: histogram(r, "weir_worker_batch_events", "Events of a committed batch; its count is the number of batches.", model, sizes())?,
            batch_seconds: histogram(r, "weir_worker_batch_duration_seconds", "Time from a batch's first event to its commit.", model, seconds())?,
            pulls: counter(r, "weir_worker_pulls_total", "Pull frames sent, those asked again included.", model)?,
            pulls_repeated: counter(r, "weir_worker_pulls_repeated_total", "Pull frames sent again after a time-out.", model)?,
            replies: counter(r, "weir_worker_replies_total", "Reply frames received, used or dropped because nobody waited for them.", &["model", "outcome"])?,
            pull_seconds: histogram(r, "weir_worker_pull_duration_seconds", "Time from a pull's first asking to its reply.", model, seconds())?,
            pushed_rows: counter(r, "weir_worker_pushed_rows_total", "Rows in committed push frames.", model)?,
            pushed_bytes: counter(r, "weir_worker_pushed_bytes_total", "Bytes of committed push frames.", model)?,
            cache_lookups: counter(r, "weir_worker_cache_lookups_total", "Rows looked up in the cache, hit or miss.", &["model", "outcome"])?,
            cached_rows: gauge(r, "weir_worker_cached_rows", "Rows in the cache; bounded by worker.cached_rows.", model)?,
            in_flight: gauge(r, "weir_worker_batches_in_flight", "Batches begun and not committed; bounded by worker.in_flight per partition.", model)?,
            unapplied: gauge(r, "weir_worker_batches_unapplied", "Batches committed that not every shard has applied; bounded by worker.unapplied_batches per partition.", model)?,
            queued: gauge(r, "weir_worker_queued_batches", "Batches that are cut and not begun; bounded by worker.in_flight for each partition.", model)?,
            staleness: histogram(r, "weir_worker_staleness_events", "Events of the source partition that a reply's rows did not contain yet.", model, sizes())?,
            committed_offset: gauge(r, "weir_worker_committed_offset", "Offset next to read of an input partition, as committed.", &["model", "partition"])?,
        })
    }
}

/// Metrics of the role `server`; see `events` for what call sites use.
#[derive(Debug)]
pub struct ServerMetrics {
    pub(super) frames: IntCounterVec,
    pub(super) applied_rows: IntCounterVec,
    pub(super) pulls: IntCounterVec,
    pub(super) rows: IntGaugeVec,
    pub(super) dirty_rows: IntGaugeVec,
    pub(super) applied_offset: IntGaugeVec,
    pub(super) barrier_offset: IntGaugeVec,
    pub(super) publish_rows: HistogramVec,
    pub(super) publish_seconds: HistogramVec,
    pub(super) store_seconds: HistogramVec,
    pub(super) store_bytes: IntCounterVec,
    pub(super) store_written: IntGaugeVec,
    pub(super) stores_discarded: IntCounterVec,
    pub(super) restore_seconds: HistogramVec,
}

impl ServerMetrics {
    #[rustfmt::skip] // A table: one metric a line.
    pub(super) fn register(r: &Registry) -> Result<Self> {
        let (model, shard) = (&["model"], &["model", "shard"]);
        Ok(Self {
            frames: counter(r, "weir_server_applied_frames_total", "Push frames applied.", model)?,
            applied_rows: counter(r, "weir_server_applied_rows_total", "Rows changed by push frames.", model)?,
            pulls: counter(r, "weir_server_pulls_total", "Pull frames by outcome: answered, waited for a position, or dropped because too many wait.", &["model", "outcome"])?,
            rows: gauge(r, "weir_server_rows", "Rows in memory.", shard)?,
            dirty_rows: gauge(r, "weir_server_dirty_rows", "Rows changed since the last barrier.", shard)?,
            applied_offset: gauge(r, "weir_server_applied_offset", "Offset next to apply of the pushes topic.", shard)?,
            barrier_offset: gauge(r, "weir_server_barrier_offset", "Offset next to apply that the last committed barrier holds.", shard)?,
            publish_rows: histogram(r, "weir_server_publish_rows", "Changed rows of a publish; its count is the number of publishes.", model, sizes())?,
            publish_seconds: histogram(r, "weir_server_publish_duration_seconds", "Time of a whole publish.", model, seconds())?,
            store_seconds: histogram(r, "weir_server_store_write_duration_seconds", "Time of a write to the local store; its count is the number of writes.", model, seconds())?,
            store_bytes: counter(r, "weir_server_store_written_bytes_total", "Bytes written to the local store.", model)?,
            store_written: gauge(r, "weir_server_store_write_timestamp_seconds", "When the local store was last written, in seconds since 1970; its age is time() minus this.", shard)?,
            stores_discarded: counter(r, "weir_server_stores_discarded_total", "Local stores given up, by reason; the changelog rebuilds them.", &["reason"])?,
            restore_seconds: histogram(r, "weir_server_restore_duration_seconds", "Time from a shard's assignment until it answers.", model, long_seconds())?,
        })
    }
}

/// Metrics of the role `gateway`; see `events` for what call sites use.
#[derive(Debug)]
pub struct GatewayMetrics {
    pub(super) requests: IntCounterVec,
    pub(super) request_seconds: HistogramVec,
    pub(super) events_produced: IntCounterVec,
    pub(super) at_least: IntCounterVec,
    pub(super) changelog_records: IntCounterVec,
    pub(super) rows: IntGaugeVec,
    pub(super) covered_offset: IntGaugeVec,
}

impl GatewayMetrics {
    #[rustfmt::skip] // A table: one metric a line.
    pub(super) fn register(r: &Registry) -> Result<Self> {
        let model = &["model"];
        Ok(Self {
            requests: counter(r, "weir_gateway_requests_total", "Requests by route template, method and status.", &["route", "method", "status"])?,
            request_seconds: histogram(r, "weir_gateway_request_duration_seconds", "Time of a request.", &["route", "method"], seconds())?,
            events_produced: counter(r, "weir_gateway_events_produced_total", "Events taken over REST, acknowledged by the broker or failed.", &["outcome"])?,
            at_least: counter(r, "weir_gateway_at_least_total", "Requests with at_least by outcome: covered, or timed_out.", &["outcome"])?,
            changelog_records: counter(r, "weir_gateway_changelog_records_total", "Changelog records taken into memory.", model)?,
            rows: gauge(r, "weir_gateway_rows", "Rows in memory.", model)?,
            covered_offset: gauge(r, "weir_gateway_covered_offset", "Offset next to read of an input partition that answers cover.", &["model", "partition"])?,
        })
    }
}
