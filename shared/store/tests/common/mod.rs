//! Barriers that can be told from one another: what is stored at barrier n follows from n alone.

#![allow(dead_code, reason = "each suite uses a part")]

use std::collections::BTreeMap;

use weir_store::{Block, BlockEncoder, EncodedBlock, Error, Meta, Position, Shard};

/// Words of a row.
pub(crate) const WIDTH: u16 = 5;
const ROWS: u16 = 64;

/// The barrier's meta data.
pub(crate) fn meta(barrier: u64) -> Meta {
    Meta {
        cluster_id: "cluster".to_owned(),
        topic_ids: vec![("weir.counting.g1.pushes".to_owned(), "AbC-1".to_owned())],
        layout: r#"{"shards":3}"#.to_owned(),
        positions: vec![Position { source: 2, pass: 0, sequence: barrier, parts_done: 1 }],
        push_next: barrier,
        changelog_next: barrier * 2,
        stored_at_ms: 1_767_225_600_000,
    }
}

/// Which of `blocks` blocks barrier `barrier` writes: all of them in the first, then about a quarter.
pub(crate) fn touches(barrier: u64, block: u32) -> bool {
    barrier == 1 || mix(barrier, block).is_multiple_of(4)
}

/// Whether it removes the block.
pub(crate) fn removes(barrier: u64, block: u32) -> bool {
    barrier > 1 && mix(block.into(), barrier as u32).is_multiple_of(5)
}

fn mix(a: u64, b: u32) -> u64 {
    (a.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(b).wrapping_mul(0xBF58_476D_1CE4_E5B9)) >> 17
}

/// What barrier `barrier` writes.
pub(crate) fn changes(barrier: u64, blocks: u32) -> Vec<EncodedBlock> {
    (0..blocks).filter(|block| touches(barrier, *block)).map(|block| encode(barrier, block)).collect()
}

fn encode(barrier: u64, block: u32) -> EncodedBlock {
    let mut encoder = BlockEncoder::new(1, block, WIDTH);
    for slot in 0..if removes(barrier, block) { 0 } else { ROWS } {
        let key = u64::from(block) << 16 | u64::from(slot);
        let name = format!("row {key}");
        let name = (slot % 3 > 0).then_some(name.as_str());
        encoder.row(slot, key, name, &[barrier as u32, block, slot.into(), 0, u32::MAX]).unwrap();
    }
    encoder.finish()
}

/// Barrier at which each stored block was written, as it must be after barrier `barrier`.
pub(crate) fn expected(barrier: u64, blocks: u32) -> BTreeMap<u32, u64> {
    let last = |block: &u32| (1..=barrier).rev().find(|barrier| touches(*barrier, *block));
    let written = (0..blocks).filter_map(|block| Some((block, last(&block)?)));
    written.filter(|(block, barrier)| !removes(*barrier, *block)).collect()
}

/// Loads a shard, checks every word of it against what its barrier must be, and returns the barrier; 0 if there is none.
pub(crate) fn load(shard: &Shard, blocks: u32) -> Result<u64, Error> {
    let mut found = BTreeMap::new();
    let mut order = Vec::new();
    let loaded = shard.load(&mut |block| {
        order.push(block.block);
        found.insert(block.block, barrier_of(block));
    })?;
    assert!(order.is_sorted(), "blocks come in order");
    let Some(loaded) = loaded else {
        assert!(found.is_empty(), "no barrier, no blocks");
        return Ok(0);
    };
    assert_eq!(loaded, meta(loaded.push_next));
    assert_eq!(found, expected(loaded.push_next, blocks), "barrier {}", loaded.push_next);
    Ok(loaded.push_next)
}

/// The barrier that wrote a block, all of whose rows must say the same.
fn barrier_of(block: Block<'_>) -> u64 {
    let barriers = block.rows().map(|row| u64::from(row.words.iter().next().unwrap()));
    let barrier = barriers.max().unwrap();
    assert_eq!((block.table, block.width, block.len()), (1, WIDTH, usize::from(ROWS)));
    let encoded = encode(barrier, block.block);
    let mut copy = BlockEncoder::new(block.table, block.block, block.width);
    for row in block.rows() {
        let mut words = [0; WIDTH as usize];
        row.words.copy_to(&mut words);
        copy.row(row.slot, row.key, row.name, &words).unwrap();
    }
    assert!(copy.finish() == encoded, "block {} of barrier {barrier} is not what was written", block.block);
    barrier
}
