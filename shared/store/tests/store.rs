//! The store as its users see it, on real sled.

mod common;

use std::{fs, path::Path};

use common::{changes, load, meta};
use weir_store::{BlockEncoder, EncodedBlock, Error, Meta, Store};

const BLOCKS: u32 = 40;

fn open(dir: &Path) -> Store {
    let opened = Store::open(dir).unwrap();
    assert_eq!(opened.moved_aside, None);
    opened.store
}

#[test]
fn a_new_shard_is_empty_and_each_write_is_a_barrier() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let shard = store.shard("counting/g1/0").unwrap();
    assert_eq!(load(&shard, BLOCKS).unwrap(), 0);
    for barrier in 1..=12 {
        let blocks = changes(barrier, BLOCKS);
        let written = shard.write(&meta(barrier), &blocks).unwrap();
        let block_bytes: usize =
            blocks.iter().filter(|block| !block.is_empty()).map(|block| block.as_bytes().len()).sum();
        assert!(written.bytes as usize > block_bytes, "{written:?} for {block_bytes} bytes of blocks");
        assert_eq!(load(&shard, BLOCKS).unwrap(), barrier);
    }
}

#[test]
fn a_dropped_store_can_be_opened_again_at_once() {
    let dir = tempfile::tempdir().unwrap();
    for barrier in 1..=30 {
        let store = open(dir.path());
        // Not loaded before every other write: it must find out for itself what is there.
        let shard = store.shard("0").unwrap();
        if barrier % 2 == 0 {
            assert_eq!(load(&shard, BLOCKS).unwrap(), barrier - 1);
        }
        shard.write(&meta(barrier), changes(barrier, BLOCKS)).unwrap();
        // In either order.
        if barrier % 3 == 0 {
            drop(store);
            assert!(matches!(Store::open(dir.path()), Err(Error::Locked { .. })), "a shard keeps its store open");
            drop(shard);
        }
    }
    assert_eq!(load(&open(dir.path()).shard("0").unwrap(), BLOCKS).unwrap(), 30);
}

#[test]
fn shards_do_not_touch_one_another() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let shards = [1, 2, 3].map(|number| (number, store.shard(&format!("m/g1/{number}")).unwrap()));
    std::thread::scope(|scope| {
        for (number, shard) in &shards {
            scope.spawn(move || {
                for barrier in 1..=10 * number {
                    shard.write(&meta(barrier), changes(barrier, BLOCKS)).unwrap();
                }
            });
        }
    });
    shards[1].1.clear().unwrap();
    let barriers = shards.each_ref().map(|(_, shard)| load(shard, BLOCKS).unwrap());
    assert_eq!(barriers, [10, 0, 30]);
    shards[1].1.write(&meta(1), changes(1, BLOCKS)).unwrap();
    drop((shards, store));
    let store = open(dir.path());
    let barriers =
        ["m/g1/1", "m/g1/2", "m/g1/3", "m/g1/4"].map(|name| load(&store.shard(name).unwrap(), BLOCKS).unwrap());
    assert_eq!(barriers, [10, 1, 30, 0]);
}

#[test]
fn a_block_without_rows_removes_what_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let shard = open(dir.path()).shard("0").unwrap();
    let block = |rows: u16| {
        let mut encoder = BlockEncoder::new(3, 7, 1);
        for slot in 0..rows {
            encoder.row(slot, 9, None, &[1]).unwrap();
        }
        encoder.finish()
    };
    let blocks = |shard: &weir_store::Shard| {
        let mut found = Vec::new();
        let meta = shard.load(&mut |block| found.push((block.table, block.block, block.len()))).unwrap();
        assert!(meta.is_some());
        found
    };
    // Of a block that is given twice the last one counts.
    shard.write(&Meta::default(), [block(1), block(2)]).unwrap();
    assert_eq!(blocks(&shard), [(3, 7, 2)]);
    shard.write(&Meta::default(), [block(0)]).unwrap();
    assert_eq!(blocks(&shard), []);
    shard.write(&Meta::default(), [block(0)]).unwrap();
    shard.write(&Meta::default(), &[] as &[EncodedBlock]).unwrap();
    assert_eq!(blocks(&shard), []);
}

#[test]
fn a_write_of_many_batches_is_one_barrier() {
    let dir = tempfile::tempdir().unwrap();
    // 24 MB of blocks: three batches, and with the second barrier all of them over what is there.
    let blocks = |barrier: u32| {
        (0..600).map(move |block| {
            let rows = if block % 10 == barrier { 0 } else { 150 };
            let mut encoder = BlockEncoder::new(1, block, 64);
            (0..rows).for_each(|slot| encoder.row(slot, 1, None, &[barrier; 64]).unwrap());
            encoder.finish()
        })
    };
    for barrier in 1..4 {
        let shard = open(dir.path()).shard("0").unwrap();
        let written = shard.write(&meta(barrier.into()), blocks(barrier)).unwrap();
        assert!(written.bytes > 20_000_000);
        let mut found = Vec::new();
        let mut each = |block: weir_store::Block<'_>| {
            assert!(block.rows().all(|row| row.words.iter().all(|word| word == barrier)));
            found.push(block.block);
        };
        assert_eq!(shard.load(&mut each).unwrap(), Some(meta(barrier.into())));
        assert!(found.into_iter().eq((0..600).filter(|block| block % 10 != barrier)));
    }
}

#[test]
fn what_is_rewritten_often_does_not_fill_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let shard = open(dir.path()).shard("0").unwrap();
    // 0.8 MB of blocks, 60 MB of writes.
    for barrier in 1..=300 {
        shard.write(&meta(barrier), changes(barrier, 320)).unwrap();
    }
    let bytes = fs::metadata(dir.path().join("sled/db")).unwrap().len();
    assert!(bytes < 16 << 20, "{bytes} bytes on disk");
}

#[test]
fn a_store_in_use_and_a_useless_directory_are_told_apart_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    let refused = Store::open(dir.path()).unwrap_err();
    assert!(matches!(refused, Error::Locked { .. }));
    assert_eq!(
        refused.to_string(),
        format!(
            "the store {} is in use by another process; give each process a data directory of its own",
            dir.path().display()
        )
    );
    drop(first);
    open(dir.path());

    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    let refused = Store::open(file.join("store")).unwrap_err();
    assert!(matches!(refused, Error::Unusable { .. }), "{refused:?}");
    assert!(refused.to_string().contains("cannot be used: Not a directory"), "{refused}");
    assert!(!refused.to_string().contains('\n'));
    // A place that not even root may write to.
    assert!(matches!(Store::open("/proc/weir"), Err(Error::Unusable { .. })));
}
