//! Binary frames of the internal topics: little-endian, versioned, under a checksum, read without copying.
//!
//! A frame is one Kafka value: a header of 24 bytes, a fixed part per kind, then arrays. All views have alignment 1,
//! because neither Kafka nor sled promises any. [`Frame::parse`] checks the whole structure once, so what it hands
//! out cannot fail later. `encode_*` functions append one frame to a `Vec<u8>` straight from the caller's slices; on
//! an error the vector is as it was before.
//!
//! ```text
//! magic "WEIR" | version u16 | kind u8 | flags u8 | checksum u64 | model u32 | shard u32 | by kind:
//! push       part u16, parts u16, ranges u32, sections u32, names u32 | range* | section* | name*
//! pull       request (u64, u64), reply_partition u32, source u32, at_least position, sections u32 | section*
//! reply      request, source u32, applied position, sections u32 | (section, one flag byte per row)*
//! row        width u16, name length u16 | word* | name
//! barrier    push_next u64, positions u32, layout length u32 | (source u32, position, parts_done u16)* | layout JSON
//! query      request, reply_partition u32, sources u32 | source*
//! positions  request, count u32 | (source u32, known u8, position)*
//! position   pass u32, sequence u64
//! range      source u32, first position, next position
//! section    table u8, op u8, width u16, count u32 | key u64 * count | word u32 * count * width
//! name       table u8, key u64, length u16 | UTF-8
//! ```
//! The checksum is the 64-bit xxh3 of everything after it, with the eight bytes before it as the seed: no bit of a
//! frame is outside. Flag bit 0 says that the one optional value of the kind is there (pull: `at_least`, reply:
//! `applied`, row: name); an absent value is written as zeros.

mod barrier;
mod changelog;
mod encode;
mod error;
mod layout;
mod pull;
mod push;
mod query;
mod raw;
mod reply;
mod section;
pub mod size;

pub use barrier::{BarrierValue, SourceDone, encode_barrier};
pub use changelog::{BARRIER_KEY, ChangelogKey, RowValue, encode_row, row_key};
pub use error::FrameError;
pub use layout::{Layout, LayoutDifference, TableLayout};
pub use pull::{PullFrame, PullHead, encode_pull};
pub use push::{Name, Names, PushFrame, PushHead, encode_push};
pub use query::{PositionsFrame, PositionsHead, QueryFrame, QueryHead, encode_positions, encode_query};
pub use reply::{NAME_UNKNOWN, ReplyFrame, ReplyHead, ReplyRows, encode_reply};
pub use section::{Op, Rows, Section, Sections};
/// A little-endian `u32` with alignment 1, as rows hold them; `get()` gives its value.
pub use zerocopy::little_endian::U32 as Le32;

use raw::{Cursor, Header};

/// The newest version, which is the one written. All versions from 1 on are read.
pub const VERSION: u16 = 1;

/// A place in a source partition: online the pass is 0 and the sequence is the offset *next to read*.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Pass over the log; compared first.
    pub pass: u32,
    /// Step inside the pass.
    pub sequence: u64,
}

/// The events `[first, next)` of one source partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRange {
    /// Input partition.
    pub source: u32,
    /// Position of the first event that is covered.
    pub first: Position,
    /// Position after the last event that is covered.
    pub next: Position,
}

/// Names one request, so that an answer finds it and a repetition is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId {
    /// Random id of the asking instance, drawn at its start.
    pub instance: u64,
    /// The instance's counter.
    pub number: u64,
}

/// One frame, as a view of the bytes it was parsed from.
#[derive(Clone, Debug)]
pub enum Frame<'a> {
    /// Deltas of one step for one shard (pushes topic).
    Push(PushFrame<'a>),
    /// Keys whose rows are wanted (pulls topic).
    Pull(PullFrame<'a>),
    /// The rows asked for (replies topic).
    Reply(ReplyFrame<'a>),
    /// Value of a changelog row (parameters topic).
    Row(RowValue<'a>),
    /// Value of a changelog barrier (parameters topic).
    Barrier(BarrierValue<'a>),
    /// Asks a shard to name its positions (pushes topic).
    Query(QueryFrame<'a>),
    /// The answer to a query (replies topic).
    Positions(PositionsFrame<'a>),
}

impl<'a> Frame<'a> {
    /// Reads one frame that fills `bytes`.
    ///
    /// # Errors
    /// Every [`FrameError`] but `Model`, `Layout` and `Encode`; [`FrameError::Magic`] says that it is not ours at all.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let (header, body) = Header::check(bytes)?;
        let mut body = Cursor::new(body);
        let frame = match header.kind {
            raw::PUSH => Self::Push(PushFrame::read(header, &mut body)?),
            raw::PULL => Self::Pull(PullFrame::read(header, &mut body)?),
            raw::REPLY => Self::Reply(ReplyFrame::read(header, &mut body)?),
            raw::ROW => Self::Row(RowValue::read(header, &mut body)?),
            raw::BARRIER => Self::Barrier(BarrierValue::read(header, &mut body)?),
            raw::QUERY => Self::Query(QueryFrame::read(header, &mut body)?),
            raw::POSITIONS => Self::Positions(PositionsFrame::read(header, &mut body)?),
            other => return Err(FrameError::Kind(other)),
        };
        body.end()?;
        Ok(frame)
    }

    /// Reads one frame of the model with this number ([`crate::topic::model_hash`]).
    ///
    /// # Errors
    /// As [`Frame::parse`], and [`FrameError::Model`] for a frame of another model or generation.
    pub fn parse_for(model: u32, bytes: &'a [u8]) -> Result<Self, FrameError> {
        let frame = Self::parse(bytes)?;
        if frame.model() == model { Ok(frame) } else { Err(FrameError::Model(frame.model())) }
    }

    /// The model's number ([`crate::topic::model_hash`]). A frame of another model is not for this reader.
    #[must_use]
    pub fn model(&self) -> u32 {
        match self {
            Self::Push(frame) => frame.head.model,
            Self::Pull(frame) => frame.head.model,
            Self::Reply(frame) => frame.head.model,
            Self::Row(frame) => frame.model,
            Self::Barrier(frame) => frame.model,
            Self::Query(frame) => frame.head.model,
            Self::Positions(frame) => frame.head.model,
        }
    }

    /// The shard that the frame is for (push, pull, query) or from (reply, row, barrier, positions).
    #[must_use]
    pub fn shard(&self) -> u32 {
        match self {
            Self::Push(frame) => frame.head.shard,
            Self::Pull(frame) => frame.head.shard,
            Self::Reply(frame) => frame.head.shard,
            Self::Row(frame) => frame.shard,
            Self::Barrier(frame) => frame.shard,
            Self::Query(frame) => frame.head.shard,
            Self::Positions(frame) => frame.head.shard,
        }
    }
}
