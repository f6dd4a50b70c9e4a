//! Blocks: up to some 64 rows of one table, packed into one value with a checksum.
//!
//! sled keeps neither memory nor disk in bounds when many small keys are overwritten in large batches; blocks of 4 to
//! 16 KiB cure that. Format 1, all little-endian:
//!
//! ```text
//! magic "wblk" | version u8 | table u8 | width u16 | block u32 | rows u16 | 0 u16 | xxh3 of all the rest u64
//! per row: slot u16 | name length u16 (0xFFFF: no name) | key u64 | width × u32 | name
//! ```

use xxhash_rust::xxh3::Xxh3Default;

use crate::Error;

/// The largest value that is written: above 128 KiB sled moves values into files of their own, which it leaks.
pub const MAX_BLOCK_BYTES: usize = 64 * 1024;

pub(crate) const VERSION: u8 = 1;
const MAGIC: [u8; 4] = *b"wblk";
const CHECKSUM_AT: usize = 16;
const HEADER_BYTES: usize = 24;
const ROW_HEADER_BYTES: usize = 12;
const NO_NAME: u16 = u16::MAX;

/// How many rows of `width` words, each with a name of up to `name_bytes` bytes, surely fit into one block.
#[must_use]
pub fn rows_that_fit(width: u16, name_bytes: usize) -> usize {
    (MAX_BLOCK_BYTES - HEADER_BYTES) / (ROW_HEADER_BYTES + usize::from(width) * 4 + name_bytes)
}

/// Packs rows into a block, one by one.
#[derive(Debug)]
pub struct BlockEncoder {
    table: u8,
    block: u32,
    width: u16,
    rows: u16,
    bytes: Vec<u8>,
}

impl BlockEncoder {
    /// Begins block number `block` of `table`, whose rows have `width` words of 32 bits.
    #[must_use]
    pub fn new(table: u8, block: u32, width: u16) -> Self {
        let mut bytes = Vec::with_capacity(8 * 1024);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[VERSION, table]);
        bytes.extend_from_slice(&width.to_le_bytes());
        bytes.extend_from_slice(&block.to_le_bytes());
        bytes.resize(HEADER_BYTES, 0);
        Self { table, block, width, rows: 0, bytes }
    }

    /// Appends a row. `slot` is the caller's place of the row, given back as it is.
    ///
    /// # Errors
    /// [`Error::Width`] if `words` has not the table's width, [`Error::TooLarge`] if the block has no room for the row:
    /// the block is then as it was before.
    pub fn row(&mut self, slot: u16, key: u64, name: Option<&str>, words: &[u32]) -> Result<(), Error> {
        if words.len() != usize::from(self.width) {
            return Err(Error::Width { table: self.table, width: self.width, found: words.len() });
        }
        let name_bytes = name.map_or(0, str::len);
        let bytes = self.bytes.len() + ROW_HEADER_BYTES + words.len() * 4 + name_bytes;
        if bytes > MAX_BLOCK_BYTES {
            return Err(Error::TooLarge { table: self.table, block: self.block, bytes });
        }
        // A name shorter than a block is shorter than the mark for "none" too: the row's header is in the block as well.
        let name_length = name.map_or(NO_NAME, |name| name.len() as u16);
        self.bytes.extend_from_slice(&slot.to_le_bytes());
        self.bytes.extend_from_slice(&name_length.to_le_bytes());
        self.bytes.extend_from_slice(&key.to_le_bytes());
        self.bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        self.bytes.extend_from_slice(name.unwrap_or_default().as_bytes());
        self.rows += 1;
        Ok(())
    }

    /// The finished block. One without rows removes what is stored under its number.
    #[must_use]
    pub fn finish(mut self) -> EncodedBlock {
        self.bytes[12..14].copy_from_slice(&self.rows.to_le_bytes());
        let checksum = checksum(&self.bytes);
        self.bytes[CHECKSUM_AT..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
        EncodedBlock { table: self.table, block: self.block, rows: self.rows, checksum, bytes: self.bytes }
    }
}

/// A block ready to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedBlock {
    pub(crate) table: u8,
    pub(crate) block: u32,
    pub(crate) rows: u16,
    pub(crate) checksum: u64,
    bytes: Vec<u8>,
}

impl EncodedBlock {
    /// The bytes as they are stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether it holds no row, so that writing it removes the block.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }
}

/// A block as it was read; its rows are views into the bytes.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// Table of the rows.
    pub table: u8,
    /// Number of the block in its table.
    pub block: u32,
    /// Words of 32 bits that each row has.
    pub width: u16,
    pub(crate) checksum: u64,
    rows: u16,
    body: &'a [u8],
}

impl<'a> Block<'a> {
    /// Checks the whole block: afterwards its rows can be read without any error.
    ///
    /// # Errors
    /// [`Refused`] says what is wrong with the bytes.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Refused> {
        let (header, body) = bytes.split_at_checked(HEADER_BYTES).ok_or(Refused::Damaged("shorter than its header"))?;
        if header[..4] != MAGIC {
            return Err(Refused::Damaged("does not begin like a block"));
        }
        if checksum(bytes) != u64_at(header, CHECKSUM_AT) {
            return Err(Refused::Damaged("its checksum is wrong"));
        }
        // Only after the checksum: a flipped bit must not pass for a format of the future.
        if header[4] != VERSION {
            return Err(Refused::Version(header[4]));
        }
        let block = Self {
            table: header[5],
            width: u16_at(header, 6),
            block: u32_at(header, 8),
            rows: u16_at(header, 12),
            checksum: u64_at(header, CHECKSUM_AT),
            body,
        };
        let mut rows = block.rows();
        let read = rows.by_ref().count();
        if read != usize::from(block.rows) || !rows.bytes.is_empty() {
            return Err(Refused::Damaged("its rows do not fill it"));
        }
        Ok(block)
    }

    /// The rows in the order in which they were written.
    #[must_use]
    pub fn rows(&self) -> Rows<'a> {
        Rows { width: usize::from(self.width), left: self.rows, bytes: self.body }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.rows)
    }

    /// Whether it has no rows; stored blocks always have some.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }
}

/// Why bytes are not a block that can be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Damaged(&'static str),
    Version(u8),
}

/// One row of a block.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The writer's place of the row.
    pub slot: u16,
    /// Key of the row.
    pub key: u64,
    /// Id of which `key` is the hash, where the writer knew it.
    pub name: Option<&'a str>,
    /// The row's values.
    pub words: Words<'a>,
}

/// The rows of a [`Block`] in order.
#[derive(Clone, Debug)]
pub struct Rows<'a> {
    width: usize,
    left: u16,
    bytes: &'a [u8],
}

impl<'a> Iterator for Rows<'a> {
    type Item = Row<'a>;

    fn next(&mut self) -> Option<Row<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (header, rest) = self.bytes.split_at_checked(ROW_HEADER_BYTES)?;
        let (words, rest) = rest.split_at_checked(self.width * 4)?;
        let name_length = u16_at(header, 2);
        let (name, rest) = match name_length {
            NO_NAME => (None, rest),
            length => {
                let (name, rest) = rest.split_at_checked(usize::from(length))?;
                (Some(str::from_utf8(name).ok()?), rest)
            }
        };
        self.bytes = rest;
        Some(Row { slot: u16_at(header, 0), key: u64_at(header, 4), name, words: Words(words) })
    }
}

/// The words of a row: little-endian bytes of any alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words<'a>(&'a [u8]);

impl Words<'_> {
    /// The words one by one.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = u32> + use<'_> {
        self.0.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes))
    }

    /// Copies the words over the beginning of `row`; what is longer on either side is left alone.
    pub fn copy_to(&self, row: &mut [u32]) {
        for (to, word) in row.iter_mut().zip(self.iter()) {
            *to = word;
        }
    }

    /// Number of words.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len() / 4
    }

    /// Whether the table's rows have no words at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// xxh3 of everything but the checksum itself. `bytes` holds at least a header.
fn checksum(bytes: &[u8]) -> u64 {
    let mut hasher = Xxh3Default::new();
    hasher.update(&bytes[..CHECKSUM_AT]);
    hasher.update(&bytes[HEADER_BYTES..]);
    hasher.digest()
}

// The callers have checked that the bytes are there; these read fixed places of headers.
fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests;
