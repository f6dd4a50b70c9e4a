//! One atomic write of any size out of sled's batches, which must stay small: sled needs about nine times a batch's
//! bytes of memory, does not give them back, and stops all readers of all its trees meanwhile.
//!
//! What fits into one batch is one batch. Of a larger write the blocks go to a place of their own first, batch by batch; the last
//! of these batches carries the new meta data, marked as pending: that is the commit. Then the blocks are moved into
//! force, which whoever loads next does again if it was cut short. The first write of a shard needs no such detour: blocks
//! without meta data do not count.

use std::borrow::Borrow;

use crate::{EncodedBlock, Error, Meta, Shard, contents::Contents, meta::Record, shard::Place};

/// About the largest batch.
pub(crate) const BATCH_BYTES: usize = 8 * 1024 * 1024;

pub(crate) struct Writer<'a, B> {
    shard: &'a Shard,
    contents: Contents,
    buffer: Vec<B>,
    buffered_bytes: usize,
    spilled: bool,
    bytes: u64,
}

impl<'a, B: Borrow<EncodedBlock>> Writer<'a, B> {
    pub(crate) fn new(shard: &'a Shard, contents: Contents) -> Self {
        Self { shard, contents, buffer: Vec::new(), buffered_bytes: 0, spilled: false, bytes: 0 }
    }

    pub(crate) fn put(&mut self, block: B) -> Result<(), Error> {
        let length = block.borrow().as_bytes().len();
        if self.buffered_bytes + length > BATCH_BYTES {
            let batch = self.take_batch(if self.contents.stored { Place::Pending } else { Place::Block });
            self.shard.apply(batch)?;
            self.spilled = true;
        }
        let EncodedBlock { table, block: number, checksum, .. } = *block.borrow();
        self.contents.replace(table, number, (!block.borrow().is_empty()).then_some(checksum));
        self.buffered_bytes += length;
        self.bytes += length as u64;
        self.buffer.push(block);
        Ok(())
    }

    /// Returns what is stored now, and the bytes that were written.
    pub(crate) fn commit(mut self, meta: &Meta) -> Result<(Contents, u64), Error> {
        let mut record = self.store(meta)?;
        if record.pending {
            self.shard.settle(&mut record)?;
        }
        self.contents.stored = true;
        Ok((self.contents, self.bytes))
    }

    /// The commit itself: from here on the new barrier is the one that a load gives.
    fn store(&mut self, meta: &Meta) -> Result<Record, Error> {
        let pending = self.spilled && self.contents.stored;
        let record =
            Record { blocks: self.contents.blocks(), digest: self.contents.digest(), pending, meta: meta.clone() };
        let mut batch = self.take_batch(if pending { Place::Pending } else { Place::Block });
        self.bytes += self.shard.put_record(&mut batch, &record)?;
        self.shard.apply(batch)?;
        self.shard.sync("write")?;
        Ok(record)
    }

    /// The buffered blocks as a batch: removals are stored where blocks are pending, and done where they are in force.
    fn take_batch(&mut self, place: Place) -> sled::Batch {
        let mut batch = sled::Batch::default();
        self.buffered_bytes = 0;
        for block in self.buffer.drain(..) {
            let block = block.borrow();
            let key = place.key(block.table, block.block);
            if block.is_empty() && place == Place::Block {
                batch.remove(&key);
            } else {
                batch.insert(&key, block.as_bytes());
            }
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Block, BlockEncoder, Store};

    fn shard(dir: &Path) -> Shard {
        Store::open(dir).unwrap().store.shard("0").unwrap()
    }

    fn meta(barrier: u32) -> Meta {
        Meta { push_next: barrier.into(), ..Meta::default() }
    }

    /// 12 MB, so two batches; each barrier leaves out one block.
    fn blocks(barrier: u32) -> impl Iterator<Item = EncodedBlock> {
        (0..200).map(move |block| {
            let mut encoder = BlockEncoder::new(1, block, 1000);
            for slot in 0..if block == barrier { 0 } else { 15 } {
                encoder.row(slot, 1, None, &[barrier; 1000]).unwrap();
            }
            encoder.finish()
        })
    }

    /// The barrier that is loaded, after a check that all blocks are its own.
    fn load(shard: &Shard) -> u32 {
        let mut found = Vec::new();
        let mut each = |block: Block<'_>| {
            found.push((block.block, block.rows().next().and_then(|row| row.words.iter().next()).unwrap()));
        };
        let Some(loaded) = shard.load(&mut each).unwrap() else {
            assert_eq!(found, []);
            return 0;
        };
        let barrier = loaded.push_next as u32;
        assert!(found.into_iter().eq((0..200).filter(|block| *block != barrier).map(|block| (block, barrier))));
        barrier
    }

    /// A write that ends before or after its commit, as by a crash.
    fn cut_short(shard: &Shard, barrier: u32, committed: bool) {
        let contents = shard.contents().take().unwrap();
        let mut writer = Writer::new(shard, contents);
        blocks(barrier).for_each(|block| writer.put(block).unwrap());
        assert!(writer.spilled);
        if committed {
            writer.store(&meta(barrier)).unwrap();
        }
    }

    #[test]
    fn a_first_write_without_its_commit_is_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let first = shard(dir.path());
        assert_eq!(load(&first), 0);
        cut_short(&first, 1, false);
        // Even in the same process, and even if the next write brings other blocks.
        first.write(&meta(2), blocks(2)).unwrap();
        assert_eq!(load(&first), 2);
    }

    #[test]
    fn without_its_commit_a_large_write_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let first = shard(dir.path());
        first.write(&meta(1), blocks(1)).unwrap();
        cut_short(&first, 2, false);
        drop(first);
        let again = shard(dir.path());
        assert_eq!(load(&again), 1);
        assert_eq!(again.pending_blocks(), 0);
    }

    #[test]
    fn with_its_commit_a_large_write_is_finished_by_whoever_comes_next() {
        let dir = tempfile::tempdir().unwrap();
        let first = shard(dir.path());
        first.write(&meta(1), blocks(1)).unwrap();
        cut_short(&first, 2, true);
        drop(first);
        let again = shard(dir.path());
        assert_eq!(load(&again), 2);
        assert_eq!(again.pending_blocks(), 0);
        drop(again);
        let third = shard(dir.path());
        cut_short_unloaded(&third);
        assert_eq!(load(&third), 4);
    }

    /// A write that finds a committed one unfinished has to finish it first.
    fn cut_short_unloaded(shard: &Shard) {
        assert_eq!(load(shard), 2);
        cut_short(shard, 3, true);
        shard.write(&meta(4), blocks(4)).unwrap();
    }
}
