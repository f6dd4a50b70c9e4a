//! A whole model in a file: what `weir export` writes and `weir import-model` reads.
//!
//! | part | bytes |
//! | --- | --- |
//! | magic | `WEIRMDL` and the version, one byte each |
//! | header | length (`u32`), then [`Header`] as JSON |
//! | each row | length of its value (`u32`), shard (`u32`), key as in the changelog (9 bytes), value as in the changelog |
//! | end | [`u32::MAX`], number of rows (`u64`), xxh3 of everything before (`u64`) |
//!
//! Numbers are little-endian. Values are frames ([`crate::frame::RowValue`]) with checksums of their own. Rows are in no
//! order that means anything, but those of one shard stand together, by rising shard.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::Frame;
use crate::frame::{ChangelogKey, Layout};

const MAGIC: &[u8; 7] = b"WEIRMDL";
/// The version that is written; older ones are read, newer ones refused.
pub const VERSION: u8 = 1;
const END: u32 = u32::MAX;
/// Bounds that no file of ours comes near, so that a damaged length cannot ask for all memory.
const MAX_HEADER_BYTES: u32 = 1 << 24;
const MAX_ROW_BYTES: u32 = 1 << 20;

/// What a snapshot is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The model: `recommender`.
    pub model: String,
    /// Its generation: `g1`.
    pub generation: String,
    /// The topic that it learned from.
    pub input: String,
    /// How far: each source partition, and the next event.
    pub covered: Vec<(u32, u64)>,
    /// Under which settings and on which cluster.
    pub layout: Layout,
    /// Milliseconds since 1970.
    pub created_ms: u64,
}

/// A row of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Shard that owns it.
    pub shard: u32,
    /// As in the changelog ([`crate::frame::row_key`]).
    pub key: [u8; 9],
    /// As in the changelog.
    pub value: Vec<u8>,
}

/// Why a snapshot cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file's fault, not the snapshot's.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It does not begin as one.
    #[error("this is no snapshot of a model: it does not begin with {}", MAGIC.escape_ascii())]
    NoSnapshot,
    /// A later weir wrote it.
    #[error(
        "the snapshot has version {0}, this build reads up to {VERSION}: use the weir that wrote it, or a newer one"
    )]
    Newer(u8),
    /// It is not what was written.
    #[error("the snapshot is damaged: {0}; nothing of it can be used, take another copy")]
    Damaged(String),
}

fn damaged(what: impl Into<String>) -> Error {
    Error::Damaged(what.into())
}

/// Writes one snapshot, row by row.
pub struct Writer<W: Write> {
    out: W,
    hash: Xxh3,
    rows: u64,
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// `out` fails.
    pub fn new(out: W, header: &Header) -> Result<Self, Error> {
        let mut writer = Self { out, hash: Xxh3::new(), rows: 0 };
        let json = serde_json::to_vec(header).map_err(io::Error::from)?;
        writer.put(MAGIC)?;
        writer.put(&[VERSION])?;
        writer.put(&(json.len() as u32).to_le_bytes())?;
        writer.put(&json)?;
        Ok(writer)
    }

    /// Writes a row.
    ///
    /// # Errors
    /// `out` fails.
    pub fn row(&mut self, shard: u32, key: &[u8; 9], value: &[u8]) -> Result<(), Error> {
        self.put(&(value.len() as u32).to_le_bytes())?;
        self.put(&shard.to_le_bytes())?;
        self.put(key)?;
        self.put(value)?;
        self.rows += 1;
        Ok(())
    }

    /// Writes the end, without which it is not whole, and gives `out` back.
    ///
    /// # Errors
    /// `out` fails.
    pub fn finish(mut self) -> Result<W, Error> {
        self.put(&END.to_le_bytes())?;
        self.put(&self.rows.to_le_bytes())?;
        let digest = self.hash.digest();
        self.out.write_all(&digest.to_le_bytes())?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.out.write_all(bytes)
    }
}

/// Reads one snapshot, row by row. What was read counts only when [`Reader::row`] has returned `None`: the checksum of
/// the whole stands at the end.
pub struct Reader<R: Read> {
    input: R,
    hash: Xxh3,
    rows: u64,
    model: u32,
    header: Header,
}

impl<R: Read> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// It is none, or damaged.
    pub fn new(mut input: R) -> Result<Self, Error> {
        let mut hash = Xxh3::new();
        let [magic @ .., version] = fixed::<8>(&mut input, &mut hash).map_err(|_| Error::NoSnapshot)?;
        if magic != *MAGIC {
            return Err(Error::NoSnapshot);
        }
        if version > VERSION {
            return Err(Error::Newer(version));
        }
        let length = u32::from_le_bytes(fixed(&mut input, &mut hash)?);
        if length > MAX_HEADER_BYTES {
            return Err(damaged("its header is too long"));
        }
        let json = bytes(&mut input, &mut hash, length)?;
        let header: Header = serde_json::from_slice(&json).map_err(|error| damaged(format!("its header: {error}")))?;
        let model = crate::topic::model_hash(&header.model, &header.generation);
        Ok(Self { input, hash, rows: 0, model, header })
    }

    /// What it is of.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The next row; none at the end, when everything was as it was written.
    ///
    /// # Errors
    /// It is damaged, or ends too early.
    pub fn row(&mut self) -> Result<Option<Row>, Error> {
        let length = u32::from_le_bytes(fixed(&mut self.input, &mut self.hash)?);
        if length == END {
            return self.end().map(|()| None);
        }
        if length > MAX_ROW_BYTES {
            return Err(damaged("a row is too long"));
        }
        let shard = u32::from_le_bytes(fixed(&mut self.input, &mut self.hash)?);
        let key = fixed(&mut self.input, &mut self.hash)?;
        let value = bytes(&mut self.input, &mut self.hash, length)?;
        self.check(shard, key, &value)?;
        self.rows += 1;
        Ok(Some(Row { shard, key, value }))
    }

    fn check(&self, shard: u32, key: [u8; 9], value: &[u8]) -> Result<(), Error> {
        let Some(ChangelogKey::Row { table, .. }) = ChangelogKey::parse(&key) else {
            return Err(damaged("a row's key"));
        };
        let frame = Frame::parse_for(self.model, value).map_err(|error| damaged(format!("a row: {error}")))?;
        let Frame::Row(row) = frame else { return Err(damaged("a row is something else")) };
        let layout = self.header.layout.tables.iter().find(|known| known.id == table);
        match layout {
            Some(known) if row.shard == shard && row.words().len() == usize::from(known.width) => Ok(()),
            _ => Err(damaged("a row does not fit its table")),
        }
    }

    fn end(&mut self) -> Result<(), Error> {
        let rows = u64::from_le_bytes(fixed(&mut self.input, &mut self.hash)?);
        let expected = self.hash.digest();
        let found = u64::from_le_bytes(fixed(&mut self.input, &mut Xxh3::new())?);
        if found != expected {
            return Err(damaged("its checksum is another one"));
        }
        if rows != self.rows {
            return Err(damaged(format!("it has {} rows, {rows} were written", self.rows)));
        }
        if self.input.read(&mut [0])? > 0 {
            return Err(damaged("something follows its end"));
        }
        Ok(())
    }
}

fn fixed<const N: usize>(input: &mut impl Read, hash: &mut Xxh3) -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes).map_err(too_short)?;
    hash.update(&bytes);
    Ok(bytes)
}

/// Memory grows with what is there, not with what a length says.
fn bytes(input: &mut impl Read, hash: &mut Xxh3, length: u32) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    input.take(length.into()).read_to_end(&mut bytes)?;
    if bytes.len() < length as usize {
        return Err(damaged("it ends too early"));
    }
    hash.update(&bytes);
    Ok(bytes)
}

fn too_short(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::UnexpectedEof { damaged("it ends too early") } else { error.into() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame::{TableLayout, encode_row, row_key};

    fn header() -> Header {
        Header {
            model: "counting".into(),
            generation: "g1".into(),
            input: "ratings".into(),
            covered: vec![(0, 17), (1, 4)],
            layout: Layout {
                cluster_id: "cluster".into(),
                topic_ids: vec![("ratings".into(), "A".into())],
                partitioner: "hash".into(),
                shards: 3,
                hash_seed: 1,
                model_seed: 1,
                tables: vec![TableLayout { id: 0, name: "items".into(), width: 2 }],
                logic_version: 1,
                settings: Vec::new(),
            },
            created_ms: 1_795_422_189_459,
        }
    }

    fn row(shard: u32, key: u64, words: [u32; 2]) -> Row {
        let mut value = Vec::new();
        encode_row(&mut value, crate::topic::model_hash("counting", "g1"), shard, Some("alien"), &words).unwrap();
        Row { shard, key: row_key(0, key), value }
    }

    fn written(rows: &[Row]) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new(), &header()).unwrap();
        for row in rows {
            writer.row(row.shard, &row.key, &row.value).unwrap();
        }
        writer.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Vec<Row>, Error> {
        let mut reader = Reader::new(bytes)?;
        let mut rows = Vec::new();
        while let Some(row) = reader.row()? {
            rows.push(row);
        }
        Ok(rows)
    }

    #[test]
    fn the_format_is_as_ever() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/snapshot.v1");
        let found = written(&[row(0, 7, [1, 0]), row(2, 9, [3, 4])]);
        if std::env::var_os("WEIR_GOLDEN").is_some_and(|value| value == "write") && !std::path::Path::new(file).exists()
        {
            std::fs::write(file, &found).unwrap();
        }
        assert_eq!(std::fs::read(file).unwrap(), found);
        assert_eq!(Reader::new(&*found).unwrap().header(), &header());
        assert_eq!(&found[..8], b"WEIRMDL\x01");
    }

    #[test]
    fn what_is_none_or_newer_is_told_apart() {
        let text = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
        assert!(text(b"PK").contains("no snapshot"));
        assert!(text(b"something else").contains("no snapshot"));
        let mut newer = written(&[]);
        newer[7] = 2;
        assert!(text(&newer).contains("version 2, this build reads up to 1"));
        let mut long = written(&[]);
        long.push(0);
        assert!(text(&long).contains("something follows"));
        let mut wide = Writer::new(Vec::new(), &header()).unwrap();
        let Row { shard, value, .. } = row(0, 1, [1, 2]);
        wide.row(shard, &row_key(5, 1), &value).unwrap();
        assert!(text(&wide.finish().unwrap()).contains("does not fit its table"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read(rows in prop::collection::vec((0_u32..3, any::<u64>(), any::<[u32; 2]>()), 0..20)) {
            let rows: Vec<_> = rows.into_iter().map(|(shard, key, words)| row(shard, key, words)).collect();
            prop_assert_eq!(read(&written(&rows)).unwrap(), rows);
        }

        #[test]
        fn any_changed_byte_and_any_missing_end_is_noticed(place in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let whole = written(&[row(0, 7, [1, 0]), row(1, 8, [2, 5])]);
            let place = place.index(whole.len());
            let mut changed = whole.clone();
            changed[place] ^= 1 << bit;
            prop_assert!(read(&changed).is_err());
            prop_assert!(read(&whole[..place]).is_err());
        }

        #[test]
        fn arbitrary_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(read(&bytes).is_err());
            prop_assert!(read(&[MAGIC, &[VERSION][..], &bytes].concat()).is_err());
        }
    }
}
