//! What clients of Kafka have.

use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec, Result};

use crate::metrics::family::Register;

/// What clients of Kafka say of themselves and of the logs that they read; see `events` for what call sites use.
#[derive(Debug)]
pub struct KafkaMetrics {
    pub(in crate::metrics) broker_errors: IntCounterVec,
    pub(in crate::metrics) round_trip: GaugeVec,
    pub(in crate::metrics) throttled: GaugeVec,
    pub(in crate::metrics) waiting_messages: IntGaugeVec,
    pub(in crate::metrics) waiting_requests: IntGaugeVec,
    pub(in crate::metrics) sent_bytes: IntCounterVec,
    pub(in crate::metrics) received_bytes: IntCounterVec,
    pub(in crate::metrics) timeouts: IntCounterVec,
    pub(in crate::metrics) errors: IntCounterVec,
    pub(in crate::metrics) disconnects: IntCounterVec,
    pub(in crate::metrics) log_records: IntGaugeVec,
    pub(in crate::metrics) unstable_records: IntGaugeVec,
}

impl KafkaMetrics {
    #[rustfmt::skip] // A table: one metric a line.
    pub(in crate::metrics) fn register(r: &mut Register<'_>) -> Result<Self> {
        let (client, log) = (&["role", "model", "client"], &["role", "model", "log", "partition"]);
        Ok(Self {
            broker_errors: r.counter("weir_broker_errors_total", "Times a client lost a broker or could not reach one.", &["role"])?,
            round_trip: r.level("weir_kafka_round_trip_seconds", "Time from a request to its answer over the last second, of the slowest broker: average (avg) or 99th percentile (p99). A fetch waits for records.", &["role", "model", "client", "statistic"])?,
            throttled: r.level("weir_kafka_throttled_seconds", "How long brokers make the client wait because of quotas, average over the last second of the slowest broker.", client)?,
            waiting_messages: r.gauge("weir_kafka_waiting_messages", "Messages in a producer's queue or on their way.", client)?,
            waiting_requests: r.gauge("weir_kafka_waiting_requests", "Requests that are not sent or not answered yet.", client)?,
            sent_bytes: r.counter("weir_kafka_sent_bytes_total", "Bytes sent to brokers.", client)?,
            received_bytes: r.counter("weir_kafka_received_bytes_total", "Bytes received from brokers.", client)?,
            timeouts: r.counter("weir_kafka_request_timeouts_total", "Requests that brokers did not answer in time.", client)?,
            errors: r.counter("weir_kafka_request_errors_total", "Requests that could not be sent, and answers that could not be read.", client)?,
            disconnects: r.counter("weir_kafka_disconnects_total", "Connections to brokers that ended.", client)?,
            log_records: r.gauge("weir_log_records", "Offsets from the first record that a topic's partition still has to its end: input, pushes or changelog. Compaction leaves fewer records than offsets.", log)?,
            unstable_records: r.gauge("weir_log_unstable_records", "Offsets at the end of a partition that readers do not get yet because a transaction before them is open.", log)?,
        })
    }
}
