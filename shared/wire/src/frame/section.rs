//! Sections: the rows of one table in a push, a pull or a reply.

use zerocopy::little_endian::{U32, U64};

use super::raw::{Cursor, SectionPart};
use super::{FrameError, Le32, encode};

/// What a section of a push does to its rows. Sections of pulls and replies are always `Add`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Words are merged into the rows by the table's rule (adding, as a rule).
    Add = 0,
    /// Rows are removed; no words.
    Delete = 1,
}

/// Rows to be encoded into a push: borrowed from the caller, copied once.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Table the rows belong to.
    pub table: u8,
    /// What is done with them.
    pub op: Op,
    /// Words per row; 0 with [`Op::Delete`], more with [`Op::Add`].
    pub width: u16,
    /// One key per row.
    pub keys: &'a [u64],
    /// `keys.len() * width` words, row after row.
    pub words: &'a [u32],
}

/// One table's rows inside a frame, as views of its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Section<'a> {
    /// Table the rows belong to.
    pub table: u8,
    /// What a push does with them.
    pub op: Op,
    /// Words per row; 0 in pulls and deletes, which have none.
    pub width: u16,
    keys: &'a [U64],
    words: &'a [U32],
    flags: &'a [u8],
}

impl<'a> Section<'a> {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys, in the order of the rows.
    #[must_use]
    pub fn keys(&self) -> impl ExactSizeIterator<Item = u64> + Clone + use<'a> {
        self.keys.iter().map(|key| key.get())
    }

    /// The words of each row, `width` each; nothing in pulls and deletes.
    pub fn rows(&self) -> std::slice::ChunksExact<'a, Le32> {
        self.words.chunks_exact(usize::from(self.width).max(1))
    }

    /// All words, row after row.
    #[must_use]
    pub fn words(&self) -> &'a [Le32] {
        self.words
    }

    /// One byte per row in replies ([`super::NAME_UNKNOWN`]), nothing elsewhere.
    #[must_use]
    pub fn flags(&self) -> &'a [u8] {
        self.flags
    }

    /// Appends all keys to `out`.
    pub fn copy_keys(&self, out: &mut Vec<u64>) {
        out.extend(self.keys.iter().map(|key| key.get()));
    }

    /// Appends all words to `out`, row after row.
    pub fn copy_words(&self, out: &mut Vec<u32>) {
        out.extend(self.words.iter().map(|word| word.get()));
    }
}

/// Which frame the sections stand in: it decides whether there are words and flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Push,
    Pull,
    Reply,
}

/// The sections of a frame, read one by one as they are asked for.
#[derive(Clone, Debug)]
pub struct Sections<'a> {
    cursor: Cursor<'a>,
    left: u32,
    shape: Shape,
}

impl<'a> Sections<'a> {
    /// Checks `count` sections, leaves `cursor` behind them and keeps a view for reading them again.
    pub(crate) fn read(cursor: &mut Cursor<'a>, count: u32, shape: Shape) -> Result<Self, FrameError> {
        let sections = Self { cursor: *cursor, left: count, shape };
        for _ in 0..count {
            read_section(cursor, shape)?;
        }
        Ok(sections)
    }
}

impl<'a> Iterator for Sections<'a> {
    type Item = Section<'a>;

    fn next(&mut self) -> Option<Section<'a>> {
        self.left = self.left.checked_sub(1)?;
        read_section(&mut self.cursor, self.shape).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Sections<'_> {}

fn read_section<'a>(cursor: &mut Cursor<'a>, shape: Shape) -> Result<Section<'a>, FrameError> {
    let part: &SectionPart = cursor.part("a section's beginning")?;
    let (width, count) = (part.width.get(), part.count.get() as usize);
    let op = match part.op {
        0 => Op::Add,
        1 => Op::Delete,
        _ => return Err(FrameError::Malformed("a section's operation")),
    };
    if !width_fits(shape, op, width) {
        return Err(FrameError::Malformed("a section's width"));
    }
    let keys = cursor.slice(count, "a section's keys")?;
    let words = count.checked_mul(usize::from(width)).ok_or(FrameError::Malformed("a section's words"))?;
    let words = cursor.slice(words, "a section's words")?;
    let flags = if shape == Shape::Reply { cursor.slice(count, "a section's flags")? } else { &[] };
    Ok(Section { table: part.table, op, width, keys, words, flags })
}

/// Words are in the sections that add or answer, and only there.
fn width_fits(shape: Shape, op: Op, width: u16) -> bool {
    match (shape, op) {
        (Shape::Push | Shape::Reply, Op::Add) => width > 0,
        (Shape::Push, Op::Delete) | (Shape::Pull, Op::Add) => width == 0,
        (Shape::Pull | Shape::Reply, Op::Delete) => false,
    }
}

/// Appends one section without flags.
pub(crate) fn write(out: &mut Vec<u8>, rows: &Rows<'_>, shape: Shape) -> Result<(), FrameError> {
    if !width_fits(shape, rows.op, rows.width) {
        return Err(FrameError::Encode("a section's width does not fit its operation"));
    }
    if rows.keys.len().checked_mul(usize::from(rows.width)) != Some(rows.words.len()) {
        return Err(FrameError::Encode("a section needs width words for every key"));
    }
    let count = encode::count(rows.keys.len())?;
    let part = SectionPart { table: rows.table, op: rows.op as u8, width: rows.width.into(), count: count.into() };
    encode::part(out, &part);
    encode::keys(out, rows.keys);
    encode::words(out, rows.words);
    Ok(())
}
