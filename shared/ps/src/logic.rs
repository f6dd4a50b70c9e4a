//! The interface that a learner implements.

use std::sync::Arc;

use crate::{Batch, Pulls, Section, ShardRows, TableSpec, Workspace};

/// What a model's rows look like; known to workers, shards and readers alike.
pub trait Schema: Send + Sync {
    /// The model's tables; a table's id is its index.
    fn tables(&self) -> &[TableSpec];

    /// Writes the row that `key` has before anything was pushed to it, over `row`, which is all zero. It depends on
    /// nothing but the key and the model's seed, so that a pull never has to create state.
    fn initial(&self, table: u8, key: u64, row: &mut [u32]) {
        let _ = (table, key, row);
    }

    /// What rows and learning depend on that the tables' widths do not tell: settings by name, with their values. They are
    /// stored with the model, and a difference is refused.
    fn settings(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// Raised whenever the same log would teach something else, so that old and new state are never mixed.
    fn version(&self) -> u32 {
        1
    }
}

/// The worker's side of a learner.
pub trait WorkerLogic: Send {
    /// One decoded event. It has room for the slots that [`WorkerLogic::on_recv`] gets from its pulls.
    type Event: Send;

    /// Names the rows that the batch needs.
    fn on_recv(&mut self, batch: &mut Batch<Self::Event>, pulls: &mut Pulls<'_>);

    /// Names rows that the batch turns out to need now that those named before are there, as a row may say which others
    /// matter. It is called once for each batch, when all before it are learned; the batches behind it wait while rows
    /// that are named here are pulled.
    fn pull_more(&mut self, batch: &mut Batch<Self::Event>, pulls: &mut Pulls<'_>) {
        let _ = (batch, pulls);
    }

    /// Whether the worker is to begin this batch with rows from the shards alone, where a row that it keeps may be one that its shard has let go
    /// by itself ([`ServerLogic::sweep`]). Rows that other batches need, or whose pushes are not known to be applied, are kept all the same.
    fn distrusts_kept_rows(&mut self, batch: &Batch<Self::Event>) -> bool {
        let _ = batch;
        false
    }

    /// Learns the batch's events one after the other on the rows that were pulled, pushes what is to change elsewhere,
    /// and emits outputs. What changed in a pulled row is pushed without being said.
    fn on_pull_recv(&mut self, batch: &mut Batch<Self::Event>, work: &mut Workspace);
}

/// A record that a shard writes to the model's output topic, in the transaction of its next barrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerOutput {
    /// The record's key.
    pub key: Vec<u8>,
    /// The record's value.
    pub value: Vec<u8>,
}

/// The shard's side of a learner. The default does what the tables' rules say; a logic of one's own may read and write
/// any row of its shard.
pub trait ServerLogic: Send {
    /// Applies one section of a committed push.
    fn apply(&mut self, rows: &mut ShardRows, section: &Section, outputs: &mut Vec<ServerOutput>) {
        let _ = outputs;
        rows.apply_by_rule(section);
    }

    /// Lets rows go that are to be remembered no longer, and says which. It is called right before a publication, never between the parts of a
    /// push, so that what it removes is gone with the barrier or, if that is not committed, never was. Where rows have to be looked at one by
    /// one it is to do so seldom, and it is to remove no more at once than fits into a publication.
    fn sweep(&mut self, rows: &mut ShardRows, let_go: &mut Vec<LetGo>) {
        let _ = (rows, let_go);
    }
}

/// Rows that a shard has let go by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LetGo {
    /// What they were of, in a word: a label of a metric.
    pub what: &'static str,
    /// Why, likewise.
    pub why: &'static str,
    /// How many.
    pub count: u64,
}

/// The server logic of learners for which the tables' rules say everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByRule;

impl ServerLogic for ByRule {}

/// A learner as a whole: what a driver needs to run it.
pub trait Model: Send + Sync {
    /// Its worker side.
    type Worker: WorkerLogic;
    /// Its shard side.
    type Server: ServerLogic;

    /// What its rows look like.
    fn schema(&self) -> Arc<dyn Schema>;

    /// A fresh worker logic.
    fn worker(&self) -> Self::Worker;

    /// A fresh server logic.
    fn server(&self) -> Self::Server;
}
