//! What clients of Kafka say.

use std::time::Duration;

use crate::metrics::{KafkaMetrics, Metrics};

/// What a client says of itself: levels of now, and counts since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClientFigures {
    /// From a request to its answer, on average, at the slowest broker.
    pub round_trip: Duration,
    /// The 99th percentile of the same.
    pub round_trip_p99: Duration,
    /// How long brokers make it wait.
    pub throttled: Duration,
    /// Messages queued or on their way.
    pub waiting_messages: u64,
    /// Requests not sent or not answered.
    pub waiting_requests: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Requests that timed out.
    pub timeouts: u64,
    /// Requests not sent and answers not readable.
    pub errors: u64,
    /// Connections that ended.
    pub disconnects: u64,
}

impl Metrics {
    /// A client lost a broker or could not reach one.
    pub fn broker_error(&self, role: &str) {
        self.kafka.broker_errors.with_label_values(&[role]).inc();
    }
}

impl KafkaMetrics {
    /// A client of a role's work on a model says `now` what it said as `before` the last time.
    pub fn client(&self, [role, model, client]: [&str; 3], now: &ClientFigures, before: &ClientFigures) {
        let labels = [role, model, client];
        let level = |statistic, time: Duration| {
            self.round_trip.with_label_values(&[role, model, client, statistic]).set(time.as_secs_f64());
        };
        level("avg", now.round_trip);
        level("p99", now.round_trip_p99);
        self.throttled.with_label_values(&labels).set(now.throttled.as_secs_f64());
        self.waiting_messages.with_label_values(&labels).set(now.waiting_messages as i64);
        self.waiting_requests.with_label_values(&labels).set(now.waiting_requests as i64);
        for (counter, now, before) in [
            (&self.sent_bytes, now.sent_bytes, before.sent_bytes),
            (&self.received_bytes, now.received_bytes, before.received_bytes),
            (&self.timeouts, now.timeouts, before.timeouts),
            (&self.errors, now.errors, before.errors),
            (&self.disconnects, now.disconnects, before.disconnects),
        ] {
            counter.with_label_values(&labels).inc_by(now.saturating_sub(before));
        }
    }

    /// A partition of a log has `records` offsets, and `unstable` of them at its end wait for an open transaction.
    pub fn log(&self, [role, model, log]: [&str; 3], partition: u32, records: u64, unstable: u64) {
        let labels = [role, model, log, &partition.to_string()];
        self.log_records.with_label_values(&labels).set(records as i64);
        self.unstable_records.with_label_values(&labels).set(unstable as i64);
    }

    /// A partition of a log went to another process, whose figures count from now on.
    pub fn log_gone(&self, [role, model, log]: [&str; 3], partition: u32) {
        let labels = [role, model, log, &partition.to_string()];
        let _ = self.log_records.remove_label_values(&labels);
        let _ = self.unstable_records.remove_label_values(&labels);
    }
}
