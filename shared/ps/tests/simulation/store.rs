//! The local stores of servers: per shard one atomic copy of blocks, with what it is the state of.

use std::{collections::BTreeMap, rc::Rc};

use weir_ps::{Barrier, ByRule, RowTable, Shard, ShardRows};

use crate::environment::TOMBSTONE_MS;

type Block = Vec<(u16, u64, Option<String>, Vec<u32>)>;

/// What a stored shard is the state of.
#[derive(Clone, Debug)]
pub(crate) struct Meta {
    pub(crate) barrier: Barrier,
    pub(crate) changelog_next: u64,
    pub(crate) stored_at_ms: u64,
}

impl Meta {
    /// A store older than half of the time that tombstones stay may miss deletions.
    pub(crate) fn is_too_old(&self, now_ms: u64) -> bool {
        now_ms - self.stored_at_ms > TOMBSTONE_MS / 2
    }
}

#[derive(Clone)]
struct Stored {
    meta: Meta,
    blocks: BTreeMap<(u8, u32), Rc<Block>>,
}

/// A server's data directory.
#[derive(Clone, Default)]
pub(crate) struct Disk(BTreeMap<u32, Stored>);

/// A shard's changed blocks at one barrier.
pub(crate) struct Snapshot {
    pub(crate) shard: u32,
    pub(crate) meta: Meta,
    blocks: BTreeMap<(u8, u32), Rc<Block>>,
}

impl Snapshot {
    /// Copies the blocks that changed since the last snapshot of these rows.
    pub(crate) fn take(shard: u32, rows: &mut ShardRows, meta: Meta) -> Self {
        let mut blocks = BTreeMap::new();
        let ids: Vec<u8> = rows.tables().map(|(id, _)| id).collect();
        for id in ids {
            let Some(table) = rows.table_mut(id) else { continue };
            for block in table.take_changed_blocks() {
                let copy = |(slot, key, name, row): (u16, u64, Option<&str>, &[u32])| {
                    (slot, key, name.map(str::to_owned), row.to_vec())
                };
                blocks.insert((id, block), Rc::new(table.block(block).map(copy).collect()));
            }
        }
        Self { shard, meta, blocks }
    }
}

impl Disk {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes a snapshot over what is stored, all or nothing.
    pub(crate) fn write(&mut self, snapshot: Snapshot) {
        let Snapshot { shard, meta, blocks } = snapshot;
        let stored = self.0.entry(shard).or_insert_with(|| Stored { meta: meta.clone(), blocks: BTreeMap::new() });
        stored.meta = meta;
        stored.blocks.extend(blocks);
    }

    pub(crate) fn meta(&self, shard: u32) -> Option<&Meta> {
        self.0.get(&shard).map(|stored| &stored.meta)
    }

    pub(crate) fn discard(&mut self, shard: u32) {
        self.0.remove(&shard);
    }

    /// Puts the stored rows into an empty shard.
    pub(crate) fn load(&self, number: u32, shard: &mut Shard<ByRule>) {
        let Some(stored) = self.0.get(&number) else { return };
        for (&(id, block), rows) in &stored.blocks {
            let Some(table) = shard.rows_mut().table_mut(id) else { continue };
            for (slot, key, name, row) in &**rows {
                table.load(block, *slot, *key, name.as_deref(), row);
            }
        }
        let ids: Vec<u8> = shard.rows().tables().map(|(id, _)| id).collect();
        ids.into_iter().filter_map(|id| shard.rows_mut().table_mut(id).map(RowTable::finish_load)).for_each(drop);
    }
}
