//! What the simulated topics carry.

use weir_ps::{Barrier, Part, Position, Pull, Reply, RequestId, SourceRange};

/// The simulated topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    /// Events; a source partition is a partition of it.
    Input,
    /// Transactional; a shard is a partition of it.
    Pushes,
    /// Transactional and compacted.
    Changelog,
    /// What workers ask, by shard.
    Pulls,
    /// What shards answer, by the partition that the question names.
    Replies,
}

/// A partition of a topic.
pub(crate) type Place = (Topic, u32);

/// One record; what is bytes on a real wire is a value here.
#[derive(Debug)]
pub(crate) enum Record {
    Event(Event),
    Push {
        number: u16,
        count: u16,
        ranges: Vec<SourceRange>,
        part: Part,
    },
    Query {
        request: RequestId,
        reply_to: u32,
        sources: Vec<u32>,
    },
    Row {
        table: u8,
        key: u64,
        row: Option<Row>,
    },
    Barrier(Barrier),
    Pull(Pull),
    Reply(Reply),
    Positions {
        request: RequestId,
        shard: u32,
        positions: Vec<(u32, Option<Position>)>,
    },
    /// What an aborted first transaction writes; nobody ever reads one.
    Dummy,
}

/// A row of the changelog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) name: Option<String>,
    pub(crate) words: Vec<u32>,
}

/// An event of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A user did something with an item.
    Count { user: u64, item: u64 },
    /// All that is counted of a user is to be forgotten.
    Forget { user: u64 },
}

/// What compaction keeps one record of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Row(u8, u64),
    Barrier,
    None,
}

impl Record {
    pub(crate) fn key(&self) -> Key {
        match self {
            Self::Row { table, key, .. } => Key::Row(*table, *key),
            Self::Barrier(_) => Key::Barrier,
            _ => Key::None,
        }
    }

    pub(crate) fn is_tombstone(&self) -> bool {
        matches!(self, Self::Row { row: None, .. })
    }
}
