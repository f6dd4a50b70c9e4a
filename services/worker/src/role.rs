//! The loop that learns, and the threads around it.

mod report;
mod threads;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use crossbeam_channel::{Receiver, Sender, select};
use weir_kafka::{Committed, Member, MemberEvent, OutRecord, StartAt, Transaction, committed_patience};
use weir_models::InputModel;
use weir_models::frames::encode_pull;
use weir_ps::{Model, PositionQuery, TakeOverError, Worker, WorkerLogic, WorkerStats};
use weir_runtime::{BrokerWatch, Context, Fatal, HealthPart, Moved};
use weir_wire::frame::{QueryHead, RequestId, encode_query};

use crate::commit::{StepInfo, transaction_of};
use crate::input::{Cut, InputEvent};
use crate::model::{ROLE, TrainedModel, worker_settings};
use crate::replies::ReplyEvent;
use crate::room::Room;
use crate::watch::Watch;

/// How long the loop waits for something to happen.
const TICK: Duration = Duration::from_millis(5);
/// Replies taken in before the rest gets its turn again.
const REPLIES_AT_ONCE: usize = 64;
/// Pushes of a transaction, about: more would hold others' back for longer than it saves.
const STEP_BYTES: usize = 8 << 20;
/// How long to wait for a transaction under way; its own calls end before, or the watchdog ends the process.
const COMMIT_PATIENCE: Duration = Duration::from_mins(1);
/// How long to wait for the shards' answers before they are asked again.
const QUERY_TIMEOUT: Duration = Duration::from_secs(2);
const LOOKUP: Duration = Duration::from_secs(10);

type Event<M> = <<M as Model>::Worker as WorkerLogic>::Event;

/// Runs the worker of one model until the shutdown is requested.
///
/// # Errors
/// Anything that fails: start again. [`Fatal`] where that cannot help.
pub fn run<M: InputModel>(
    model: &M,
    trained: &TrainedModel,
    context: &Context,
    health: &HealthPart,
) -> anyhow::Result<()> {
    threads::run(model, trained, context, |channels| {
        Role::new(model, trained, context, health, channels).until_shutdown()
    })
}

/// The loop's ends of its channels, and the clients that it calls itself.
pub(crate) struct Channels<'a, E> {
    pub(crate) member: Arc<Member>,
    pub(crate) pulls: weir_kafka::Sender,
    pub(crate) room: &'a Room,
    pub(crate) instance: u64,
    pub(crate) reply_to: u32,
    pub(crate) input: Receiver<InputEvent<E>>,
    pub(crate) replies: Receiver<ReplyEvent>,
    pub(crate) transactions: Sender<Transaction>,
    pub(crate) producer_stats: Arc<weir_kafka::Stats>,
    pub(crate) committed: Receiver<weir_kafka::Result<Committed>>,
}

/// A transaction that is being committed.
enum Committing {
    Step(StepInfo),
    Query(Instant),
}

impl Committing {
    fn began(&self) -> Instant {
        match self {
            Self::Step(info) => info.began,
            Self::Query(began) => *began,
        }
    }
}

/// Source partitions that the group has given, before the shards have said how far they are.
struct Assigning {
    began: Instant,
    committed: BTreeMap<u32, Option<u64>>,
    query: PositionQuery,
    asked: Option<Instant>,
}

struct Role<'a, M: InputModel> {
    trained: &'a TrainedModel,
    context: &'a Context,
    health: &'a HealthPart,
    channels: Channels<'a, Event<M>>,
    worker: Worker<M::Worker>,
    /// Batches received of each source partition since it was assigned.
    received: BTreeMap<u32, u64>,
    assigning: Option<Assigning>,
    committing: Option<Committing>,
    queries: u64,
    began: Instant,
    push_topic: Arc<str>,
    pull_topic: Arc<str>,
    broker: BrokerWatch,
    watch: Watch,
    reported: Option<(WorkerStats, [usize; 4])>,
}

impl<'a, M: InputModel> Role<'a, M> {
    fn new(
        model: &M,
        trained: &'a TrainedModel,
        context: &'a Context,
        health: &'a HealthPart,
        channels: Channels<'a, Event<M>>,
    ) -> Self {
        let settings = worker_settings(trained, context, channels.reply_to);
        context.metrics.role_begins(ROLE, trained.name());
        context.metrics.worker.begins(
            trained.name(),
            &trained.input,
            weir_wire::Reason::ALL.map(weir_wire::Reason::as_str),
        );
        Self {
            trained,
            context,
            health,
            worker: Worker::new(model.worker(), model.schema(), settings, channels.instance),
            received: BTreeMap::new(),
            assigning: None,
            committing: None,
            queries: 0,
            began: Instant::now(),
            push_topic: trained.topics.pushes.as_str().into(),
            pull_topic: trained.topics.pulls.as_str().into(),
            broker: BrokerWatch::new(health, ROLE, trained.name(), "nothing is learned"),
            watch: Watch::new(trained.name(), Arc::clone(&channels.producer_stats)),
            reported: None,
            channels,
        }
    }

    fn until_shutdown(&mut self) -> anyhow::Result<()> {
        self.health.not_ready("waiting for source partitions");
        while !self.context.shutdown.is_requested() {
            select! {
                recv(self.channels.input) -> event => self.on_input(event?)?,
                recv(self.channels.replies) -> event => self.on_reply(event?)?,
                recv(self.channels.committed) -> result => self.on_committed(result?)?,
                default(TICK) => {}
            }
            let mut taken = 0;
            while taken < REPLIES_AT_ONCE
                && let Ok(event) = self.channels.replies.try_recv()
            {
                taken += 1;
                self.on_reply(event)?;
            }
            self.advance()?;
        }
        self.health.not_ready("shutting down");
        self.finish()
    }

    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    /// Sends, commits and grants whatever may go now.
    fn advance(&mut self) -> anyhow::Result<()> {
        self.worker.tick(self.now_ms());
        for pull in self.worker.take_pulls() {
            let value = encode_pull(self.trained.hash, &pull)?;
            self.context.metrics.worker.pulled_bytes(self.trained.name(), value.len());
            let record = OutRecord::new(Arc::clone(&self.pull_topic), Some(pull.shard), None, Some(value));
            // A pull that cannot be sent is one that got lost: it will be asked again.
            if let Err(error) = self.channels.pulls.send(&record) {
                tracing::debug!(model = self.trained.name(), shard = pull.shard, %error, "pull not sent");
            }
        }
        self.commit()?;
        self.ask_shards()?;
        for (&source, &received) in &self.received {
            self.channels.room.grant(source, received, self.worker.in_flight_of(source), self.worker.room(source));
        }
        self.report();
        Ok(())
    }

    fn on_input(&mut self, event: InputEvent<Event<M>>) -> anyhow::Result<()> {
        match event {
            InputEvent::Batch(cut) => self.on_batch(cut),
            InputEvent::Rebalance(MemberEvent::Assigned(partitions)) => {
                self.context.metrics.rebalanced(ROLE, self.trained.name(), Moved::Assigned);
                self.assigned(&partitions)
            }
            InputEvent::Rebalance(MemberEvent::Revoked { lost, .. }) => {
                let moved = if lost { Moved::Lost } else { Moved::Revoked };
                self.context.metrics.rebalanced(ROLE, self.trained.name(), moved);
                self.revoked(lost)
            }
            InputEvent::Rebalance(MemberEvent::EndOfPartition(_)) => Ok(()),
            InputEvent::Failed(error) => Err(error.context("read the input")),
        }
    }

    fn on_batch(&mut self, Cut { batch, oldest_ms }: Cut<Event<M>>) -> anyhow::Result<()> {
        // A batch of a source partition that was given up is dropped; its new owner reads it (rule 14).
        let Some(received) = self.received.get_mut(&batch.range.source) else { return Ok(()) };
        *received += 1;
        self.watch.lag.read(batch.range.source, batch.range.next.sequence, oldest_ms);
        let now_ms = self.now_ms();
        Ok(self.worker.on_batch(batch, now_ms)?)
    }

    fn on_reply(&mut self, event: ReplyEvent) -> anyhow::Result<()> {
        let (metrics, name) = (&self.context.metrics, self.trained.name());
        match event {
            ReplyEvent::Reply(reply) => match self.worker.on_reply(&reply)? {
                Some(answered) => {
                    let duration = Duration::from_millis(self.now_ms().saturating_sub(answered.asked_ms));
                    metrics.worker.reply_used(name, duration, answered.behind);
                }
                None => metrics.worker.reply_dropped(name),
            },
            ReplyEvent::Positions { number, shard, positions } => {
                let asked = self.assigning.as_mut().filter(|assigning| assigning.query.number() == number);
                if asked.is_some_and(|assigning| assigning.query.answer(shard, &positions)) {
                    self.take_over()?;
                }
            }
            ReplyEvent::Skipped(reason) => metrics.frame_skipped(ROLE, name, reason),
            ReplyEvent::Failed(error) => return Err(error).context("read replies"),
        }
        Ok(())
    }

    /// Looks up what is committed; the shards are asked before anything is read.
    fn assigned(&mut self, partitions: &[u32]) -> anyhow::Result<()> {
        if partitions.is_empty() {
            self.channels.member.assign(&[])?;
            self.health.ready();
            return Ok(());
        }
        self.health.not_ready("waiting for the shards' positions");
        let began = Instant::now();
        let committed = self.committed(partitions)?;
        self.queries += 1;
        self.assigning = Some(Assigning {
            began,
            committed: partitions.iter().copied().zip(committed).collect(),
            query: PositionQuery::new(self.queries, self.trained.description.partitioner.shards(), partitions),
            asked: None,
        });
        Ok(())
    }

    fn committed(&self, partitions: &[u32]) -> weir_kafka::Result<Vec<Option<u64>>> {
        let timeout = Duration::from_millis(self.context.settings.kafka.transaction_timeout_ms);
        self.channels.member.committed(partitions, committed_patience(timeout))
    }

    /// Asks every shard how far it is, through its push log: behind everything that was committed before, so that the
    /// answers are what the committed offsets say, or something is wrong that learning would make worse.
    fn ask_shards(&mut self) -> anyhow::Result<()> {
        let Some(assigning) = &mut self.assigning else { return Ok(()) };
        if self.committing.is_some() || assigning.asked.is_some_and(|asked| asked.elapsed() < QUERY_TIMEOUT) {
            return Ok(());
        }
        assigning.asked = Some(Instant::now());
        let request = RequestId { instance: self.channels.instance, number: assigning.query.number() };
        let sources = assigning.query.sources();
        let mut records = Vec::new();
        for shard in 0..self.trained.description.partitioner.shards() {
            let head = QueryHead { model: self.trained.hash, shard, request, reply_partition: self.channels.reply_to };
            let mut value = Vec::new();
            encode_query(&mut value, &head, &sources)?;
            records.push(OutRecord::new(Arc::clone(&self.push_topic), Some(shard), None, Some(value)));
        }
        self.channels.transactions.send(Transaction { records, offsets: None })?;
        self.committing = Some(Committing::Query(Instant::now()));
        Ok(())
    }

    /// All shards have answered: begins to read.
    fn take_over(&mut self) -> anyhow::Result<()> {
        let Some(Assigning { began, committed, query, .. }) = self.assigning.take() else { return Ok(()) };
        let mut starts = Vec::new();
        for (&source, &committed) in &committed {
            let bounds = self.channels.member.watermarks(source, LOOKUP)?;
            let (start, taught) = query
                .start(source, committed, bounds.first..bounds.end)
                .map_err(|error| self.why_not(source, committed, &error))?;
            self.worker.assign(source, start, taught);
            self.received.insert(source, 0);
            self.watch.lag.begin(source, start.sequence);
            self.channels.room.open(source, start.sequence);
            starts.push((source, StartAt::Offset(start.sequence)));
        }
        self.channels.member.assign(&starts)?;
        tracing::info!(model = self.trained.name(), ?starts, "source partitions taken over");
        self.context.metrics.worker.taken_over(self.trained.name(), began.elapsed());
        self.health.ready();
        Ok(())
    }

    /// Whether a contradiction between group and shards is final. The question is not fenced: a member that stood still
    /// for longer than its session may ask while another one commits. Then the offset has moved on, and all that is to
    /// be done is to start again.
    fn why_not(&self, source: u32, committed: Option<u64>, error: &TakeOverError) -> anyhow::Error {
        match self.committed(&[source]) {
            Ok(now) if now == [committed] => Fatal::new(format!("{}: {error}", self.trained.input)).into(),
            Ok(_) => {
                anyhow::anyhow!("{}: another member has taken partition {source} over meanwhile", self.trained.input)
            }
            Err(error) => error.into(),
        }
    }

    /// Ends what is under way, then lets go of all source partitions (rule 12).
    fn revoked(&mut self, lost: bool) -> anyhow::Result<()> {
        // Rule 14: nothing can be committed any more, so nothing here is worth keeping.
        anyhow::ensure!(!lost, "the group has given this member's partitions to others");
        self.finish()?;
        self.channels.member.unassign()?;
        Ok(())
    }

    /// Drops unfinished batches and commits finished ones.
    fn finish(&mut self) -> anyhow::Result<()> {
        self.assigning = None;
        let sources: Vec<u32> = self.worker.sources().map(|(source, _)| source).collect();
        for source in sources {
            self.worker.revoke(source);
        }
        loop {
            if self.committing.is_some() {
                let result = self.channels.committed.recv_timeout(COMMIT_PATIENCE)?;
                self.on_committed(result)?;
            }
            self.commit()?;
            if self.committing.is_none() {
                break;
            }
        }
        self.forget_sources();
        Ok(())
    }

    /// Their next owner's figures count from now on.
    fn forget_sources(&mut self) {
        self.watch.end(&self.context.metrics);
        for source in std::mem::take(&mut self.received).into_keys() {
            self.context.metrics.worker.partition_gone(self.trained.name(), source);
        }
    }

    /// Hands the finished batches to the committing thread, in one transaction.
    fn commit(&mut self) -> anyhow::Result<()> {
        if self.committing.is_some() {
            return Ok(());
        }
        let Some(step) = self.worker.take_step(STEP_BYTES) else { return Ok(()) };
        let metadata = self.channels.member.group_metadata()?;
        let (transaction, info) = transaction_of(self.trained, &self.push_topic, step, metadata)?;
        self.channels.transactions.send(transaction)?;
        self.committing = Some(Committing::Step(info));
        Ok(())
    }

    fn on_committed(&mut self, result: weir_kafka::Result<Committed>) -> anyhow::Result<()> {
        let committed = result.context("commit a step")?;
        if let Some(Committing::Step(info)) = self.committing.take() {
            info.report(self.trained, self.context, committed.duration);
            info.next.iter().for_each(|&(source, next)| self.watch.lag.committed(source, next));
        }
        Ok(())
    }
}

impl<M: InputModel> Drop for Role<'_, M> {
    /// A role that fails has not given its source partitions up, and others may have them before it is back. What it
    /// was committing has failed, or is given up with it.
    fn drop(&mut self) {
        if self.committing.is_some() {
            self.context.metrics.transaction_failed(ROLE, self.trained.name());
        }
        self.forget_sources();
    }
}
