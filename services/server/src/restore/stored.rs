//! The first step of a restore: what the local store has.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use weir_ps::{Barrier, Model, Position, Shard, SourceState};
use weir_runtime::Context;
use weir_store::{Meta, Store};

use super::now_ms;
use super::tail::Tail;
use crate::model::ServedModel;

/// How long a held pull may wait; whoever still needs it has asked again long before.
const HELD_MS: u64 = 30_000;
/// A store older than half of the changelog's `delete.retention.ms` (a day) may miss deletions that are gone from there.
const STORE_MAX_AGE_MS: i64 = 12 * 3_600 * 1_000;

/// Shards as the store has them.
pub(crate) type Loaded<M> = BTreeMap<u32, Tail<M>>;

/// What loading needs to know.
pub(crate) struct Loader<'a, M: Model> {
    pub(crate) model: &'a M,
    pub(crate) served: &'a ServedModel,
    pub(crate) context: &'a Context,
    pub(crate) store: Option<&'a Store>,
}

impl<M: Model> Loader<'_, M> {
    /// Loads all shards that the store has. A server that starts again is mostly given those that it had, so this need not
    /// wait until the group says so.
    ///
    /// # Errors
    /// As [`Loader::load`].
    pub(crate) fn load_all(&self) -> anyhow::Result<Loaded<M>> {
        let (began, mut loaded) = (Instant::now(), Loaded::new());
        let Some(store) = self.store else { return Ok(loaded) };
        for shard in 0..self.served.description.partitioner.shards() {
            if store.has_shard(&shard.to_string()) {
                loaded.insert(shard, self.load(shard)?);
            }
        }
        self.context.metrics.server.restore_phase(self.served.name(), "store", began.elapsed());
        Ok(loaded)
    }

    /// Loads one shard from the store, or begins an empty one where that is of no use.
    ///
    /// # Errors
    /// What is of no use cannot be cleared.
    pub(crate) fn load(&self, partition: u32) -> anyhow::Result<Tail<M>> {
        let Some(store) = self.store else { return Ok(Tail::new(self.empty(partition), None, None)) };
        let stored = store.shard(&partition.to_string())?;
        let (shard, meta) = match self.read(partition, &stored) {
            Ok((shard, Some(meta))) => match self.why_useless(&meta) {
                None => (shard, Some(meta)),
                Some(reason) => {
                    self.discard(partition, &stored, reason, &reason)?;
                    (self.empty(partition), None)
                }
            },
            Ok((shard, None)) => (shard, None),
            Err(error) => {
                self.discard(partition, &stored, "damaged", &error)?;
                (self.empty(partition), None)
            }
        };
        Ok(Tail::new(shard, Some(Arc::new(stored)), meta.map(|meta| (meta.changelog_next, barrier_of(&meta)))))
    }

    fn read(
        &self,
        partition: u32,
        stored: &weir_store::Shard,
    ) -> Result<(Shard<M::Server>, Option<Meta>), weir_store::Error> {
        let mut shard = self.empty(partition);
        let mut words = Vec::new();
        let meta = stored.load(&mut |block| {
            let Some(table) = shard.rows_mut().table_mut(block.table) else { return };
            words.resize(table.width(), 0);
            for row in block.rows() {
                row.words.copy_to(&mut words);
                table.load(block.block, row.slot, row.key, row.name, &words);
            }
        })?;
        let tables = self.served.description.schema.tables().len() as u8;
        (0..tables).filter_map(|id| shard.rows_mut().table_mut(id).map(weir_ps::RowTable::finish_load)).for_each(drop);
        Ok((shard, meta))
    }

    fn why_useless(&self, meta: &Meta) -> Option<&'static str> {
        if meta.cluster_id != self.served.cluster_id {
            return Some("other_cluster");
        }
        if self.served.layout.check_topics(&meta.topic_ids).is_err() {
            return Some("other_topics");
        }
        if meta.layout != self.served.stored_layout {
            return Some("other_layout");
        }
        (now_ms() - meta.stored_at_ms > STORE_MAX_AGE_MS).then_some("too_old")
    }

    pub(crate) fn discard(
        &self,
        partition: u32,
        stored: &weir_store::Shard,
        reason: &'static str,
        detail: &dyn std::fmt::Display,
    ) -> anyhow::Result<()> {
        tracing::warn!(model = self.served.name(), shard = partition, %detail, "store discarded, rebuilt from the changelog");
        self.context.metrics.server.store_discarded(reason);
        stored.clear().context("clear a discarded store")
    }

    pub(crate) fn empty(&self, partition: u32) -> Shard<M::Server> {
        let max_held = self.context.settings.server.pending_pulls;
        Shard::new(partition, self.model.server(), self.model.schema(), max_held, HELD_MS)
    }
}

fn barrier_of(meta: &Meta) -> Barrier {
    let state = |position: &weir_store::Position| {
        let next = Position { pass: position.pass, sequence: position.sequence };
        (position.source, SourceState { next, parts_done: position.parts_done })
    };
    Barrier { push_next: meta.push_next, sources: meta.positions.iter().map(state).collect() }
}
