//! How many bytes frames take, so that a caller can split before it encodes.
//!
//! A frame is its beginning plus its sections (plus names): `push(ranges) + Σ section(rows, width) + Σ name(length)`.

use super::raw::{Header, NamePart, PullPart, PushPart, RawRange, ReplyPart, SectionPart};

const HEADER: usize = size_of::<Header>();

/// A push with `ranges` source ranges, without sections and names.
#[must_use]
pub const fn push(ranges: usize) -> usize {
    HEADER + size_of::<PushPart>() + ranges * size_of::<RawRange>()
}

/// A pull without sections.
#[must_use]
pub const fn pull() -> usize {
    HEADER + size_of::<PullPart>()
}

/// A reply without sections.
#[must_use]
pub const fn reply() -> usize {
    HEADER + size_of::<ReplyPart>()
}

/// A section of a push or a pull: `width` is 0 where there are no words.
#[must_use]
pub const fn section(rows: usize, width: usize) -> usize {
    size_of::<SectionPart>() + rows * (8 + 4 * width)
}

/// A section of a reply, which has a flag byte per row.
#[must_use]
pub const fn reply_section(rows: usize, width: usize) -> usize {
    section(rows, width) + rows
}

/// A name of `length` bytes in a push.
#[must_use]
pub const fn name(length: usize) -> usize {
    size_of::<NamePart>() + length
}
