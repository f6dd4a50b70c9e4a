//! The parameter server, pure: what workers and shards do, without any of the machinery that carries it.
//!
//! A learner is two small state machines. Its [`WorkerLogic`] gets batches of events, names the rows that it needs, and
//! pushes what it learned; its [`ServerLogic`] says how pushed deltas change the rows of a shard. Around them stand the
//! state machines of the protocol: [`Worker`] (batches in flight, cache, order, steps to commit) and [`Shard`]
//! (positions, gap and overlap checks, barriers, restore). Drivers feed them: [`memory`] runs everything in one thread
//! from a seed; the services run them on Kafka and sled.
//!
//! Deliberately not here: I/O, async, clocks (time is an argument), Kafka's or sled's types, bytes on a wire, and any
//! particular learner except the [`counting`] one, which measures the protocol itself.

mod batch;
mod cache;
pub mod counting;
mod limiter;
mod logic;
mod measures;
pub mod memory;
mod message;
mod partitioner;
mod position;
pub mod repeats;
mod rows;
mod shard;
mod table;
mod take_over;
mod worker;
mod workspace;

pub use batch::{Batch, BatchLimits, Batcher, NameRef, Names, Output};
pub use limiter::{PullLimiter, PullLimits};
pub use logic::{ByRule, LetGo, Model, Schema, ServerLogic, ServerOutput, WorkerLogic};
pub use measures::{Measure, Measures};
pub use message::{Op, Part, Pull, PullSection, Push, ROW_UNNAMED, Reply, ReplySection, RequestId, Section};
pub use partitioner::{BoundsError, CustomPartitioner, Partitioner, UpperBounds};
pub use position::{Position, SourceRange};
pub use rows::{RowTable, ShardRows};
pub use shard::{Barrier, Publication, PullAnswer, Restored, Shard, SourceState, Torn};
pub use table::{MergeRule, Rule, TableSpec, words};
pub use take_over::{PositionQuery, TakeOverError};
pub use worker::{Answered, Step, Worker, WorkerError, WorkerSettings, WorkerStats};
pub use workspace::{Pulls, Workspace};
