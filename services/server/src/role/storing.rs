//! How the loop stores: one shard at a time, beside everything else.

use std::time::{Duration, Instant};

use weir_models::InputModel;
use weir_ps::{Barrier, Model};
use weir_runtime::{Context, ServerSettings};
use weir_store::Store;

use super::{COMMIT_PATIENCE, Role};
use crate::model::ServedModel;
use crate::shards::Owned;
use crate::store::{Snapshot, StoreJob, Stored, has_room};

/// After so many store intervals it is tried again whether the disk takes a store that it has refused.
const LOOK_FOR_ROOM_INTERVALS: u64 = 3;

pub(super) fn look_for_room_after(settings: &ServerSettings) -> Duration {
    Duration::from_millis(LOOK_FOR_ROOM_INTERVALS * settings.store_interval_ms)
}

/// Opens the local store. Where the disk refuses, the server goes on without one: it is only a copy.
pub(super) fn open_store(served: &ServedModel, context: &Context) -> anyhow::Result<Option<Store>> {
    match Store::open(served.store_directory(context)) {
        Ok(opened) => {
            if let Some(aside) = opened.moved_aside {
                tracing::warn!(model = served.name(), aside = %aside.display(), "damaged store moved aside, will be rebuilt");
                context.metrics.server.store_discarded("damaged");
            }
            Ok(Some(opened.store))
        }
        Err(error @ weir_store::Error::Unusable { .. }) => {
            tracing::error!(model = served.name(), %error, "going on without a local store; a restart reads the whole changelog");
            context.metrics.server.store_discarded("unusable");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Copies what changed of a shard since it was stored the last time. Nothing is applied meanwhile.
pub(super) fn take_snapshot<M: Model>(
    served: &ServedModel,
    context: &Context,
    number: u32,
    owned: &mut Owned<M>,
    barrier: &Barrier,
) -> Result<Snapshot, weir_store::Error> {
    let began = Instant::now();
    let snapshot = Snapshot::take(number, owned.shard.rows_mut(), barrier, served.meta())?;
    context.metrics.server.store_paused(served.name(), began.elapsed());
    owned.store_due = began + Duration::from_millis(context.settings.server.store_interval_ms);
    owned.unstored_rows = 0;
    Ok(snapshot)
}

impl<M: InputModel> Role<'_, M> {
    /// The shard with something to publish that has been due to be stored for longest.
    pub(super) fn shard_to_store(&self, now: Instant) -> Option<u32> {
        let after_rows = self.context.settings.server.store_after_rows;
        let due = self.shards.iter().filter(|(_, owned)| owned.shard.has_news() && owned.is_store_due(after_rows, now));
        due.min_by_key(|(_, owned)| owned.store_due).map(|(&number, _)| number)
    }

    /// Stores a shard that is due and has nothing to publish, so that no publication would take it along.
    pub(super) fn store_if_due(&mut self) -> anyhow::Result<()> {
        if self.publishing.is_some() || self.storing > 0 {
            return Ok(());
        }
        let (now, after_rows) = (Instant::now(), self.context.settings.server.store_after_rows);
        let due = |owned: &Owned<M>| owned.is_store_due(after_rows, now) && is_ahead_of_store(owned);
        let found = self.shards.iter().find(|(_, owned)| due(owned)).map(|(&number, _)| number);
        found.map_or(Ok(()), |number| self.store_published(number))
    }

    /// Stores what is published and was not due to be stored yet.
    pub(super) fn store_rest(&mut self) -> anyhow::Result<()> {
        self.wait_for_stores()?;
        let ahead = self.shards.iter().filter(|(_, owned)| is_ahead_of_store(owned));
        for number in ahead.map(|(&number, _)| number).collect::<Vec<_>>() {
            self.store_published(number)?;
        }
        self.wait_for_stores()
    }

    /// Stores a shard at its last barrier, which must be what its rows are.
    fn store_published(&mut self, number: u32) -> anyhow::Result<()> {
        let Some(owned) = self.shards.get_mut(&number) else { return Ok(()) };
        let (Some(store), Some(changelog_next)) = (owned.store.clone(), owned.changelog_next) else { return Ok(()) };
        let barrier = owned.shard.barrier().clone();
        let mut snapshot = take_snapshot(self.served, self.context, number, owned, &barrier)?;
        snapshot.meta.changelog_next = changelog_next;
        owned.stored = Some(owned.published);
        self.channels.store_jobs.send(StoreJob::Write(store, snapshot))?;
        self.storing += 1;
        Ok(())
    }

    pub(super) fn wait_for_stores(&mut self) -> anyhow::Result<()> {
        while self.storing > 0 {
            let outcome = self.channels.stored.recv_timeout(COMMIT_PATIENCE)?;
            self.on_stored(outcome);
        }
        Ok(())
    }

    pub(super) fn on_stored(&mut self, outcome: Stored) {
        let (name, metrics) = (self.served.name(), &self.context.metrics.server);
        match outcome {
            Stored::Written { shard, written } => {
                self.storing -= 1;
                metrics.stored(name, shard, (written.bytes, written.disk_bytes), written.duration);
            }
            Stored::Failed { shard, error } => {
                self.storing -= 1;
                tracing::error!(model = name, shard, %error, "shard not stored; training goes on from memory, and a restart reads more instead");
                metrics.store_failed(name);
                // What changed since is no longer known to be complete: this store stays as it was.
                if let Some(owned) = self.shards.get_mut(&shard) {
                    owned.store = None;
                }
                self.room_due = Instant::now() + look_for_room_after(&self.context.settings.server);
            }
            Stored::Deleted { before, outcome: Ok(()) } => {
                for (shard, first) in before {
                    metrics.push_log_begins(name, shard, first);
                }
            }
            Stored::Deleted { outcome: Err(error), .. } => {
                tracing::warn!(model = name, %error, "applied push records not deleted, will be tried again");
            }
        }
    }

    /// Looks from time to time whether a disk that has refused the store takes it again. A store that has failed must be
    /// opened anew, and what is in memory must be told from what it has: starting the role over does both.
    ///
    /// # Errors
    /// There is room.
    pub(super) fn look_for_room(&mut self) -> anyhow::Result<()> {
        if Instant::now() < self.room_due {
            return Ok(());
        }
        self.room_due = Instant::now() + look_for_room_after(&self.context.settings.server);
        let refused = self.shards.values().any(|owned| owned.store.is_none());
        let directory = self.served.store_directory(self.context);
        anyhow::ensure!(
            !(refused && has_room(&directory)),
            "there is room in {} for the local store again; starting over to open it",
            directory.display()
        );
        Ok(())
    }

    /// Deletes what every restart would skip: push records below the committed barriers, by weir alone.
    pub(super) fn delete_if_due(&mut self) {
        if Instant::now() < self.delete_due {
            return;
        }
        self.delete_due = Instant::now() + Duration::from_millis(self.context.settings.server.delete_interval_ms);
        let before: Vec<(u32, u64)> = self.shards.iter().map(|(&shard, owned)| (shard, owned.published)).collect();
        if !before.is_empty() {
            // A full channel means that the thread is busy storing; the next deletion covers this one.
            let _ = self.channels.store_jobs.try_send(StoreJob::Delete(before));
        }
    }
}

/// Whether the shard's rows are a published state that its store does not have. With news they are ahead of the barrier.
fn is_ahead_of_store<M: Model>(owned: &Owned<M>) -> bool {
    owned.store.is_some()
        && owned.changelog_next.is_some()
        && owned.stored != Some(owned.published)
        && !owned.shard.has_news()
}
