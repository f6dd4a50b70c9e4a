//! The loop that owns the shards, and the threads around it.

mod publishing;
mod storing;
mod threads;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use crossbeam_channel::{Receiver, Sender, never, select};
use weir_kafka::{Committed, Member, MemberEvent, OutRecord, Reader, StartAt, Transaction};
use weir_models::InputModel;
use weir_models::frames::encode_reply;
use weir_ps::Reply;
use weir_runtime::{BrokerWatch, Context, HealthPart, Moved};
use weir_store::Store;

use crate::frames::PushRecord;
use crate::model::{ROLE, ServedModel};
use crate::publish::{Destination, Pace};
use crate::read::{LogEvent, PullEvent, read_recent_pulls};
use crate::restore::{Loaded, Loader, Restorer, now_ms};
use crate::shards::{Answer, Owned, Shards, answer, unpublished};
use crate::store::{StoreJob, Stored};
use crate::watch::Watch;
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
    std::thread::scope(|scope| {
        // Beside the start of the producer, which may take a second.
        let opening = scope.spawn(|| {
            let store = storing::open_store(served, context)?;
            let loaded = Loader { model, served, context, store: store.as_ref() }.load_all()?;
            anyhow::Ok((store, loaded))
        });
        threads::run(model, served, context, |channels| {
            let (store, loaded) = opening.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Role::new(model, served, context, health, (store.as_ref(), loaded), channels).until_shutdown()
        })
    })
}

/// The loop's ends of its channels, and the clients that it calls itself.
pub(crate) struct Channels {
    pub(crate) member: Arc<Member>,
    pub(crate) pulls_reader: Arc<Reader>,
    pub(crate) replies: weir_kafka::Sender,
    pub(crate) log: Receiver<LogEvent>,
    pub(crate) pulls: Receiver<PullEvent>,
    pub(crate) transactions: Sender<Transaction>,
    pub(crate) producer_stats: Arc<weir_kafka::Stats>,
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
    watch: Watch,
    /// None where the disk does not let it be opened: then all is in memory and in the changelog.
    store: Option<&'a Store>,
    /// Until the group gives shards for the first time.
    loaded: Loaded<M>,
    channels: Channels,
    destination: Destination,
    reply_topic: Arc<str>,
    push_topic: Arc<str>,
    shards: Shards<M>,
    publishing: Option<Publishing>,
    pace: Pace,
    began: Instant,
    storing: usize,
    /// When to look whether the disk takes the store again, if it does not.
    room_due: Instant,
    delete_due: Instant,
}

impl<'a, M: InputModel> Role<'a, M> {
    fn new(
        model: &'a M,
        served: &'a ServedModel,
        context: &'a Context,
        health: &'a HealthPart,
        (store, loaded): (Option<&'a Store>, Loaded<M>),
        channels: Channels,
    ) -> Self {
        let (now, settings) = (Instant::now(), &context.settings.server);
        context.metrics.role_begins(ROLE, served.name());
        context.metrics.server.begins(served.name());
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
            watch: Watch::new(served.name(), Arc::clone(&channels.producer_stats)),
            store,
            loaded,
            channels,
            destination,
            reply_topic: served.topics.replies.as_str().into(),
            push_topic: served.topics.pushes.as_str().into(),
            shards: Shards::new(),
            publishing: None,
            pace: Pace::new(settings.publish_share, settings.publish_max_rows, now),
            began: now,
            storing: 0,
            room_due: now + storing::look_for_room_after(settings),
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
            self.store_if_due()?;
            self.look_for_room()?;
            self.delete_if_due();
        }
        self.hand_over()
    }

    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    fn on_log(&mut self, event: LogEvent) -> anyhow::Result<()> {
        match event {
            LogEvent::Record { shard, offset, written_ms, record } => {
                // Records that were read before a revocation and not taken in: their new owner reads them (rule 14).
                let Some(owned) = self.shards.get_mut(&shard) else { return Ok(()) };
                let is_push = matches!(record, PushRecord::Push { .. });
                let answer = owned.take(self.served, self.context, (shard, offset), record)?;
                if let Some(written_ms) = written_ms.filter(|_| is_push) {
                    let took = Duration::from_millis(now_ms().saturating_sub(written_ms).max(0) as u64);
                    self.context.metrics.server.push_applied(self.served.name(), took);
                }
                self.pace.pushed(Instant::now());
                if let Some(Answer { reply_to, value }) = answer {
                    self.send(reply_to, value);
                }
                Ok(())
            }
            LogEvent::Rebalance(MemberEvent::Assigned(partitions)) => {
                self.context.metrics.rebalanced(ROLE, self.served.name(), Moved::Assigned);
                self.take_over(&partitions)
            }
            LogEvent::Rebalance(MemberEvent::Revoked { lost, .. }) => {
                let moved = if lost { Moved::Lost } else { Moved::Revoked };
                self.context.metrics.rebalanced(ROLE, self.served.name(), moved);
                self.give_up(lost)
            }
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
        let member = self.channels.member.stats();
        self.broker.look(member.connected(), self.context);
        let open = self.publishing.as_ref().map(Publishing::began);
        self.watch.look(member, open, &self.shards, &self.context.metrics);
        replies.iter().try_for_each(|reply| self.reply(reply))
    }

    fn reply(&self, reply: &Reply) -> anyhow::Result<()> {
        let value = encode_reply(self.served.hash, &*self.served.description.schema, reply)?;
        self.send(reply.reply_to, value);
        Ok(())
    }

    /// A reply that cannot be sent is one that got lost: it will be asked for again.
    fn send(&self, reply_to: u32, value: Vec<u8>) {
        self.context.metrics.server.replied_bytes(self.served.name(), value.len());
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
        let loader = Loader { model, served, context, store: self.store };
        let restorer = Restorer { loader, member: &self.channels.member };
        let restored = restorer.restore(partitions, std::mem::take(&mut self.loaded))?;
        let starts: Vec<(u32, StartAt)> =
            restored.iter().map(|(&shard, restored)| (shard, StartAt::Offset(restored.push_next))).collect();
        let interval = Duration::from_millis(context.settings.server.store_interval_ms);
        let owned = restored.into_iter().map(|(shard, restored)| (shard, Owned::new(restored, interval)));
        self.shards = owned.collect();
        for &shard in partitions {
            context.metrics.server.taken_over(served.name(), shard);
        }
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
        self.forget_shards();
        Ok(())
    }

    /// Their next owner's figures count from now on.
    fn forget_shards(&mut self) {
        self.watch.end(&self.context.metrics);
        for shard in std::mem::take(&mut self.shards).into_keys() {
            self.context.metrics.server.shard_gone(self.served.name(), shard, self.served.table_names());
        }
    }

    /// Publishes and stores the last state, so that the next start has nothing to read again.
    fn hand_over(&mut self) -> anyhow::Result<()> {
        self.health.not_ready("shutting down");
        self.publish_rest()?;
        self.store_rest()
    }
}

impl<M: InputModel> Drop for Role<'_, M> {
    /// A role that fails has not given its shards up, and others may have them before it is back. What it was
    /// publishing has failed, or is given up with it.
    fn drop(&mut self) {
        if self.publishing.is_some() {
            self.context.metrics.transaction_failed(ROLE, self.served.name());
        }
        self.forget_shards();
    }
}
