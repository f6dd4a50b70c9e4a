//! Where clients of Kafka and metrics meet, which know nothing of each other: what all roles tell of their clients.

use std::collections::BTreeSet;
use std::sync::Arc;

use weir_kafka::{ClientStatistics, Stats};
use weir_runtime::{ClientFigures, Metrics};

/// Tells the metrics what one client says of itself.
#[derive(Debug)]
pub struct ClientWatch {
    role: &'static str,
    model: &'static str,
    client: &'static str,
    /// What the client reads, where its partitions' bounds are told too.
    log: Option<&'static str>,
    before: ClientFigures,
    number: u64,
    told: BTreeSet<u32>,
}

impl ClientWatch {
    /// Of the client `client` of a role's work on one model.
    #[must_use]
    pub fn new(role: &'static str, model: &'static str, client: &'static str) -> Self {
        let before = ClientFigures::default();
        Self { role, model, client, log: None, before, number: 0, told: BTreeSet::new() }
    }

    /// With the bounds of the log that it reads: `input`, `pushes` or `changelog`.
    #[must_use]
    pub fn with_log(self, log: &'static str) -> Self {
        Self { log: Some(log), ..self }
    }

    /// Tells what is new, and returns it; none where the client has said nothing since the last time.
    pub fn look(&mut self, stats: &Stats, metrics: &Metrics) -> Option<Arc<ClientStatistics>> {
        let said = stats.client();
        if said.number == self.number {
            return None;
        }
        self.number = said.number;
        let now = figures(&said);
        metrics.kafka.client([self.role, self.model, self.client], &now, &self.before);
        self.before = now;
        if let Some(log) = self.log {
            let there: BTreeSet<u32> = said.logs.iter().map(|bounds| bounds.partition).collect();
            self.forget(log, metrics, &there);
            for bounds in &said.logs {
                let (records, unstable) = (bounds.end - bounds.first, bounds.end - bounds.stable_end);
                metrics.kafka.log([self.role, self.model, log], bounds.partition, records, unstable);
            }
            self.told = there;
        }
        Some(said)
    }

    /// Takes back what was told of the log: others read it now.
    pub fn end(&mut self, metrics: &Metrics) {
        if let Some(log) = self.log {
            self.forget(log, metrics, &BTreeSet::new());
            self.told.clear();
        }
    }

    fn forget(&self, log: &'static str, metrics: &Metrics, there: &BTreeSet<u32>) {
        for &partition in self.told.difference(there) {
            metrics.kafka.log_gone([self.role, self.model, log], partition);
        }
    }
}

fn figures(said: &ClientStatistics) -> ClientFigures {
    ClientFigures {
        round_trip: said.round_trip,
        round_trip_p99: said.round_trip_p99,
        throttled: said.throttled,
        waiting_messages: said.waiting_messages,
        waiting_requests: said.waiting_requests,
        sent_bytes: said.sent_bytes,
        received_bytes: said.received_bytes,
        timeouts: said.timeouts,
        errors: said.errors,
        disconnects: said.disconnects,
    }
}
