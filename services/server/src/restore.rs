//! How shards come back: the store, then the changelog's tail until its barrier is the one that the group has
//! committed, then the push log from there.

mod tail;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use weir_kafka::{Isolation, Member, MemberEvent, Reader, StartAt, committed_patience};
use weir_ps::{Barrier, Model, Position, Shard, SourceState};
use weir_runtime::{Context, Fatal};
use weir_store::{Meta, Store};

use crate::model::ServedModel;
use tail::Tail;

const LOOKUP: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);
const RECORDS: usize = 10_000;
/// How long a held pull may wait; whoever still needs it has asked again long before.
const HELD_MS: u64 = 30_000;
/// A store older than half of the changelog's `delete.retention.ms` (a day) may miss deletions that are gone from there.
const STORE_MAX_AGE_MS: i64 = 12 * 3_600 * 1_000;

/// A shard that is back, and where its push log goes on.
pub(crate) struct Restored<M: Model> {
    pub(crate) shard: Shard<M::Server>,
    pub(crate) store: Option<Arc<weir_store::Shard>>,
    pub(crate) push_next: u64,
}

/// What restoring needs to know.
pub(crate) struct Restorer<'a, M: Model> {
    pub(crate) model: &'a M,
    pub(crate) served: &'a ServedModel,
    pub(crate) context: &'a Context,
    pub(crate) store: &'a Store,
    pub(crate) member: &'a Member,
}

impl<M: Model> Restorer<'_, M> {
    /// Brings the shards of these partitions back.
    ///
    /// # Errors
    /// Kafka or the store fails: start again. [`Fatal`] where what is left does not fit together.
    pub(crate) fn restore(&self, partitions: &[u32]) -> anyhow::Result<BTreeMap<u32, Restored<M>>> {
        // Rule 24: without partitions not even a reader.
        if partitions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut tails: BTreeMap<u32, Tail<M>> = BTreeMap::new();
        for &partition in partitions {
            tails.insert(partition, self.load_stored(partition)?);
        }
        self.read_changelog(&mut tails)?;
        tails.into_iter().map(|(partition, tail)| Ok((partition, self.finish(partition, tail)?))).collect()
    }

    fn load_stored(&self, partition: u32) -> anyhow::Result<Tail<M>> {
        let stored = self.store.shard(&partition.to_string())?;
        let (shard, meta) = match self.load(partition, &stored) {
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
        Ok(Tail::new(shard, Arc::new(stored), meta.map(|meta| (meta.changelog_next, barrier_of(&meta)))))
    }

    fn load(
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

    fn discard(
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

    fn read_changelog(&self, tails: &mut BTreeMap<u32, Tail<M>>) -> anyhow::Result<()> {
        let patience = committed_patience(Duration::from_millis(self.context.settings.kafka.transaction_timeout_ms));
        let reader = self.open_reader(tails)?;
        let partitions: Vec<u32> = tails.keys().copied().collect();
        let (mut ended, mut silent_since) = (BTreeSet::new(), Instant::now());
        while ended.len() < partitions.len() {
            anyhow::ensure!(!self.context.shutdown.is_requested(), "shut down while restoring");
            let (records, ends) = self.read(&reader, tails)?;
            if records > 0 {
                // A large changelog takes as long as it takes; only one that does not come is an error.
                silent_since = Instant::now();
            }
            let topic = &self.served.topics.parameters;
            anyhow::ensure!(silent_since.elapsed() < patience, "nothing of {topic} read within {patience:?}");
            ended.extend(ends);
        }
        // Rule 19: markers reach partitions one by one, so the end that a reader sees may lie before the barrier
        // that belongs to the committed offset. The look-up itself may have waited for just that transaction, so the
        // time to read its barrier begins afterwards.
        let mut deadline = None;
        loop {
            let committed = self.member.committed(&partitions, patience)?;
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + patience);
            if self.are_whole(tails, &committed, Instant::now() < deadline)? {
                return Ok(());
            }
            anyhow::ensure!(!self.context.shutdown.is_requested(), "shut down while restoring");
            self.read(&reader, tails)?;
        }
    }

    /// Whether every shard's barrier is the one that is committed; `may_wait` says that one may still come.
    fn are_whole(
        &self,
        tails: &BTreeMap<u32, Tail<M>>,
        committed: &[Option<u64>],
        may_wait: bool,
    ) -> Result<bool, Fatal> {
        let mut whole = true;
        for ((&partition, tail), &committed) in tails.iter().zip(committed) {
            match tail.verdict(committed) {
                weir_ps::Restored::Whole => {}
                weir_ps::Restored::Behind if may_wait => whole = false,
                _ => return Err(self.disagreement(partition, tail.barrier_next(), committed)),
            }
        }
        Ok(whole)
    }

    fn open_reader(&self, tails: &mut BTreeMap<u32, Tail<M>>) -> anyhow::Result<Reader> {
        let (connection, topic) = (self.served.connection(self.context), &self.served.topics.parameters);
        let reader = Reader::open(&connection, topic, &[], Isolation::ReadCommitted)?;
        for (&partition, tail) in tails.iter_mut() {
            let end = reader.watermarks(partition, LOOKUP)?.end;
            if tail.changelog_next().is_some_and(|next| next > end) {
                self.discard(partition, tail.store(), "beyond_changelog", &"it is ahead of the changelog")?;
                tail.forget(self.empty(partition));
            }
        }
        let start = |tail: &Tail<M>| tail.changelog_next().map_or(StartAt::Beginning, StartAt::Offset);
        let starts: Vec<(u32, StartAt)> = tails.iter().map(|(&partition, tail)| (partition, start(tail))).collect();
        reader.reassign(&starts)?;
        Ok(reader)
    }

    /// Takes in what comes next and returns how much that was, and the partitions whose end was reached.
    fn read(&self, reader: &Reader, tails: &mut BTreeMap<u32, Tail<M>>) -> anyhow::Result<(usize, Vec<u32>)> {
        let mut refused = Ok(());
        let polled = reader.poll(POLL, RECORDS, &mut |record| {
            if let Some(tail) = tails.get_mut(&record.partition)
                && let Err(error) = tail.take(self.served, &record)
            {
                refused = Err(error);
            }
        })?;
        refused?;
        let end = |event| if let MemberEvent::EndOfPartition(partition) = event { Some(partition) } else { None };
        Ok((polled.records, polled.events.into_iter().filter_map(end).collect()))
    }

    fn finish(&self, partition: u32, tail: Tail<M>) -> anyhow::Result<Restored<M>> {
        let first = self.member.watermarks(partition, LOOKUP)?.first;
        let push_next = tail.barrier_next().unwrap_or(0);
        if push_next < first {
            anyhow::bail!(Fatal::new(format!(
                "{}: the push log of shard {partition} begins at offset {first}, but the changelog's barrier needs it \
                 from {push_next} on; the records between are lost: begin a new generation from the input topic",
                self.served.topics.pushes
            )));
        }
        let restored = tail.into_restored(push_next);
        let rows = restored.shard.rows().len();
        tracing::info!(model = self.served.name(), shard = partition, rows, push_next, "shard restored");
        Ok(restored)
    }

    fn disagreement(&self, partition: u32, barrier: Option<u64>, committed: Option<u64>) -> Fatal {
        let says = |offset: Option<u64>| offset.map_or("nothing".to_owned(), |offset| offset.to_string());
        Fatal::new(format!(
            "shard {partition}: the changelog {} ends with a barrier at push offset {}, but the group has committed {}; \
             somebody has reset the group's offset or deleted the changelog: restore the offset to the barrier's, or begin \
             a new generation from the input topic",
            self.served.topics.parameters,
            says(barrier),
            says(committed)
        ))
    }

    fn empty(&self, partition: u32) -> Shard<M::Server> {
        let max_held = self.context.settings.server.pending_pulls;
        Shard::new(partition, self.model.server(), self.model.schema(), max_held, HELD_MS)
    }
}

pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

fn barrier_of(meta: &Meta) -> Barrier {
    let state = |position: &weir_store::Position| {
        let next = Position { pass: position.pass, sequence: position.sequence };
        (position.source, SourceState { next, parts_done: position.parts_done })
    };
    Barrier { push_next: meta.push_next, sources: meta.positions.iter().map(state).collect() }
}
