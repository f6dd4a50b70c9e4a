//! What the role `gateway` has.

use prometheus::{GaugeVec, HistogramVec, IntCounterVec, IntGaugeVec, Result};

use crate::metrics::family::{Buckets, Register};

/// Metrics of the role `gateway`; see `events` for what call sites use.
#[derive(Debug)]
pub struct GatewayMetrics {
    pub(in crate::metrics) requests: IntCounterVec,
    pub(in crate::metrics) request_seconds: HistogramVec,
    pub(in crate::metrics) requests_in_flight: IntGaugeVec,
    pub(in crate::metrics) events_produced: IntCounterVec,
    pub(in crate::metrics) at_least: IntCounterVec,
    pub(in crate::metrics) changelog_records: IntCounterVec,
    pub(in crate::metrics) rows: IntGaugeVec,
    pub(in crate::metrics) load_seconds: HistogramVec,
    pub(in crate::metrics) covered_offset: IntGaugeVec,
    pub(in crate::metrics) freshness: HistogramVec,
    pub(in crate::metrics) freshness_lag: GaugeVec,
    pub(in crate::metrics) catalogue_items: IntGaugeVec,
    pub(in crate::metrics) catalogue_refused: IntCounterVec,
}

impl GatewayMetrics {
    #[rustfmt::skip] // A table: one metric a line.
    pub(in crate::metrics) fn register(r: &mut Register<'_>) -> Result<Self> {
        use Buckets::{LongSeconds, Seconds};
        let model = &["model"];
        Ok(Self {
            requests: r.counter("weir_gateway_requests_total", "Requests by route template, method and status.", &["route", "method", "status"])?,
            request_seconds: r.histogram("weir_gateway_request_duration_seconds", "Time of a request.", &["route", "method"], Seconds)?,
            requests_in_flight: r.gauge("weir_gateway_requests_in_flight", "Requests that are not answered yet.", &[])?,
            events_produced: r.counter("weir_gateway_events_produced_total", "Events taken over REST, acknowledged by the broker or failed.", &["outcome"])?,
            at_least: r.counter("weir_gateway_at_least_total", "Requests with at_least by outcome: covered, or timed_out.", &["outcome"])?,
            changelog_records: r.counter("weir_gateway_changelog_records_total", "Changelog records taken into memory.", model)?,
            rows: r.gauge("weir_gateway_rows", "Rows in memory.", model)?,
            load_seconds: r.histogram("weir_gateway_load_duration_seconds", "Time from the start of reading a changelog until answers come from it.", model, LongSeconds)?,
            covered_offset: r.gauge("weir_gateway_covered_offset", "Offset next to read of an input partition that answers cover.", &["model", "partition"])?,
            freshness: r.histogram("weir_gateway_freshness_seconds", "Time from an input event's being written until answers contain it, of the newest event of each input partition once a second.", model, Seconds)?,
            freshness_lag: r.level("weir_gateway_freshness_lag_seconds", "Age of the oldest of these events that answers do not contain yet; 0 if there is none.", model)?,
            catalogue_items: r.gauge("weir_gateway_catalogue_items", "Items with a record in the catalogue: open, or hidden.", &["visibility"])?,
            catalogue_refused: r.counter("weir_gateway_catalogue_refused_total", "Records of the catalogue that say nothing, or that there is no room for, by reason; what was known of the item before counts on.", &["reason"])?,
        })
    }
}
