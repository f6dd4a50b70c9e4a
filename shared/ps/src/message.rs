//! What workers and shards say to each other, as values. How it looks in bytes is the wire's business.

use crate::{Position, SourceRange};

/// Flag of a replied row: the shard does not know the id behind its key, so the next push should carry it.
pub const ROW_UNNAMED: u8 = 1;

/// Identifies a pull for its whole life, however often it is asked: a random number drawn by the worker's process at
/// its start, and a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId {
    /// The asking process.
    pub instance: u64,
    /// Its counter.
    pub number: u64,
}

/// What is to happen to the keys of a [`Section`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Merge the delta rows by the table's rule.
    Add,
    /// Forget the rows.
    Delete,
}

/// Deltas for rows of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The table.
    pub table: u8,
    /// What to do with each key.
    pub op: Op,
    /// The rows' keys.
    pub keys: Vec<u64>,
    /// One delta row per key, one after the other; empty for [`Op::Delete`].
    pub words: Vec<u32>,
}

/// A piece of a push that fits into one frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Deltas, to be applied in order.
    pub sections: Vec<Section>,
    /// Ids of keys whose rows had none: (table, key, id).
    pub names: Vec<(u8, u64, String)>,
}

/// What one step of a worker pushes to one shard: at least one part, empty where it has nothing for that shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The events that the step covers, the same for every shard.
    pub ranges: Vec<SourceRange>,
    /// The parts, in order.
    pub parts: Vec<Part>,
}

/// Keys asked of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullSection {
    /// The table.
    pub table: u8,
    /// The keys.
    pub keys: Vec<u64>,
}

/// A question for rows of one shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// Its id; asked again under the same one.
    pub request: RequestId,
    /// The shard asked.
    pub shard: u32,
    /// The source partition on whose behalf it is asked.
    pub source: u32,
    /// Answer only when this position of the source partition is applied.
    pub at_least: Option<Position>,
    /// Where the reply is awaited; comes back in it.
    pub reply_to: u32,
    /// The keys by table; none at all asks only how far the shard is.
    pub sections: Vec<PullSection>,
}

/// Rows of one table, in the order in which they were asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplySection {
    /// The table.
    pub table: u8,
    /// The keys that were asked for.
    pub keys: Vec<u64>,
    /// Row after row.
    pub words: Vec<u32>,
    /// One byte per row, see [`ROW_UNNAMED`].
    pub flags: Vec<u8>,
}

/// The answer to a [`Pull`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The pull's id.
    pub request: RequestId,
    /// The shard that answers.
    pub shard: u32,
    /// The pull's source partition.
    pub source: u32,
    /// Where the reply is awaited.
    pub reply_to: u32,
    /// How far this source partition's events are applied on the shard; none if it never heard of it.
    pub applied: Option<Position>,
    /// The rows, in the pull's order.
    pub sections: Vec<ReplySection>,
}
