//! The logs of one model, and how far back they reach.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use weir_kafka::{
    Admin, Connection, IdleGroup, Isolation, MemberEvent, Reader, Record, StartAt, Watermarks, committed_patience,
};
use weir_models::Description;
use weir_runtime::Settings;
use weir_wire::Frame;
use weir_wire::frame::ChangelogKey;

use super::loss::{Beginnings, LostEvents, LostPushes};
use crate::topics;

const POLL: Duration = Duration::from_millis(100);
const RECORDS: usize = 10_000;
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What an operator's command sees of a model whose roles do not run.
pub(crate) struct Logs<'a> {
    admin: &'a Admin,
    connection: Connection,
    description: &'a Description,
    patience: Duration,
    pub(crate) pushes: Arc<str>,
    pub(crate) parameters: Arc<str>,
    pub(super) servers: IdleGroup,
    pub(crate) workers: IdleGroup,
}

/// A shard's last barrier, as far as it matters here.
struct Barrier {
    push_next: u64,
    layout_json: Vec<u8>,
}

impl<'a> Logs<'a> {
    /// # Errors
    /// One of the topics is not there, or cannot be looked at.
    pub(crate) fn open(admin: &'a Admin, description: &'a Description, settings: &Settings) -> anyhow::Result<Self> {
        let (connection, names) = (topics::connection(settings), description.topics(&settings.prefix));
        for topic in [&names.pushes, &names.parameters, &description.input.to_string()] {
            anyhow::ensure!(
                admin.partition_count(topic)?.is_some(),
                "there is no topic {topic}: nothing was learned yet"
            );
        }
        let patience = committed_patience(Duration::from_millis(settings.kafka.transaction_timeout_ms));
        let group = |role: &str, topic: &str| {
            IdleGroup::open(&connection, &description.group(&settings.prefix, role), topic, patience)
        };
        Ok(Self {
            admin,
            description,
            patience,
            servers: group("server", &names.pushes)?,
            workers: group("worker", &description.input)?,
            pushes: names.pushes.into(),
            parameters: names.parameters.into(),
            connection,
        })
    }

    /// Makes sure that no role of the model runs.
    pub(crate) fn check_idle(&self) -> weir_kafka::Result<()> {
        self.servers.check_idle()?;
        self.workers.check_idle()
    }

    /// Shards whose push log begins behind their barrier.
    pub(super) fn lost_pushes(&self) -> anyhow::Result<Vec<LostPushes>> {
        let shards: Vec<u32> = (0..self.description.partitioner.shards()).collect();
        let mut lost = Vec::new();
        for (shard, committed) in shards.iter().copied().zip(self.servers.committed(&shards)?) {
            let first = self.admin.watermarks(&self.pushes, shard, Isolation::ReadCommitted)?.first;
            if committed.unwrap_or(0) < first {
                lost.extend(self.lost_of(shard, first)?);
            }
        }
        Ok(lost)
    }

    fn lost_of(&self, shard: u32, next: u64) -> anyhow::Result<Option<LostPushes>> {
        let Some(Barrier { push_next, layout_json }) = self.barrier(shard)? else {
            anyhow::bail!(
                "shard {shard} of model {} has published nothing yet and its push log is cut: there is nothing to go on \
                 from; begin a new generation under another prefix",
                self.description.name
            )
        };
        if push_next >= next {
            return Ok(None);
        }
        let committed = self.input_committed()?;
        self.wait_until_settled(shard)?;
        let mut beginnings = Beginnings::default();
        self.read(&self.pushes, shard, next, &mut |record| {
            let frame = Frame::parse_for(self.description.hash(), record.payload.unwrap_or_default());
            if let Ok(Frame::Push(push)) = frame {
                beginnings.take(&push);
            }
        })?;
        let sources = beginnings.complete(committed);
        Ok(Some(LostPushes { shard, first: push_next, next, sources, layout_json }))
    }

    /// Input partitions that begin behind what is learned of them.
    pub(super) fn lost_events(&self) -> anyhow::Result<Vec<LostEvents>> {
        let input = &self.description.input;
        let mut lost = Vec::new();
        for (partition, first) in self.input_committed()? {
            let next = self.admin.watermarks(input, partition, Isolation::ReadCommitted)?.first;
            if first < next {
                lost.push(LostEvents { partition, first, next });
            }
        }
        Ok(lost)
    }

    /// What workers have committed of the input, where they have.
    fn input_committed(&self) -> anyhow::Result<BTreeMap<u32, u64>> {
        let partitions: Vec<u32> = (0..self.admin.partition_count(&self.description.input)?.unwrap_or(0)).collect();
        let committed = self.workers.committed(&partitions)?;
        Ok(partitions.into_iter().zip(committed).filter_map(|(partition, next)| Some((partition, next?))).collect())
    }

    /// Waits until no transaction is open in a shard's push log: a dead worker's may still become committed there.
    fn wait_until_settled(&self, shard: u32) -> anyhow::Result<()> {
        let end = |isolation| Ok::<_, weir_kafka::Error>(self.admin.watermarks(&self.pushes, shard, isolation)?.end);
        let deadline = Instant::now() + self.patience;
        while end(Isolation::ReadCommitted)? < end(Isolation::ReadUncommitted)? {
            anyhow::ensure!(Instant::now() < deadline, "a transaction hangs in {} partition {shard}", self.pushes);
            thread::sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    fn barrier(&self, shard: u32) -> anyhow::Result<Option<Barrier>> {
        let (mut last, first) = (None, self.changelog(shard)?.first);
        self.read(&self.parameters, shard, first, &mut |record| {
            if record.key.and_then(ChangelogKey::parse) == Some(ChangelogKey::Barrier)
                && let Ok(Frame::Barrier(barrier)) =
                    Frame::parse_for(self.description.hash(), record.payload.unwrap_or_default())
            {
                last = Some(Barrier { push_next: barrier.push_next, layout_json: barrier.layout_json.to_vec() });
            }
        })?;
        Ok(last)
    }

    /// Where the changelog of a shard begins and ends.
    pub(crate) fn changelog(&self, shard: u32) -> weir_kafka::Result<Watermarks> {
        self.admin.watermarks(&self.parameters, shard, Isolation::ReadCommitted)
    }

    /// Reads committed records from an offset to the end that is there now.
    pub(crate) fn read(
        &self,
        topic: &str,
        partition: u32,
        from: u64,
        on_record: &mut dyn FnMut(Record<'_>),
    ) -> anyhow::Result<()> {
        read_to_end(&self.connection, topic, partition, from, self.patience, on_record)
    }
}

/// Reads committed records from an offset to the end that is there now.
///
/// # Errors
/// Nothing is read for as long as `patience`, or reading fails.
pub(crate) fn read_to_end(
    connection: &Connection,
    topic: &str,
    partition: u32,
    from: u64,
    patience: Duration,
    on_record: &mut dyn FnMut(Record<'_>),
) -> anyhow::Result<()> {
    let starts = [(partition, StartAt::Offset(from))];
    let reader = Reader::open(connection, topic, &starts, Isolation::ReadCommitted)?;
    let mut silent_since = Instant::now();
    loop {
        let polled = reader.poll(POLL, RECORDS, on_record)?;
        if polled.events.contains(&MemberEvent::EndOfPartition(partition)) {
            return Ok(());
        }
        if polled.records > 0 {
            silent_since = Instant::now();
        }
        anyhow::ensure!(silent_since.elapsed() < patience, "nothing of {topic} read within {patience:?}");
    }
}
