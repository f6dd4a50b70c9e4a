//! Everything weir asks of Kafka, and the only crate that names rdkafka: topic administration, group members with
//! stable names, plain readers, the transactional producer that carries exactly-once, and two plain senders.
//!
//! It is synchronous: every call runs on the thread of the role that makes it. It knows neither frames nor models,
//! retries no transaction, keeps no state that must survive, and speaks of no metrics library; counters are plain
//! atomics in [`Stats`]. Each numbered *rule* in its comments is one of the lessons of an experiment that broke a pipe
//! like weir's on purpose: what happens when the rule is broken is said where the code keeps it.
//!
//! An offset always means the offset *next to read*, except in [`Record`] and [`Committed`], where it is the
//! record's own.

mod abort_first;
mod acked;
mod admin;
mod block_on;
mod connection;
mod consume;
mod context;
mod deliveries;
mod embedded;
mod error;
mod idle_group;
mod member;
mod reader;
mod record;
mod sender;
mod statistics;
mod topic_ids;
mod topics;
mod transactional;
mod watchdog;

pub use abort_first::{AbortFirst, GroupToRelease};
pub use acked::{Acked, AckedSender};
pub use admin::{Admin, Watermarks};
pub use connection::{Connection, Isolation};
pub use consume::{MemberEvent, Polled};
pub use context::Stats;
pub use embedded::Embedded;
pub use error::Error;
pub use idle_group::IdleGroup;
pub use member::{GroupMetadata, GroupSettings, Member, committed_patience};
pub use reader::Reader;
pub use record::{Headers, OutRecord, Record, StartAt};
pub use sender::Sender;
pub use statistics::{ClientStatistics, LogBounds};
pub use topic_ids::topic_ids;
pub use topics::{Partitions, TopicDescription, TopicSpec};
pub use transactional::{Committed, InputOffsets, Transaction, Transactional};
pub use watchdog::HUNG_CALL_EXIT_CODE;

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
