//! What a worker tells the metrics by the clock, and not when something happens.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use weir_kafka::Stats;
use weir_runtime::Metrics;
use weir_watch::ClientWatch;

use crate::lag::Lag;
use crate::model::ROLE;

/// How often it is told; scrapes are rarer.
const INTERVAL: Duration = Duration::from_millis(200);

/// Lag, the open transaction, and the clients.
pub(crate) struct Watch {
    model: &'static str,
    pub(crate) lag: Lag,
    member: ClientWatch,
    producer: ClientWatch,
    producer_stats: Arc<Stats>,
    due: Instant,
}

impl Watch {
    pub(crate) fn new(model: &'static str, producer_stats: Arc<Stats>) -> Self {
        Self {
            model,
            lag: Lag::default(),
            member: ClientWatch::new(ROLE, model, "member").with_log("input"),
            producer: ClientWatch::new(ROLE, model, "producer"),
            producer_stats,
            due: Instant::now(),
        }
    }

    /// Tells what there is to tell, if it is time; `open` is when the transaction at hand was begun.
    pub(crate) fn look(&mut self, member: &Stats, open: Option<Instant>, metrics: &Metrics) {
        let now = Instant::now();
        if now < self.due {
            return;
        }
        self.due = now + INTERVAL;
        let now_ms = now_ms();
        if let Some(said) = self.member.look(member, metrics) {
            for log in &said.logs {
                self.lag.seen(log.partition, log.stable_end, log.drained, now_ms);
            }
        }
        self.producer.look(&self.producer_stats, metrics);
        for (source, records, waited) in self.lag.now(now_ms) {
            metrics.worker.lag(self.model, source, records, waited);
        }
        metrics.transaction_open(ROLE, self.model, open.map_or(Duration::ZERO, |open| now - open));
    }

    /// Takes back what the next owner of the source partitions will tell.
    pub(crate) fn end(&mut self, metrics: &Metrics) {
        self.lag.end_all();
        self.member.end(metrics);
        metrics.transaction_open(ROLE, self.model, Duration::ZERO);
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
