//! Runs a learner in one thread, deterministically from a seed, with any number of workers and shards.
//!
//! The same state machines as in the services, driven by a seeded scheduler over logs in memory that have Kafka's
//! semantics as far as weir relies on them: a step's pushes and input offsets become visible together or not at all, a
//! publication's rows, barrier and push offset too. It may crash any part at any moment, move source partitions between
//! workers, and lose pulls and replies.

mod cluster;
mod nodes;

use cluster::Cluster;

use crate::{
    Batch, BatchLimits, Model, Output, Partitioner, PullLimits, ShardRows, Torn, WorkerError, WorkerLogic,
    WorkerSettings,
};

/// How a run is laid out.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Decides every choice of the scheduler.
    pub seed: u64,
    /// Number of workers; source partitions are spread over them.
    pub workers: u32,
    /// Bounds of each worker; says the number of shards.
    pub worker: WorkerSettings,
    /// When batches are cut.
    pub batch: BatchLimits,
    /// What goes wrong.
    pub faults: Faults,
}

/// Chances of faults, each in 1,000 scheduler steps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// A worker loses all that it has in memory and starts again.
    pub crash_worker: u32,
    /// A shard loses all that it has in memory and starts again from its last barrier.
    pub crash_shard: u32,
    /// A source partition moves to another worker.
    pub move_source: u32,
    /// A pull or a reply is lost.
    pub lose_message: u32,
}

impl Plan {
    /// A run without faults of small batches and a small cache, which meets more of the protocol than a large one.
    #[must_use]
    pub fn small(seed: u64, workers: u32, shards: u32) -> Self {
        let worker = WorkerSettings {
            partitioner: Partitioner::Hash { shards },
            limits: PullLimits { in_flight: 3, unapplied: 8, history_share: 0 },
            cached_rows: 16,
            cache_max_age_ms: u64::MAX,
            pull_timeout_ms: 300,
            reply_to: 0,
            frame_bytes: 400,
        };
        let batch = BatchLimits { events: 7, bytes: usize::MAX, wait_ms: 5, history_share: 0 };
        Self { seed, workers, worker, batch, faults: Faults::default() }
    }
}

/// Why a run did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A shard found the push log torn.
    #[error(transparent)]
    Torn(#[from] Torn),
    /// A worker could not go on.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// Nothing more happens although not everything is learned.
    #[error("the run stands still after {0} scheduler steps: a deadlock")]
    StandsStill(u64),
}

/// What a run came to.
pub struct Outcome {
    /// The shards' rows at the end.
    pub shards: Vec<ShardRows>,
    /// The same as a reader of the changelogs has them.
    pub published: Vec<ShardRows>,
    /// What workers put out, as it was committed.
    pub outputs: Vec<Output>,
    /// Scheduler steps taken.
    pub steps: u64,
    /// Faults that were met.
    pub faults: u64,
}

impl Outcome {
    /// The row of `key`, wherever it lives.
    #[must_use]
    pub fn row(&self, table: u8, key: u64) -> Option<&[u32]> {
        self.shards.iter().find_map(|rows| rows.table(table)?.get(key))
    }
}

/// Learns all `input`, one list of records per source partition, until every shard has applied and published
/// everything. `decode` makes events of a record, as a service's driver does.
///
/// # Errors
/// If the protocol fails, which is a bug in it or in the learner.
pub fn run<M, R>(
    model: &M,
    input: &[Vec<R>],
    plan: &Plan,
    decode: impl Fn(&R, &mut Batch<<M::Worker as WorkerLogic>::Event>),
) -> Result<Outcome, Error>
where
    M: Model,
{
    Cluster::new(model, input, plan, decode).run()
}

#[cfg(test)]
mod order_tests;
#[cfg(test)]
mod tests;
