//! Push frames: what one worker step does to one shard.

use super::encode::{self, Start};
use super::raw::{self, Cursor, Header, NamePart, PushPart, RawRange};
use super::section::{self, Shape};
use super::{FrameError, Rows, Sections, SourceRange};
use crate::MAX_ID_BYTES;

/// Fixed part of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushHead {
    /// The model's number.
    pub model: u32,
    /// Shard the push is for.
    pub shard: u32,
    /// Number of this part of the step, from 0.
    pub part: u16,
    /// How many parts the step has for this shard, at least 1.
    pub parts: u16,
}

/// The name of a row: the id whose hash is its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// Table of the row.
    pub table: u8,
    /// Key of the row.
    pub key: u64,
    /// The id, 1 to [`MAX_ID_BYTES`] bytes.
    pub name: &'a str,
}

/// A push, as a view of its bytes.
#[derive(Clone, Debug)]
pub struct PushFrame<'a> {
    /// Fixed part.
    pub head: PushHead,
    ranges: &'a [RawRange],
    sections: Sections<'a>,
    names: Names<'a>,
}

impl<'a> PushFrame<'a> {
    pub(crate) fn read(header: &Header, body: &mut Cursor<'a>) -> Result<Self, FrameError> {
        header.no_flags()?;
        let part: &PushPart = body.part("a push's fixed part")?;
        let (model, shard) = (header.model.get(), header.shard.get());
        let head = PushHead { model, shard, part: part.part.get(), parts: part.parts.get() };
        if head.part >= head.parts {
            return Err(FrameError::Malformed("a push's part numbers"));
        }
        let ranges = body.slice(part.ranges.get() as usize, "a push's ranges")?;
        let sections = Sections::read(body, part.sections.get(), Shape::Push)?;
        let names = Names::read(body, part.names.get())?;
        Ok(Self { head, ranges, sections, names })
    }

    /// The source positions that the step covers.
    #[must_use]
    pub fn ranges(&self) -> impl ExactSizeIterator<Item = SourceRange> + Clone + use<'a> {
        self.ranges.iter().map(|range| SourceRange::from(*range))
    }

    /// Rows to add and to delete, by table.
    #[must_use]
    pub fn sections(&self) -> Sections<'a> {
        self.sections.clone()
    }

    /// Names of rows that the shard did not know.
    #[must_use]
    pub fn names(&self) -> Names<'a> {
        self.names.clone()
    }
}

/// The names in a push, read one by one as they are asked for.
#[derive(Clone, Debug)]
pub struct Names<'a> {
    cursor: Cursor<'a>,
    left: u32,
}

impl<'a> Names<'a> {
    fn read(cursor: &mut Cursor<'a>, count: u32) -> Result<Self, FrameError> {
        let names = Self { cursor: *cursor, left: count };
        for _ in 0..count {
            read_name(cursor)?;
        }
        Ok(names)
    }
}

impl<'a> Iterator for Names<'a> {
    type Item = Name<'a>;

    fn next(&mut self) -> Option<Name<'a>> {
        self.left = self.left.checked_sub(1)?;
        read_name(&mut self.cursor).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Names<'_> {}

fn read_name<'a>(cursor: &mut Cursor<'a>) -> Result<Name<'a>, FrameError> {
    let part: &NamePart = cursor.part("a name's beginning")?;
    let length = usize::from(part.length.get());
    if !(1..=MAX_ID_BYTES).contains(&length) {
        return Err(FrameError::Malformed("a name's length"));
    }
    Ok(Name { table: part.table, key: part.key.get(), name: cursor.text(length, "a name")? })
}

/// Appends a push frame to `out`.
///
/// # Errors
/// [`FrameError::Encode`] if part numbers, keys and words, or a name's length do not fit; `out` is as before.
pub fn encode_push<'s>(
    out: &mut Vec<u8>,
    head: &PushHead,
    ranges: &[SourceRange],
    sections: impl IntoIterator<Item = Rows<'s>>,
    names: impl IntoIterator<Item = Name<'s>>,
) -> Result<(), FrameError> {
    if head.part >= head.parts {
        return Err(FrameError::Encode("a push's part must be below its parts"));
    }
    let start = Start { kind: raw::PUSH, flags: 0, model: head.model, shard: head.shard };
    encode::frame(out, start, |out| {
        let fixed = out.len();
        let mut part = PushPart {
            part: head.part.into(),
            parts: head.parts.into(),
            ranges: encode::count(ranges.len())?.into(),
            sections: 0.into(),
            names: 0.into(),
        };
        encode::part(out, &part);
        for range in ranges {
            encode::part(out, &RawRange::from(*range));
        }
        for rows in sections {
            section::write(out, &rows, Shape::Push)?;
            part.sections += 1;
        }
        for name in names {
            write_name(out, &name)?;
            part.names += 1;
        }
        encode::replace(out, fixed, &part)
    })
}

fn write_name(out: &mut Vec<u8>, name: &Name<'_>) -> Result<(), FrameError> {
    if !(1..=MAX_ID_BYTES).contains(&name.name.len()) {
        return Err(FrameError::Encode("a name must have 1 to 256 bytes"));
    }
    encode::part(out, &NamePart { table: name.table, key: name.key.into(), length: (name.name.len() as u16).into() });
    out.extend_from_slice(name.name.as_bytes());
    Ok(())
}
