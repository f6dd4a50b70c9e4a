//! What a store says about the rows that it holds.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::block::Refused;

pub(crate) const VERSION: u8 = 1;
const MAGIC: [u8; 4] = *b"wmet";
const HEADER_BYTES: usize = 16;

/// The barrier that a stored shard is at. All offsets are *next to read*.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Id of the Kafka cluster that the rows come from.
    pub cluster_id: String,
    /// Names and ids of the topics that the rows come from.
    pub topic_ids: Vec<(String, String)>,
    /// The layout (tables, widths, seeds, partitioner, shards) in the writer's own form, compared by the writer.
    pub layout: String,
    /// What of each source partition is contained.
    pub positions: Vec<Position>,
    /// Offset of the push log that the rows go on from.
    pub push_next: u64,
    /// Offset of the changelog that the rows go on from.
    pub changelog_next: u64,
    /// The writer's clock when it wrote this, in ms since 1970: too old a store may have missed deletions.
    pub stored_at_ms: i64,
}

/// How far a source partition is contained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Partition of the input topic.
    pub source: u32,
    /// Pass over the input; 0 is online.
    pub pass: u32,
    /// Within the pass, next to read.
    pub sequence: u64,
    /// How many parts of the frame at this position are contained, 0 if it is whole.
    pub parts_done: u16,
}

/// The stored form: the meta data and what makes sure that the blocks are those of the same barrier.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Number of blocks of the shard.
    pub(crate) blocks: u64,
    /// Sum of all their checksums, wrapping.
    pub(crate) digest: u64,
    /// Whether some of the blocks are still to be moved into force.
    pub(crate) pending: bool,
    pub(crate) meta: Meta,
}

impl Record {
    /// `magic "wmet" | version u8 | 0 × 3 | xxh3 of the JSON and the version u64 | JSON`.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let json = serde_json::to_vec(self)?;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + json.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[VERSION, 0, 0, 0]);
        bytes.extend_from_slice(&checksum(VERSION, &json).to_le_bytes());
        bytes.extend_from_slice(&json);
        Ok(bytes)
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Refused> {
        let (header, json) = bytes.split_at_checked(HEADER_BYTES).ok_or(Refused::Damaged("meta data is cut off"))?;
        if header[..4] != MAGIC || header[8..] != checksum(header[4], json).to_le_bytes() {
            return Err(Refused::Damaged("the checksum of the meta data is wrong"));
        }
        if header[4] != VERSION {
            return Err(Refused::Version(header[4]));
        }
        serde_json::from_slice(json).map_err(|_| Refused::Damaged("the meta data has not the form of its version"))
    }
}

fn checksum(version: u8, json: &[u8]) -> u64 {
    xxh3_64(json).wrapping_add(u64::from(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden() -> Record {
        let meta = Meta {
            cluster_id: "k-1".to_owned(),
            topic_ids: vec![("weir.m.g1.pushes".to_owned(), "AbC".to_owned())],
            layout: r#"{"shards":3}"#.to_owned(),
            positions: vec![Position { source: 2, pass: 1, sequence: u64::MAX, parts_done: 7 }],
            push_next: 11,
            changelog_next: 12,
            stored_at_ms: -1,
        };
        Record { blocks: 5, digest: u64::MAX - 1, pending: true, meta }
    }

    #[test]
    fn format_1_is_read_and_written_for_ever() {
        let bytes = include_bytes!("../tests/golden/meta-1.bin");
        assert_eq!(Record::parse(bytes).unwrap(), golden());
        assert_eq!(golden().encode().unwrap(), bytes);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let bytes = golden().encode().unwrap();
        for at in 0..bytes.len() {
            assert!(Record::parse(&bytes[..at]).is_err());
            // The three bytes after the version mean nothing.
            if !(5..8).contains(&at) {
                let mut flipped = bytes.clone();
                flipped[at] ^= 4;
                assert!(matches!(Record::parse(&flipped), Err(Refused::Damaged(_))), "byte {at}");
            }
        }
    }

    #[test]
    fn a_format_of_the_future_is_told_from_damage() {
        let mut bytes = golden().encode().unwrap();
        bytes[4] = 9;
        let checksum = checksum(9, &bytes[HEADER_BYTES..]);
        bytes[8..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(Record::parse(&bytes), Err(Refused::Version(9)));
    }
}
