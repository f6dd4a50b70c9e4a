//! The loop that owns the shards, and the threads around it.

mod publishing;
mod threads;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use crossbeam_channel::{Receiver, Sender, never, select};
use weir_kafka::{Committed, Member, MemberEvent, OutRecord, Reader, StartAt, Transaction};
use weir_models::InputModel;
use weir_models::frames::encode_reply;
use weir_ps::Reply;
use weir_runtime::{BrokerWatch, Context, HealthPart};
use weir_store::Store;

use crate::model::{ROLE, ServedModel};
use crate::publish::{Destination, Pace};
use crate::read::{LogEvent, PullEvent, read_recent_pulls};
use crate::restore::Restorer;
use crate::shards::{Answer, Shards, answer, unpublished};
use crate::store::{StoreJob, Stored};
use publishing::Publishing;

/// How long the loop waits for something to happen.
const TICK: Duration = Duration::from_millis(5);
/// Push records taken in before pulls get their turn again.
const RECORDS_AT_ONCE: usize = 128;
/// How long to wait for a transaction under way; its own calls end before, or the watchdog ends the process.
const COMMIT_PATIENCE: Duration = Duration::from_mins(1);

/// Runs the server of one model until the shutdown is requested.
///
/// # Errors
/// Anything that fails: start again. [`weir_runtime::Fatal`] where that cannot help.
pub fn run<M: InputModel>(
    model: &M,
    served: &ServedModel,
    context: &Context,
    health: &HealthPart,
) -> anyhow::Result<()> {
    let store = open_store(served, context)?;
    threads::run(model, served, context, |channels| {
        Role::new(model, served, context, health, &store, channels).until_shutdown()
    })
}

fn open_store(served: &ServedModel, context: &Context) -> anyhow::Result<Store> {
    let opened = Store::open(served.store_directory(context))?;
    if let Some(aside) = opened.moved_aside {
        tracing::warn!(model = served.name(), aside = %aside.display(), "damaged store moved aside, will be rebuilt");
        context.metrics.server.store_discarded("damaged");
    }
    Ok(opened.store)
}

/// The loop's ends of its channels, and the clients that it calls itself.
pub(crate) struct Channels {
    pub(crate) member: Arc<Member>,
    pub(crate) pulls_reader: Arc<Reader>,
    pub(crate) replies: weir_kafka::Sender,
    pub(crate) log: Receiver<LogEvent>,
    pub(crate) pulls: Receiver<PullEvent>,
    pub(crate) transactions: Sender<Transaction>,
    pub(crate) committed: Receiver<weir_kafka::Result<Committed>>,
    pub(crate) store_jobs: Sender<StoreJob>,
    pub(crate) stored: Receiver<Stored>,
}

struct Role<'a, M: InputModel> {
    model: &'a M,
    served: &'a ServedModel,
    context: &'a Context,
    health: &'a HealthPart,
    broker: BrokerWatch,
    store: &'a Store,
    channels: Channels,
    destination: Destination,
    reply_topic: Arc<str>,
    push_topic: Arc<str>,
    shards: Shards<M>,
    publishing: Option<Publishing>,
    pace: Pace,
    began: Instant,
    store_due: Instant,
    storing: usize,
    delete_due: Instant,
}

impl<'a, M: InputModel> Role<'a, M> {
    fn new(
        model: &'a M,
        served: &'a ServedModel,
        context: &'a Context,
        health: &'a HealthPart,
        store: &'a Store,
        channels: Channels,
    ) -> Self {
        let (now, settings) = (Instant::now(), &context.settings.server);
        let destination = Destination {
            model: served.hash,
            topic: served.topics.parameters.as_str().into(),
            outputs: format!("{}.outputs", served.description.group(&context.settings.prefix, ROLE)).into(),
            layout_json: Arc::clone(&served.layout_json),
        };
        Self {
            model,
            served,
            context,
            health,
            broker: BrokerWatch::new(health, ROLE, served.name(), "nothing is applied"),
            store,
            channels,
            destination,
            reply_topic: served.topics.replies.as_str().into(),
            push_topic: served.topics.pushes.as_str().into(),
            shards: Shards::new(),
            publishing: None,
            pace: Pace::new(settings.publish_share, settings.publish_max_rows, now),
            began: now,
            store_due: now + Duration::from_millis(settings.store_interval_ms),
            storing: 0,
            delete_due: now + Duration::from_millis(settings.delete_interval_ms),
        }
    }

    fn until_shutdown(&mut self) -> anyhow::Result<()> {
        self.health.not_ready("waiting for shards");
        let nothing = never();
        while !self.context.shutdown.is_requested() {
            let log = if self.pace.is_full(unpublished(&self.shards)) { &nothing } else { &self.channels.log };
            select! {
                recv(log) -> event => self.on_log(event?)?,
                recv(self.channels.pulls) -> event => self.on_pull(event?)?,
                recv(self.channels.committed) -> result => self.on_committed(result?)?,
                recv(self.channels.stored) -> outcome => self.on_stored(outcome?),
                default(TICK) => {}
            }
            let mut taken = 0;
            while taken < RECORDS_AT_ONCE
                && !self.pace.is_full(unpublished(&self.shards))
                && let Ok(event) = self.channels.log.try_recv()
            {
                taken += 1;
                self.on_log(event)?;
            }
            self.release()?;
            self.publish_if_due(self.channels.log.is_empty())?;
            self.delete_if_due();
        }
        self.hand_over()
    }

    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    fn on_log(&mut self, event: LogEvent) -> anyhow::Result<()> {
        match event {
            LogEvent::Record { shard, offset, record } => {
                // Records that were read before a revocation and not taken in: their new owner reads them (rule 14).
                let Some(owned) = self.shards.get_mut(&shard) else { return Ok(()) };
                let answer = owned.take(self.served, self.context, (shard, offset), record)?;
                self.pace.pushed(Instant::now());
                if let Some(Answer { reply_to, value }) = answer {
                    self.send(reply_to, value);
                }
                Ok(())
            }
            LogEvent::Rebalance(MemberEvent::Assigned(partitions)) => self.take_over(&partitions),
            LogEvent::Rebalance(MemberEvent::Revoked { lost, .. }) => self.give_up(lost),
            LogEvent::Rebalance(MemberEvent::EndOfPartition(_)) => Ok(()),
            LogEvent::Failed(error) => Err(error).context("read pushes"),
        }
    }

    fn on_pull(&mut self, event: PullEvent) -> anyhow::Result<()> {
        match event {
            PullEvent::Pull(pull) => {
                let now_ms = self.now_ms();
                match answer(&mut self.shards, self.served, self.context, pull, now_ms) {
                    Some(reply) => self.reply(&reply),
                    None => Ok(()),
                }
            }
            PullEvent::Skipped(reason) => {
                self.context.metrics.frame_skipped(ROLE, self.served.name(), reason);
                Ok(())
            }
            PullEvent::Failed(error) => Err(error).context("read pulls"),
        }
    }

    fn release(&mut self) -> anyhow::Result<()> {
        let now_ms = self.now_ms();
        let mut replies = Vec::new();
        for (&number, owned) in &mut self.shards {
            replies.extend(owned.shard.release(now_ms));
            owned.report(self.served, self.context, number);
        }
        self.broker.look(self.channels.member.stats().connected(), self.context);
        replies.iter().try_for_each(|reply| self.reply(reply))
    }

    fn reply(&self, reply: &Reply) -> anyhow::Result<()> {
        let value = encode_reply(self.served.hash, &*self.served.description.schema, reply)?;
        self.send(reply.reply_to, value);
        Ok(())
    }

    /// A reply that cannot be sent is one that got lost: it will be asked for again.
    fn send(&self, reply_to: u32, value: Vec<u8>) {
        let record = OutRecord::new(Arc::clone(&self.reply_topic), Some(reply_to), None, Some(value));
        if let Err(error) = self.channels.replies.send(&record) {
            tracing::debug!(model = self.served.name(), reply_to, %error, "reply not sent");
        }
    }

    /// Restores the shards that the group has given, then reads on.
    fn take_over(&mut self, partitions: &[u32]) -> anyhow::Result<()> {
        let began = Instant::now();
        self.health.not_ready(format!("restoring shards {partitions:?}"));
        // What is still being written of a former assignment must not change under the one who reads it.
        self.wait_for_stores()?;
        let (model, served, context) = (self.model, self.served, self.context);
        let restorer = Restorer { model, served, context, store: self.store, member: &self.channels.member };
        let restored = restorer.restore(partitions)?;
        let starts: Vec<(u32, StartAt)> =
            restored.iter().map(|(&shard, restored)| (shard, StartAt::Offset(restored.push_next))).collect();
        self.shards = restored.into_iter().map(|(shard, restored)| (shard, restored.into())).collect();
        read_recent_pulls(&self.channels.pulls_reader, partitions)?;
        self.channels.member.assign(&starts)?;
        if !partitions.is_empty() {
            context.metrics.server.restored(served.name(), began.elapsed());
        }
        self.health.ready();
        Ok(())
    }

    /// Ends what is under way, then lets go of all shards (rule 12).
    fn give_up(&mut self, lost: bool) -> anyhow::Result<()> {
        // Rule 14: nothing can be committed any more, so nothing here is worth keeping.
        anyhow::ensure!(!lost, "the group has given this member's shards to others");
        self.publish_rest()?;
        self.channels.pulls_reader.reassign(&[])?;
        self.channels.member.unassign()?;
        for &shard in self.shards.keys() {
            self.context.metrics.server.shard_gone(self.served.name(), shard);
        }
        self.shards.clear();
        Ok(())
    }

    /// Publishes and stores the last state, so that the next start has nothing to read again.
    fn hand_over(&mut self) -> anyhow::Result<()> {
        self.health.not_ready("shutting down");
        self.store_due = Instant::now();
        self.publish_rest()?;
        self.wait_for_stores()
    }

    fn wait_for_stores(&mut self) -> anyhow::Result<()> {
        while self.storing > 0 {
            let outcome = self.channels.stored.recv_timeout(COMMIT_PATIENCE)?;
            self.on_stored(outcome);
        }
        Ok(())
    }

    fn on_stored(&mut self, outcome: Stored) {
        match outcome {
            Stored::Written { shard, written } => {
                self.storing -= 1;
                self.context.metrics.server.stored(self.served.name(), shard, written.bytes, written.duration);
            }
            Stored::Failed { shard, error } => {
                self.storing -= 1;
                tracing::error!(model = self.served.name(), shard, %error, "shard not stored; a restart reads more instead");
                self.context.metrics.server.store_discarded("write_failed");
                // What changed since is no longer known to be complete: this store stays as it was.
                if let Some(owned) = self.shards.get_mut(&shard) {
                    owned.store = None;
                }
            }
            Stored::Deleted(Ok(())) => {}
            Stored::Deleted(Err(error)) => {
                tracing::warn!(model = self.served.name(), %error, "applied push records not deleted, will be tried again");
            }
        }
    }

    /// Deletes what every restart would skip: push records below the committed barriers, by weir alone.
    fn delete_if_due(&mut self) {
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
