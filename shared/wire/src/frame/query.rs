//! Query frames and their answers: which positions a shard names once it has read its log to the query.

use zerocopy::little_endian::U32;

use super::encode::{self, Start};
use super::raw::{self, Cursor, Header, PositionsPart, QueryPart, RawSourcePosition};
use super::{FrameError, Position, RequestId};

/// Fixed part of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueryHead {
    /// The model's number.
    pub model: u32,
    /// Shard the query is for.
    pub shard: u32,
    /// The id to answer under.
    pub request: RequestId,
    /// Partition of the replies topic where the answer is awaited.
    pub reply_partition: u32,
}

/// A query, as a view of its bytes.
#[derive(Clone, Copy, Debug)]
pub struct QueryFrame<'a> {
    /// Fixed part.
    pub head: QueryHead,
    sources: &'a [U32],
}

impl<'a> QueryFrame<'a> {
    pub(crate) fn read(header: &Header, body: &mut Cursor<'a>) -> Result<Self, FrameError> {
        header.no_flags()?;
        let part: &QueryPart = body.part("a query's fixed part")?;
        let head = QueryHead {
            model: header.model.get(),
            shard: header.shard.get(),
            request: part.request.into(),
            reply_partition: part.reply_partition.get(),
        };
        Ok(Self { head, sources: body.slice(part.sources.get() as usize, "a query's sources")? })
    }

    /// Source partitions whose positions are wanted.
    #[must_use]
    pub fn sources(&self) -> impl ExactSizeIterator<Item = u32> + Clone + use<'a> {
        self.sources.iter().map(|source| source.get())
    }
}

/// Appends a query frame to `out`.
///
/// # Errors
/// [`FrameError::Encode`] if a count does not fit; `out` is as before.
pub fn encode_query(out: &mut Vec<u8>, head: &QueryHead, sources: &[u32]) -> Result<(), FrameError> {
    let start = Start { kind: raw::QUERY, flags: 0, model: head.model, shard: head.shard };
    encode::frame(out, start, |out| {
        let part = QueryPart {
            request: head.request.into(),
            reply_partition: head.reply_partition.into(),
            sources: encode::count(sources.len())?.into(),
        };
        encode::part(out, &part);
        encode::words(out, sources);
        Ok(())
    })
}

/// Fixed part of the answer to a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionsHead {
    /// The model's number.
    pub model: u32,
    /// Shard that answers.
    pub shard: u32,
    /// The query's id.
    pub request: RequestId,
}

/// The answer to a query, as a view of its bytes.
#[derive(Clone, Copy, Debug)]
pub struct PositionsFrame<'a> {
    /// Fixed part.
    pub head: PositionsHead,
    positions: &'a [RawSourcePosition],
}

impl<'a> PositionsFrame<'a> {
    pub(crate) fn read(header: &Header, body: &mut Cursor<'a>) -> Result<Self, FrameError> {
        header.no_flags()?;
        let part: &PositionsPart = body.part("a positions frame's fixed part")?;
        let (model, shard) = (header.model.get(), header.shard.get());
        let positions: &[RawSourcePosition] = body.slice(part.count.get() as usize, "a positions frame's positions")?;
        for raw in positions {
            known(raw)?;
        }
        Ok(Self { head: PositionsHead { model, shard, request: part.request.into() }, positions })
    }

    /// Each source asked for with the position next to apply; `None` if the shard has seen nothing of it.
    #[must_use]
    pub fn positions(&self) -> impl ExactSizeIterator<Item = (u32, Option<Position>)> + Clone + use<'a> {
        self.positions.iter().map(|raw| (raw.source.get(), known(raw).unwrap_or_default()))
    }
}

fn known(raw: &RawSourcePosition) -> Result<Option<Position>, FrameError> {
    match raw.known {
        0 => raw.position.optional(false),
        1 => raw.position.optional(true),
        _ => Err(FrameError::Malformed("a position's mark")),
    }
}

/// Appends the answer to a query to `out`.
///
/// # Errors
/// [`FrameError::Encode`] if a count does not fit; `out` is as before.
pub fn encode_positions(
    out: &mut Vec<u8>,
    head: &PositionsHead,
    positions: &[(u32, Option<Position>)],
) -> Result<(), FrameError> {
    let start = Start { kind: raw::POSITIONS, flags: 0, model: head.model, shard: head.shard };
    encode::frame(out, start, |out| {
        let count = encode::count(positions.len())?;
        encode::part(out, &PositionsPart { request: head.request.into(), count: count.into() });
        for (source, position) in positions {
            let raw = RawSourcePosition {
                source: (*source).into(),
                known: u8::from(position.is_some()),
                position: position.unwrap_or_default().into(),
            };
            encode::part(out, &raw);
        }
        Ok(())
    })
}
