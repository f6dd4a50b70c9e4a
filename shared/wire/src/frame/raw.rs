//! Byte layouts of the frames' fixed parts, and the cursor that reads them.

use xxhash_rust::xxh3::xxh3_64_with_seed;
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{FrameError, Position, RequestId, SourceRange, VERSION};

pub(crate) const MAGIC: [u8; 4] = *b"WEIR";
/// The checksum covers what comes after this many bytes and is seeded with the first eight of them.
pub(crate) const CHECKSUM_END: usize = 16;
/// The one flag: the optional value of the frame's kind is there.
pub(crate) const PRESENT: u8 = 1;

pub(crate) const PUSH: u8 = 1;
pub(crate) const PULL: u8 = 2;
pub(crate) const REPLY: u8 = 3;
pub(crate) const ROW: u8 = 4;
pub(crate) const BARRIER: u8 = 5;
pub(crate) const QUERY: u8 = 6;
pub(crate) const POSITIONS: u8 = 7;

/// Declares a fixed part: plain bytes, alignment 1, readable from any place.
macro_rules! fixed_part {
    ($name:ident { $($field:ident: $kind:ty),* $(,)? }) => {
        #[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
        #[repr(C)]
        pub(crate) struct $name { $(pub(crate) $field: $kind),* }
    };
}

fixed_part!(Header { magic: [u8; 4], version: U16, kind: u8, flags: u8, checksum: U64, model: U32, shard: U32 });
fixed_part!(RawPosition { pass: U32, sequence: U64 });
fixed_part!(RawRange { source: U32, first: RawPosition, next: RawPosition });
fixed_part!(RawRequest { instance: U64, number: U64 });
fixed_part!(PushPart { part: U16, parts: U16, ranges: U32, sections: U32, names: U32 });
fixed_part!(PullPart { request: RawRequest, reply_partition: U32, source: U32, at_least: RawPosition, sections: U32 });
fixed_part!(ReplyPart { request: RawRequest, source: U32, applied: RawPosition, sections: U32 });
fixed_part!(RowPart { width: U16, name: U16 });
fixed_part!(BarrierPart { push_next: U64, positions: U32, layout: U32 });
fixed_part!(RawSourceDone { source: U32, position: RawPosition, parts_done: U16 });
fixed_part!(QueryPart { request: RawRequest, reply_partition: U32, sources: U32 });
fixed_part!(PositionsPart { request: RawRequest, count: U32 });
fixed_part!(RawSourcePosition { source: U32, known: u8, position: RawPosition });
fixed_part!(SectionPart { table: u8, op: u8, width: U16, count: U32 });
fixed_part!(NamePart { table: u8, key: U64, length: U16 });

impl Header {
    /// Checks magic, version and checksum, in this order: a newer version may keep its checksum elsewhere.
    pub(crate) fn check(bytes: &[u8]) -> Result<(&Self, &[u8]), FrameError> {
        if !bytes.starts_with(&MAGIC) {
            return Err(FrameError::Magic);
        }
        let (header, body) = Self::ref_from_prefix(bytes).map_err(|_| FrameError::Truncated(bytes.len()))?;
        match header.version.get() {
            VERSION => {}
            other => return Err(FrameError::Version(other)),
        }
        match checksum(bytes) {
            Some(sum) if sum == header.checksum.get() => Ok((header, body)),
            _ => Err(FrameError::Checksum),
        }
    }

    /// Whether the optional value is there; other flags do not exist in this version.
    pub(crate) fn present(&self) -> Result<bool, FrameError> {
        match self.flags {
            0 => Ok(false),
            PRESENT => Ok(true),
            _ => Err(FrameError::Malformed("unknown flags")),
        }
    }

    /// For kinds without an optional value.
    pub(crate) fn no_flags(&self) -> Result<(), FrameError> {
        if self.flags == 0 { Ok(()) } else { Err(FrameError::Malformed("unknown flags")) }
    }
}

/// Checksum of a whole frame, `None` if it is shorter than the fields before the checksum's end.
pub(crate) fn checksum(frame: &[u8]) -> Option<u64> {
    let seed = u64::from_le_bytes(*frame.first_chunk()?);
    Some(xxh3_64_with_seed(frame.get(CHECKSUM_END..)?, seed))
}

/// Reads parts and arrays from the front of what is left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    pub(crate) fn part<T>(&mut self, what: &'static str) -> Result<&'a T, FrameError>
    where
        T: FromBytes + KnownLayout + Immutable + Unaligned,
    {
        let (part, rest) = T::ref_from_prefix(self.rest).map_err(|_| FrameError::Malformed(what))?;
        self.rest = rest;
        Ok(part)
    }

    pub(crate) fn slice<T>(&mut self, count: usize, what: &'static str) -> Result<&'a [T], FrameError>
    where
        T: FromBytes + Immutable + Unaligned,
    {
        let (slice, rest) =
            <[T]>::ref_from_prefix_with_elems(self.rest, count).map_err(|_| FrameError::Malformed(what))?;
        self.rest = rest;
        Ok(slice)
    }

    pub(crate) fn text(&mut self, length: usize, what: &'static str) -> Result<&'a str, FrameError> {
        str::from_utf8(self.slice(length, what)?).map_err(|_| FrameError::Malformed(what))
    }

    pub(crate) fn end(&self) -> Result<(), FrameError> {
        if self.rest.is_empty() { Ok(()) } else { Err(FrameError::Malformed("bytes after the end")) }
    }
}

impl RawPosition {
    /// The position, if `present`; an absent one must be zeros so that a frame has one encoding only.
    pub(crate) fn optional(self, present: bool) -> Result<Option<Position>, FrameError> {
        let position = Position::from(self);
        match present {
            true => Ok(Some(position)),
            false if position == Position::default() => Ok(None),
            false => Err(FrameError::Malformed("a position that is marked absent")),
        }
    }
}

impl From<RawPosition> for Position {
    fn from(raw: RawPosition) -> Self {
        Self { pass: raw.pass.get(), sequence: raw.sequence.get() }
    }
}

impl From<Position> for RawPosition {
    fn from(position: Position) -> Self {
        Self { pass: position.pass.into(), sequence: position.sequence.into() }
    }
}

impl From<RawRange> for SourceRange {
    fn from(raw: RawRange) -> Self {
        Self { source: raw.source.get(), first: raw.first.into(), next: raw.next.into() }
    }
}

impl From<SourceRange> for RawRange {
    fn from(range: SourceRange) -> Self {
        Self { source: range.source.into(), first: range.first.into(), next: range.next.into() }
    }
}

impl From<RawRequest> for RequestId {
    fn from(raw: RawRequest) -> Self {
        Self { instance: raw.instance.get(), number: raw.number.get() }
    }
}

impl From<RequestId> for RawRequest {
    fn from(request: RequestId) -> Self {
        Self { instance: request.instance.into(), number: request.number.into() }
    }
}
