//! How shards come back: the store, then the changelog's tail until its barrier is the one that the group has
//! committed, then the push log from there.

mod stored;
mod tail;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use weir_kafka::{Isolation, Member, MemberEvent, Reader, StartAt, Watermarks, committed_patience};
use weir_ps::{Model, Shard};
use weir_runtime::Fatal;

pub(crate) use stored::{Loaded, Loader};
use tail::Tail;

const LOOKUP: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);
const RECORDS: usize = 10_000;

/// A shard that is back, and where its push log goes on.
pub(crate) struct Restored<M: Model> {
    pub(crate) shard: Shard<M::Server>,
    pub(crate) store: Option<Arc<weir_store::Shard>>,
    pub(crate) push_next: u64,
    /// Where its changelog goes on behind the barrier, if there is one.
    pub(crate) changelog_next: Option<u64>,
    /// Push offset of the barrier that the store has, if it is the one above.
    pub(crate) stored: Option<u64>,
}

/// What restoring needs to know.
pub(crate) struct Restorer<'a, M: Model> {
    pub(crate) loader: Loader<'a, M>,
    pub(crate) member: &'a Member,
}

impl<M: Model> Restorer<'_, M> {
    /// Brings the shards of these partitions back, as far as they are `loaded` from there.
    ///
    /// # Errors
    /// Kafka or the store fails: start again. [`Fatal`] where what is left does not fit together.
    pub(crate) fn restore(
        &self,
        partitions: &[u32],
        mut loaded: Loaded<M>,
    ) -> anyhow::Result<BTreeMap<u32, Restored<M>>> {
        // Rule 24: without partitions not even a reader.
        if partitions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut tails: BTreeMap<u32, Tail<M>> = BTreeMap::new();
        let mut logs = BTreeMap::new();
        for &partition in partitions {
            // Before the changelog is read: push records are deleted below barriers that are in it by now. If this
            // server stands still and another one takes over, more will be deleted, and that is not a loss.
            logs.insert(partition, self.member.watermarks(partition, LOOKUP)?);
            let tail = match loaded.remove(&partition) {
                Some(tail) => tail,
                None => self.loader.load(partition)?,
            };
            tails.insert(partition, tail);
        }
        // Those that the group has not given are not needed.
        drop(loaded);
        let began = Instant::now();
        self.read_changelog(&mut tails)?;
        let (name, metrics) = (self.loader.served.name(), &self.loader.context.metrics.server);
        metrics.restore_phase(name, "changelog", began.elapsed());
        let both = tails.into_iter().zip(logs.into_values());
        both.map(|((partition, tail), log)| Ok((partition, self.finish(partition, tail, log)?))).collect()
    }

    fn read_changelog(&self, tails: &mut BTreeMap<u32, Tail<M>>) -> anyhow::Result<()> {
        let patience =
            committed_patience(Duration::from_millis(self.loader.context.settings.kafka.transaction_timeout_ms));
        let reader = self.open_reader(tails)?;
        let partitions: Vec<u32> = tails.keys().copied().collect();
        let (mut ended, mut silent_since) = (BTreeSet::new(), Instant::now());
        while ended.len() < partitions.len() {
            anyhow::ensure!(!self.loader.context.shutdown.is_requested(), "shut down while restoring");
            let (records, ends) = self.read(&reader, tails)?;
            if records > 0 {
                // A large changelog takes as long as it takes; only one that does not come is an error.
                silent_since = Instant::now();
            }
            let topic = &self.loader.served.topics.parameters;
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
            anyhow::ensure!(!self.loader.context.shutdown.is_requested(), "shut down while restoring");
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
        let (connection, topic) =
            (self.loader.served.connection(self.loader.context), &self.loader.served.topics.parameters);
        let reader = Reader::open(&connection, topic, &[], Isolation::ReadCommitted)?;
        for (&partition, tail) in tails.iter_mut() {
            let end = reader.watermarks(partition, LOOKUP)?.end;
            if tail.changelog_next().is_some_and(|next| next > end) {
                if let Some(store) = tail.store() {
                    self.loader.discard(partition, store, "beyond_changelog", &"it is ahead of the changelog")?;
                }
                tail.forget(self.loader.empty(partition));
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
                && let Err(error) = tail.take(self.loader.served, &record)
            {
                refused = Err(error);
            }
        })?;
        refused?;
        let end = |event| if let MemberEvent::EndOfPartition(partition) = event { Some(partition) } else { None };
        Ok((polled.records, polled.events.into_iter().filter_map(end).collect()))
    }

    fn finish(&self, partition: u32, tail: Tail<M>, log: Watermarks) -> anyhow::Result<Restored<M>> {
        let (first, end) = (log.first, log.end);
        let push_next = tail.barrier_next().unwrap_or(0);
        if push_next < first {
            anyhow::bail!(Fatal::new(format!(
                "{}: the push log of shard {partition} begins at offset {first}, but the changelog's barrier needs it \
                 from {push_next} on; the records between are lost: begin a new generation from the input topic, or stop \
                 all workers and servers and accept the loss with `weir accept-loss`",
                self.loader.served.topics.pushes
            )));
        }
        // Zero says that the store was all that was needed.
        let changelog_records = tail.taken();
        let push_records = end.saturating_sub(push_next);
        let metrics = &self.loader.context.metrics.server;
        metrics.shard_restored(self.loader.served.name(), partition, (changelog_records, push_records), first);
        let restored = tail.into_restored(push_next);
        let rows = restored.shard.rows().len();
        tracing::info!(
            model = self.loader.served.name(),
            shard = partition,
            rows,
            push_next,
            changelog_records,
            push_records,
            "shard restored"
        );
        Ok(restored)
    }

    fn disagreement(&self, partition: u32, barrier: Option<u64>, committed: Option<u64>) -> Fatal {
        let says = |offset: Option<u64>| offset.map_or("nothing".to_owned(), |offset| offset.to_string());
        Fatal::new(format!(
            "shard {partition}: the changelog {} ends with a barrier at push offset {}, but the group has committed {}; \
             somebody has reset the group's offset or deleted the changelog: restore the offset to the barrier's, or begin \
             a new generation from the input topic",
            self.loader.served.topics.parameters,
            says(barrier),
            says(committed)
        ))
    }
}

pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
