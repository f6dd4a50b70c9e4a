//! The local store: which blocks go in, and the thread that writes them.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender};
use weir_kafka::Admin;
use weir_ps::{Barrier, ShardRows};
use weir_store::{BlockEncoder, EncodedBlock, Meta, Position, Shard, Written};

/// A shard's copy at one barrier, ready to be written once that barrier is committed.
pub(crate) struct Snapshot {
    pub(crate) shard: u32,
    pub(crate) meta: Meta,
    blocks: Vec<EncodedBlock>,
}

impl Snapshot {
    /// Encodes the blocks that changed since the last snapshot of these rows.
    pub(crate) fn take(
        shard: u32,
        rows: &mut ShardRows,
        barrier: &Barrier,
        meta: Meta,
    ) -> Result<Self, weir_store::Error> {
        let mut blocks = Vec::new();
        let ids: Vec<u8> = rows.tables().map(|(id, _)| id).collect();
        for id in ids {
            let Some(table) = rows.table_mut(id) else { continue };
            let changed = table.take_changed_blocks();
            let table = &*table;
            for block in changed {
                let mut encoder = BlockEncoder::new(id, block, table.width() as u16);
                for (slot, key, name, row) in table.block(block) {
                    encoder.row(slot, key, name, row)?;
                }
                blocks.push(encoder.finish());
            }
        }
        let positions = barrier.sources.iter().map(|(&source, state)| Position {
            source,
            pass: state.next.pass,
            sequence: state.next.sequence,
            parts_done: state.parts_done,
        });
        let meta = Meta { positions: positions.collect(), push_next: barrier.push_next, ..meta };
        Ok(Self { shard, meta, blocks })
    }
}

/// Work for the storing thread.
pub(crate) enum StoreJob {
    /// Write this.
    Write(Arc<Shard>, Snapshot),
    /// Delete push records below these offsets.
    Delete(Vec<(u32, u64)>),
}

/// What became of it.
pub(crate) enum Stored {
    /// The shard is on disk.
    Written { shard: u32, written: Written },
    /// It is not; what was stored before is still there.
    Failed { shard: u32, error: weir_store::Error },
    /// Push records below these offsets are gone, or not: then a later deletion covers them.
    Deleted { before: Vec<(u32, u64)>, outcome: weir_kafka::Result<()> },
}

/// Does one job after the other until the channel closes.
pub(crate) fn store_all(admin: &Admin, pushes: &str, jobs: &Receiver<StoreJob>, done: &Sender<Stored>) {
    for job in jobs {
        let outcome = match job {
            StoreJob::Write(store, Snapshot { shard, meta, blocks }) => match store.write(&meta, &blocks) {
                Ok(written) => Stored::Written { shard, written },
                Err(error) => Stored::Failed { shard, error },
            },
            StoreJob::Delete(before) => {
                let outcome = admin.delete_records(pushes, &before);
                Stored::Deleted { before, outcome }
            }
        };
        if done.send(outcome).is_err() {
            return;
        }
    }
}

/// What must fit on a disk before a store is trusted to it again.
const PROBE_BYTES: usize = 16 * 1024 * 1024;

/// Whether the disk takes a file of some size in this directory. It is gone again when this returns.
pub(crate) fn has_room(directory: &Path) -> bool {
    let path = directory.join("probe");
    let write = || {
        fs::create_dir_all(directory)?;
        let mut file = File::create(&path)?;
        let zeros = vec![0; PROBE_BYTES / 16];
        (0..16).try_for_each(|_| file.write_all(&zeros))?;
        file.sync_all()
    };
    let taken = write().is_ok();
    // Where it cannot be removed it could not be created either.
    let _ = fs::remove_file(&path);
    taken
}
