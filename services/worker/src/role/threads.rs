//! Clients and threads of a worker, started and ended together.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crossbeam_channel::{bounded, unbounded};
use weir_kafka::{AbortFirst, GroupToRelease, Isolation, Member, Reader, Sender, StartAt, Transactional};
use weir_models::InputModel;
use weir_runtime::{Context, Deadline, stopping};

use super::{Channels, Event};
use crate::input::InputReader;
use crate::model::{TrainedModel, batch_limits};
use crate::replies::read_replies;
use crate::room::Room;

/// Replies between their reader and the loop.
const REPLY_QUEUE: usize = 1_024;
/// How long a broker may take to answer at the start.
const LOOKUP: Duration = Duration::from_secs(10);
/// How long threads and clients may take to end; beyond that the process goes.
/// A transactional call under way may take the watchdog's 30 s while brokers are away; a shorter time would end the process for it.
const TEARDOWN: Duration = Duration::from_secs(40);

/// Starts everything, runs `body`, and ends everything again whatever came out.
pub(super) fn run<M: InputModel>(
    model: &M,
    trained: &TrainedModel,
    context: &Context,
    body: impl FnOnce(Channels<'_, Event<M>>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let connection = trained.connection(context);
    // Rule 22: abort first, before the group is joined.
    let producer = start_producer(trained, context)?;
    // Two instances may share a partition of the replies topic; each takes only what it has asked for.
    let reply_to = (weir_wire::key(0, &context.instance) % u64::from(context.settings.worker.reply_partitions)) as u32;
    let replies_reader = Reader::open(&connection, &trained.topics.replies, &[], Isolation::ReadUncommitted)?;
    // Not from "the end", which is looked up later than the first question is asked: its answer would be missed.
    let end = replies_reader.watermarks(reply_to, LOOKUP)?.end;
    replies_reader.reassign(&[(reply_to, StartAt::Offset(end))])?;
    let pulls = Sender::open(&connection)?;
    let member = Arc::new(Member::join(&connection, trained.group(context))?);
    let instance: u64 = rand::random();
    let (stop, room) = (AtomicBool::new(false), Room::default());

    let outcome = std::thread::scope(|scope| {
        // Bounded by what the loop grants, see `Room`.
        let (input_sender, input) = unbounded();
        let (reply_sender, replies) = bounded(REPLY_QUEUE);
        let (transactions, transaction_jobs) = bounded(1);
        let (committed_sender, committed) = bounded(1);
        let (stop, room, replies_reader) = (&stop, &room, &replies_reader);
        let reader = InputReader::<M> {
            decoder: model.decoder(),
            trained,
            member: &member,
            room,
            limits: batch_limits(trained, context),
            sources: BTreeMap::new(),
            began: Instant::now(),
            paused: false,
            full_since: None,
        };
        scope.spawn(move || reader.run(stop, &input_sender));
        scope.spawn(move || read_replies(replies_reader, trained.hash, instance, stop, &reply_sender));
        let producer_stats = Arc::clone(producer.stats());
        scope.spawn(move || producer.run_all(transaction_jobs, |result| committed_sender.send(result).is_ok()));
        let member = Arc::clone(&member);
        // `body` takes the channels with it, so that threads that wait on one find it closed.
        let channels = Channels {
            member,
            pulls,
            room,
            instance,
            reply_to,
            input,
            replies,
            transactions,
            producer_stats,
            committed,
        };
        let outcome = stopping(stop, || body(channels));
        (outcome, Deadline::exit("a worker's threads", TEARDOWN))
    });
    let (outcome, deadline) = outcome;
    member.close();
    drop(replies_reader);
    drop(deadline);
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

fn start_producer(trained: &TrainedModel, context: &Context) -> anyhow::Result<Transactional> {
    let (connection, settings) = (trained.connection(context), &context.settings);
    let pushes: Arc<str> = trained.topics.pushes.as_str().into();
    let shards = trained.description.partitioner.shards();
    let mut partitions: Vec<_> = (0..shards).map(|shard| (Arc::clone(&pushes), shard)).collect();
    // Outputs go where their keys say, so any partition may have one of a predecessor's.
    let admin = weir_kafka::Admin::connect(&connection, LOOKUP)?;
    for topic in trained.output_topics() {
        let count = admin.partition_count(topic)?.unwrap_or(0);
        partitions.extend((0..count).map(|partition| (Arc::clone(topic), partition)));
    }
    let group = GroupToRelease { group: trained.group_name(context), topic: Arc::clone(&trained.input) };
    let abort_first = AbortFirst { partitions, group: Some(group) };
    let timeout = Duration::from_millis(settings.kafka.transaction_timeout_ms);
    Ok(Transactional::start(&connection, &trained.transactional_id(context), timeout, &abort_first)?)
}
