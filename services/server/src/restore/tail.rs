//! One shard while its changelog is read.

use std::sync::Arc;

use weir_kafka::Record;
use weir_models::frames::position_from_wire;
use weir_ps::{Barrier, Model, Shard, SourceState};
use weir_runtime::Fatal;
use weir_wire::Frame;
use weir_wire::frame::{BarrierValue, ChangelogKey};

use super::Restored;
use crate::model::ServedModel;

/// Rows and barrier as far as they are read.
pub(crate) struct Tail<M: Model> {
    shard: Shard<M::Server>,
    store: Option<Arc<weir_store::Shard>>,
    changelog_next: Option<u64>,
    barrier: Option<Barrier>,
    /// Rows and barriers taken in since the store.
    taken: u64,
    words: Vec<u32>,
}

impl<M: Model> Tail<M> {
    pub(crate) fn new(
        shard: Shard<M::Server>,
        store: Option<Arc<weir_store::Shard>>,
        stored: Option<(u64, Barrier)>,
    ) -> Self {
        let (changelog_next, barrier) = stored.unzip();
        Self { shard, store, changelog_next, barrier, taken: 0, words: Vec::new() }
    }

    pub(crate) fn changelog_next(&self) -> Option<u64> {
        self.changelog_next
    }

    pub(crate) fn barrier_next(&self) -> Option<u64> {
        self.barrier.as_ref().map(|barrier| barrier.push_next)
    }

    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    pub(crate) fn store(&self) -> Option<&weir_store::Shard> {
        self.store.as_deref()
    }

    /// Begins again without what was stored.
    pub(crate) fn forget(&mut self, empty: Shard<M::Server>) {
        self.shard = empty;
        self.changelog_next = None;
        self.barrier = None;
        self.taken = 0;
    }

    pub(crate) fn verdict(&self, committed: Option<u64>) -> weir_ps::Restored {
        weir_ps::Restored::of(self.barrier_next(), committed)
    }

    /// Takes a changelog record in. What is not ours is passed over.
    pub(crate) fn take(&mut self, served: &ServedModel, record: &Record<'_>) -> Result<(), Fatal> {
        self.changelog_next = Some(record.offset + 1);
        let Some(key) = record.key.and_then(ChangelogKey::parse) else { return Ok(()) };
        let frame = record.payload.map(|payload| Frame::parse_for(served.hash, payload)).transpose();
        match (key, frame) {
            (ChangelogKey::Row { table, key }, Ok(None)) => {
                if let Some(rows) = self.shard.rows_mut().table_mut(table) {
                    rows.remove(key);
                }
            }
            (ChangelogKey::Row { table, key }, Ok(Some(Frame::Row(row)))) => {
                self.words.clear();
                row.copy_words(&mut self.words);
                if let Some(rows) = self.shard.rows_mut().table_mut(table) {
                    rows.put(key, row.name, &self.words);
                }
            }
            (ChangelogKey::Barrier, Ok(Some(Frame::Barrier(barrier)))) => self.take_barrier(served, &barrier)?,
            _ => return Ok(()),
        }
        self.taken += 1;
        Ok(())
    }

    fn take_barrier(&mut self, served: &ServedModel, barrier: &BarrierValue<'_>) -> Result<(), Fatal> {
        let layout = barrier.layout().map_err(|error| Fatal::new(error.to_string()))?;
        served.layout.check(&layout).map_err(Fatal::new)?;
        let sources = barrier.positions().map(|done| {
            (done.source, SourceState { next: position_from_wire(done.position), parts_done: done.parts_done })
        });
        self.barrier = Some(Barrier { push_next: barrier.push_next, sources: sources.collect() });
        Ok(())
    }

    pub(crate) fn into_restored(mut self, push_next: u64) -> Restored<M> {
        let tables: Vec<u8> = self.shard.rows().tables().map(|(id, _)| id).collect();
        for id in tables {
            if let Some(table) = self.shard.rows_mut().table_mut(id) {
                // The changelog has these rows; the store has those of the tail not yet.
                table.clear_published();
            }
        }
        self.shard.restore(self.barrier.unwrap_or_default());
        let stored = (self.taken == 0).then_some(push_next);
        Restored { shard: self.shard, store: self.store, push_next, changelog_next: self.changelog_next, stored }
    }
}
