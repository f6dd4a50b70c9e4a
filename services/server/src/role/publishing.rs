//! How the loop publishes: one transaction for all of its shards at a time.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use weir_kafka::{Committed, InputOffsets, OutRecord, Transaction};
use weir_models::InputModel;

use super::storing::take_snapshot;
use super::{COMMIT_PATIENCE, Role};
use crate::model::ROLE;
use crate::shards::unpublished;
use crate::store::{Snapshot, StoreJob};

/// A publication that is being committed.
pub(super) struct Publishing {
    began: Instant,
    /// Shard, index of its barrier record, changed rows, push offset.
    shards: Vec<(u32, usize, usize, u64)>,
    /// Of the one shard that is to be stored with it.
    snapshot: Option<Snapshot>,
    bytes: usize,
}

impl Publishing {
    pub(super) fn began(&self) -> Instant {
        self.began
    }
}

impl<M: InputModel> Role<'_, M> {
    pub(super) fn publish_rest(&mut self) -> anyhow::Result<()> {
        self.wait_for_commit()?;
        self.publish()?;
        self.wait_for_commit()
    }

    pub(super) fn wait_for_commit(&mut self) -> anyhow::Result<()> {
        if self.publishing.is_some() {
            let result = self.channels.committed.recv_timeout(COMMIT_PATIENCE)?;
            self.on_committed(result)?;
        }
        Ok(())
    }

    pub(super) fn publish_if_due(&mut self, idle: bool) -> anyhow::Result<()> {
        let rows = unpublished(&self.shards);
        if self.publishing.is_some() || !self.pace.is_due(rows, idle, Instant::now()) {
            return Ok(());
        }
        self.publish()
    }

    /// Hands everything that is new to the committing thread, in one transaction.
    fn publish(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        // One at a time: copying what changed of a shard holds up all of them.
        let to_store = self.shard_to_store(began).filter(|_| self.storing == 0);
        let mut publishing = Publishing { began, shards: Vec::new(), snapshot: None, bytes: 0 };
        let (mut records, mut next) = (Vec::new(), Vec::new());
        for (&number, owned) in &mut self.shards {
            if !owned.shard.has_news() {
                continue;
            }
            let publication = owned.shard.take_publication();
            let rows = records.len();
            let barrier = self.destination.append(&mut records, number, owned.shard.rows(), &publication)?;
            let push_next = publication.barrier.push_next;
            next.push((number, push_next));
            publishing.shards.push((number, barrier, barrier - rows, push_next));
            owned.unstored_rows += (barrier - rows) as u64;
            if to_store == Some(number) {
                let snapshot = take_snapshot(self.served, self.context, number, owned, &publication.barrier)?;
                publishing.snapshot = Some(snapshot);
            }
        }
        if next.is_empty() {
            return Ok(());
        }
        publishing.bytes = records.iter().map(OutRecord::bytes).sum();
        let metadata = self.channels.member.group_metadata()?;
        let offsets = Some(InputOffsets { metadata, topic: Arc::clone(&self.push_topic), next });
        self.channels.transactions.send(Transaction { records, offsets })?;
        self.publishing = Some(publishing);
        Ok(())
    }

    pub(super) fn on_committed(&mut self, result: weir_kafka::Result<Committed>) -> anyhow::Result<()> {
        let committed = result.context("publish")?;
        let metrics = &self.context.metrics;
        let Some(publishing) = self.publishing.take() else { return Ok(()) };
        metrics.transaction_committed(ROLE, self.served.name(), committed.duration);
        metrics.server.published_bytes(self.served.name(), publishing.bytes);
        self.pace.done(publishing.began, publishing.began.elapsed());
        let changelog_next = |index: usize| committed.offsets.get(index).map_or(0, |offset| offset + 1);
        for &(shard, barrier, rows, push_next) in &publishing.shards {
            let took = publishing.began.elapsed();
            metrics.server.published(self.served.name(), shard, rows, took, push_next);
            if let Some(owned) = self.shards.get_mut(&shard) {
                owned.published = push_next;
                owned.changelog_next = Some(changelog_next(barrier));
            }
            tracing::trace!(shard, rows, push_next, changelog_next = changelog_next(barrier), "published");
        }
        if let Some(mut snapshot) = publishing.snapshot {
            let barrier = publishing.shards.iter().find(|(shard, ..)| *shard == snapshot.shard);
            if let (Some(&(_, barrier, ..)), Some(owned)) = (barrier, self.shards.get_mut(&snapshot.shard))
                && let Some(store) = owned.store.clone()
            {
                owned.stored = Some(snapshot.meta.push_next);
                snapshot.meta.changelog_next = changelog_next(barrier);
                self.channels.store_jobs.send(StoreJob::Write(store, snapshot))?;
                self.storing += 1;
            }
        }
        Ok(())
    }
}
