//! What every process has.

use prometheus::{CounterVec, GaugeVec, HistogramVec, IntCounterVec, IntGaugeVec, Result};

use crate::metrics::family::{Buckets, Register};

/// What every process has.
#[derive(Debug)]
pub(in crate::metrics) struct ProcessMetrics {
    pub(in crate::metrics) build: IntGaugeVec,
    pub(in crate::metrics) ready: IntGaugeVec,
    pub(in crate::metrics) memory_limit: IntGaugeVec,
    pub(in crate::metrics) restarts: IntCounterVec,
    pub(in crate::metrics) rebalances: IntCounterVec,
    pub(in crate::metrics) fenced: IntCounterVec,
    pub(in crate::metrics) transactions: IntCounterVec,
    pub(in crate::metrics) transaction_seconds: HistogramVec,
    pub(in crate::metrics) transaction_open: GaugeVec,
    pub(in crate::metrics) frames_skipped: IntCounterVec,
    pub(in crate::metrics) policies: IntGaugeVec,
    pub(in crate::metrics) policies_rejected: IntCounterVec,
    pub(in crate::metrics) tokio_workers: IntGaugeVec,
    pub(in crate::metrics) tokio_tasks: IntGaugeVec,
    pub(in crate::metrics) tokio_queued: IntGaugeVec,
    pub(in crate::metrics) tokio_busy: CounterVec,
}

impl ProcessMetrics {
    #[rustfmt::skip] // A table: one metric a line.
    pub(in crate::metrics) fn register(r: &mut Register<'_>) -> Result<Self> {
        let model = &["role", "model"];
        r.process()?;
        Ok(Self {
            build: r.gauge("weir_build_info", "Always 1; the labels say which build runs: its version and the revision it was made from, if the build was told.", &["version", "revision"])?,
            ready: r.gauge("weir_ready", "1 when every part of the process is ready, else 0.", &[])?,
            memory_limit: r.gauge("weir_process_memory_limit_bytes", "Memory that the process may take: the least of its control group's bound, ulimit -m, and the machine's memory.", &[])?,
            restarts: r.counter("weir_role_restarts_total", "Times a role failed and was torn down to be started again.", &["role"])?,
            rebalances: r.counter("weir_rebalances_total", "Times the group gave partitions (assigned), took them away (revoked), or had given them to others already (lost).", &["role", "model", "kind"])?,
            fenced: r.counter("weir_fenced_total", "Times another process under the same name took this one's place.", &["role"])?,
            transactions: r.counter("weir_transactions_total", "Kafka transactions by outcome, committed or failed; what failed, or was given up with its role, is ended by the next start.", &["role", "model", "outcome"])?,
            transaction_seconds: r.histogram("weir_transaction_duration_seconds", "Time from the begin to the commit of a committed Kafka transaction.", model, Buckets::Seconds)?,
            transaction_open: r.level("weir_transaction_open_seconds", "How long the transaction at hand has been open; 0 while there is none.", model)?,
            frames_skipped: r.counter("weir_frames_skipped_total", "Records on internal topics that are no frame of this model and were passed over.", &["role", "model", "reason"])?,
            policies: r.gauge("weir_policies", "Tenants with a policy of their own, as this process knows them.", &[])?,
            policies_rejected: r.counter("weir_policies_rejected_total", "Records of the topic of policies that are none, by reason; the tenant keeps the policy before.", &["reason"])?,
            tokio_workers: r.gauge("weir_tokio_workers", "Threads that serve HTTP.", &[])?,
            tokio_tasks: r.gauge("weir_tokio_alive_tasks", "Tasks of HTTP that have not ended.", &[])?,
            tokio_queued: r.gauge("weir_tokio_queued_tasks", "Tasks of HTTP that wait for a thread.", &[])?,
            tokio_busy: r.sum("weir_tokio_busy_seconds_total", "Time that the threads that serve HTTP have been busy since the start, all together.", &[])?,
        })
    }
}
