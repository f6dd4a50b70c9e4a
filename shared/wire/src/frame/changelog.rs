//! Keys and row values of the compacted changelog.

use zerocopy::little_endian::U32;

use super::encode::{self, Start};
use super::raw::{self, Cursor, Header, PRESENT, RowPart};
use super::{FrameError, Le32};
use crate::MAX_ID_BYTES;

/// Key of the barrier record. Table 255 is reserved for it.
pub const BARRIER_KEY: [u8; 9] = [0xFF; 9];

/// What a changelog record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangelogKey {
    /// A row; its value is a [`RowValue`], or none when the row was deleted.
    Row {
        /// Table of the row, below 255.
        table: u8,
        /// Key of the row.
        key: u64,
    },
    /// The barrier; its value is a [`super::BarrierValue`].
    Barrier,
}

impl ChangelogKey {
    /// Reads a changelog record's key; `None` if it is not one of ours.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 9] = bytes.try_into().ok()?;
        let [table, key @ ..] = *bytes;
        match table {
            0xFF => (*bytes == BARRIER_KEY).then_some(Self::Barrier),
            _ => Some(Self::Row { table, key: u64::from_be_bytes(key) }),
        }
    }
}

/// Key of a row's changelog record: the table, then the key big-endian, so that byte order is key order.
#[must_use]
pub fn row_key(table: u8, key: u64) -> [u8; 9] {
    let mut bytes = [table; 9];
    bytes.iter_mut().skip(1).zip(key.to_be_bytes()).for_each(|(place, byte)| *place = byte);
    bytes
}

/// The value of a changelog row, as a view of its bytes.
#[derive(Clone, Copy, Debug)]
pub struct RowValue<'a> {
    /// The model's number.
    pub model: u32,
    /// Shard that owns the row.
    pub shard: u32,
    /// The id whose hash is the row's key, where the shard knows it.
    pub name: Option<&'a str>,
    words: &'a [U32],
}

impl<'a> RowValue<'a> {
    pub(crate) fn read(header: &Header, body: &mut Cursor<'a>) -> Result<Self, FrameError> {
        let part: &RowPart = body.part("a row's fixed part")?;
        let words = body.slice(usize::from(part.width.get()), "a row's words")?;
        let length = usize::from(part.name.get());
        let name = body.text(length, "a row's name")?;
        if length > MAX_ID_BYTES || header.present()? == name.is_empty() {
            return Err(FrameError::Malformed("a row's name length"));
        }
        let name = (!name.is_empty()).then_some(name);
        Ok(Self { model: header.model.get(), shard: header.shard.get(), name, words })
    }

    /// The row's words.
    #[must_use]
    pub fn words(&self) -> &'a [Le32] {
        self.words
    }

    /// Appends the row's words to `out`.
    pub fn copy_words(&self, out: &mut Vec<u32>) {
        out.extend(self.words.iter().map(|word| word.get()));
    }
}

/// Appends a changelog row's value to `out`.
///
/// # Errors
/// [`FrameError::Encode`] if the row has more than 65,535 words or its name not 1 to 256 bytes; `out` is as before.
pub fn encode_row(
    out: &mut Vec<u8>,
    model: u32,
    shard: u32,
    name: Option<&str>,
    words: &[u32],
) -> Result<(), FrameError> {
    if name.is_some_and(|name| !(1..=MAX_ID_BYTES).contains(&name.len())) {
        return Err(FrameError::Encode("a name must have 1 to 256 bytes"));
    }
    let width = u16::try_from(words.len()).map_err(|_| FrameError::Encode("a row has at most 65,535 words"))?;
    let flags = if name.is_some() { PRESENT } else { 0 };
    let name = name.unwrap_or_default();
    encode::frame(out, Start { kind: raw::ROW, flags, model, shard }, |out| {
        encode::part(out, &RowPart { width: width.into(), name: (name.len() as u16).into() });
        encode::words(out, words);
        out.extend_from_slice(name.as_bytes());
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_their_bytes_and_come_back() {
        assert_eq!(row_key(3, 0x0102_0304_0506_0708), [3, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert!(row_key(0, 255) < row_key(0, 256) && row_key(0, u64::MAX) < row_key(1, 0));
        assert_eq!(ChangelogKey::parse(&row_key(3, 77)), Some(ChangelogKey::Row { table: 3, key: 77 }));
        assert_eq!(ChangelogKey::parse(&BARRIER_KEY), Some(ChangelogKey::Barrier));
    }

    #[test]
    fn other_keys_are_not_ours() {
        for bytes in [&b""[..], b"12345678", b"1234567890", &row_key(0xFF, 1)] {
            assert_eq!(ChangelogKey::parse(bytes), None, "{bytes:?}");
        }
    }
}
