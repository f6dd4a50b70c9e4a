//! What a server tells the metrics by the clock, and not when something happens.

use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_kafka::Stats;
use weir_ps::Model;
use weir_runtime::Metrics;
use weir_watch::ClientWatch;

use crate::model::ROLE;
use crate::shards::Shards;

/// How often it is told; scrapes are rarer.
const INTERVAL: Duration = Duration::from_millis(200);

/// The open transaction, the clients, and how far shards are behind the push log.
pub(crate) struct Watch {
    model: &'static str,
    member: ClientWatch,
    producer: ClientWatch,
    producer_stats: Arc<Stats>,
    due: Instant,
}

impl Watch {
    pub(crate) fn new(model: &'static str, producer_stats: Arc<Stats>) -> Self {
        Self {
            model,
            member: ClientWatch::new(ROLE, model, "member").with_log("pushes"),
            producer: ClientWatch::new(ROLE, model, "producer"),
            producer_stats,
            due: Instant::now(),
        }
    }

    /// Tells what there is to tell, if it is time; `open` is when the transaction at hand was begun.
    pub(crate) fn look<M: Model>(
        &mut self,
        member: &Stats,
        open: Option<Instant>,
        shards: &Shards<M>,
        metrics: &Metrics,
    ) {
        let now = Instant::now();
        if now < self.due {
            return;
        }
        self.due = now + INTERVAL;
        self.producer.look(&self.producer_stats, metrics);
        metrics.transaction_open(ROLE, self.model, open.map_or(Duration::ZERO, |open| now - open));
        let Some(said) = self.member.look(member, metrics) else { return };
        for log in &said.logs {
            let Some(owned) = shards.get(&log.partition) else { continue };
            let behind = log.stable_end.saturating_sub(owned.shard.barrier().push_next);
            // Markers of transactions lie behind the last push.
            metrics.server.lag(self.model, log.partition, if log.drained { 0 } else { behind });
        }
    }

    /// Takes back what the next owner of the shards will tell.
    pub(crate) fn end(&mut self, metrics: &Metrics) {
        self.member.end(metrics);
        metrics.transaction_open(ROLE, self.model, Duration::ZERO);
    }
}
