//! Reply frames: the rows that a pull asked for.

use super::encode::{self, Start};
use super::raw::{self, Cursor, Header, PRESENT, ReplyPart};
use super::section::{self, Shape};
use super::{FrameError, Op, Position, RequestId, Rows, Sections};

/// Bit of a row's flag byte: the shard does not know the row's name, the next push of the key should carry it.
pub const NAME_UNKNOWN: u8 = 1;

/// Fixed part of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyHead {
    /// The model's number.
    pub model: u32,
    /// Shard that answers.
    pub shard: u32,
    /// The pull's id.
    pub request: RequestId,
    /// The pull's source partition.
    pub source: u32,
    /// How far the shard has applied the source; `None` if it has seen nothing of it.
    pub applied: Option<Position>,
}

/// Rows to be encoded into a reply: borrowed from the caller, copied once.
#[derive(Clone, Copy, Debug)]
pub struct ReplyRows<'a> {
    /// Table the rows belong to.
    pub table: u8,
    /// Words per row, at least 1.
    pub width: u16,
    /// One key per row.
    pub keys: &'a [u64],
    /// `keys.len() * width` words, row after row.
    pub words: &'a [u32],
    /// One byte per row: [`NAME_UNKNOWN`] or 0.
    pub flags: &'a [u8],
}

/// A reply, as a view of its bytes.
#[derive(Clone, Debug)]
pub struct ReplyFrame<'a> {
    /// Fixed part.
    pub head: ReplyHead,
    sections: Sections<'a>,
}

impl<'a> ReplyFrame<'a> {
    pub(crate) fn read(header: &Header, body: &mut Cursor<'a>) -> Result<Self, FrameError> {
        let part: &ReplyPart = body.part("a reply's fixed part")?;
        let head = ReplyHead {
            model: header.model.get(),
            shard: header.shard.get(),
            request: part.request.into(),
            source: part.source.get(),
            applied: part.applied.optional(header.present()?)?,
        };
        Ok(Self { head, sections: Sections::read(body, part.sections.get(), Shape::Reply)? })
    }

    /// Rows by table, with a flag byte each.
    #[must_use]
    pub fn sections(&self) -> Sections<'a> {
        self.sections.clone()
    }
}

/// Appends a reply frame to `out`.
///
/// # Errors
/// [`FrameError::Encode`] if keys, words and flags of a table do not fit together; `out` is as before.
pub fn encode_reply<'s>(
    out: &mut Vec<u8>,
    head: &ReplyHead,
    tables: impl IntoIterator<Item = ReplyRows<'s>>,
) -> Result<(), FrameError> {
    let flags = if head.applied.is_some() { PRESENT } else { 0 };
    let start = Start { kind: raw::REPLY, flags, model: head.model, shard: head.shard };
    encode::frame(out, start, |out| {
        let fixed = out.len();
        let mut part = ReplyPart {
            request: head.request.into(),
            source: head.source.into(),
            applied: head.applied.unwrap_or_default().into(),
            sections: 0.into(),
        };
        encode::part(out, &part);
        for table in tables {
            write_rows(out, &table)?;
            part.sections += 1;
        }
        encode::replace(out, fixed, &part)
    })
}

fn write_rows(out: &mut Vec<u8>, reply: &ReplyRows<'_>) -> Result<(), FrameError> {
    if reply.flags.len() != reply.keys.len() {
        return Err(FrameError::Encode("a reply needs one flag byte for every key"));
    }
    let ReplyRows { table, width, keys, words, flags } = *reply;
    section::write(out, &Rows { table, op: Op::Add, width, keys, words }, Shape::Reply)?;
    out.extend_from_slice(flags);
    Ok(())
}
