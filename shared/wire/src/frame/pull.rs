//! Pull frames: keys whose rows a worker needs.

use super::encode::{self, Start};
use super::raw::{self, Cursor, Header, PRESENT, PullPart};
use super::section::{self, Shape};
use super::{FrameError, Op, Position, RequestId, Rows, Sections};

/// Fixed part of a pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PullHead {
    /// The model's number.
    pub model: u32,
    /// Shard the pull is for.
    pub shard: u32,
    /// The id to answer under; the same when it is asked again.
    pub request: RequestId,
    /// Partition of the replies topic where the answer is awaited.
    pub reply_partition: u32,
    /// Source partition for whose events the rows are needed.
    pub source: u32,
    /// The shard answers only once it has applied the source up to here.
    pub at_least: Option<Position>,
}

/// A pull, as a view of its bytes.
#[derive(Clone, Debug)]
pub struct PullFrame<'a> {
    /// Fixed part.
    pub head: PullHead,
    sections: Sections<'a>,
}

impl<'a> PullFrame<'a> {
    pub(crate) fn read(header: &Header, body: &mut Cursor<'a>) -> Result<Self, FrameError> {
        let part: &PullPart = body.part("a pull's fixed part")?;
        let head = PullHead {
            model: header.model.get(),
            shard: header.shard.get(),
            request: part.request.into(),
            reply_partition: part.reply_partition.get(),
            source: part.source.get(),
            at_least: part.at_least.optional(header.present()?)?,
        };
        Ok(Self { head, sections: Sections::read(body, part.sections.get(), Shape::Pull)? })
    }

    /// Keys by table; the sections have no words.
    #[must_use]
    pub fn sections(&self) -> Sections<'a> {
        self.sections.clone()
    }
}

/// Appends a pull frame to `out`; `tables` gives each table with the keys wanted of it.
///
/// # Errors
/// [`FrameError::Encode`] if a count does not fit; `out` is as before.
pub fn encode_pull<'s>(
    out: &mut Vec<u8>,
    head: &PullHead,
    tables: impl IntoIterator<Item = (u8, &'s [u64])>,
) -> Result<(), FrameError> {
    let flags = if head.at_least.is_some() { PRESENT } else { 0 };
    let start = Start { kind: raw::PULL, flags, model: head.model, shard: head.shard };
    encode::frame(out, start, |out| {
        let fixed = out.len();
        let mut part = PullPart {
            request: head.request.into(),
            reply_partition: head.reply_partition.into(),
            source: head.source.into(),
            at_least: head.at_least.unwrap_or_default().into(),
            sections: 0.into(),
        };
        encode::part(out, &part);
        for (table, keys) in tables {
            section::write(out, &Rows { table, op: Op::Add, width: 0, keys, words: &[] }, Shape::Pull)?;
            part.sections += 1;
        }
        encode::replace(out, fixed, &part)
    })
}
