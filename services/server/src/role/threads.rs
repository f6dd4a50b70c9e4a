//! Clients and threads of a server, started and ended together.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crossbeam_channel::bounded;
use weir_kafka::{AbortFirst, Admin, GroupToRelease, Isolation, Member, Reader, Sender, Transactional};
use weir_models::InputModel;
use weir_runtime::{Context, Deadline, stopping};

use super::Channels;
use crate::model::{ROLE, ServedModel};
use crate::read::{read_pulls, read_pushes};
use crate::store::store_all;

/// Push records and pulls between their readers and the loop.
const LOG_QUEUE: usize = 256;
const PULL_QUEUE: usize = 1_024;
/// Store jobs besides one for each shard: deletions.
const STORE_QUEUE: usize = 16;
const LOOKUP: Duration = Duration::from_secs(10);
/// How long threads and clients may take to end; beyond that the process goes.
/// A transactional call under way may take the watchdog's 30 s while brokers are away; a shorter time would end the process for it.
const TEARDOWN: Duration = Duration::from_secs(40);

/// Starts everything, runs `body`, and ends everything again whatever came out.
pub(super) fn run<M: InputModel>(
    model: &M,
    served: &ServedModel,
    context: &Context,
    body: impl FnOnce(Channels) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let connection = served.connection(context);
    let schema = model.schema();
    // Rule 22: abort first, before the group is joined.
    let producer = start_producer(served, context)?;
    let member = Arc::new(Member::join(&connection, served.group(context))?);
    let pulls_reader = Arc::new(Reader::open(&connection, &served.topics.pulls, &[], Isolation::ReadUncommitted)?);
    let replies = Sender::open(&connection)?;
    let admin = Admin::connect(&connection, LOOKUP)?;
    let stop = AtomicBool::new(false);

    let outcome = std::thread::scope(|scope| {
        let (log_sender, log) = bounded(LOG_QUEUE);
        let (pull_sender, pulls) = bounded(PULL_QUEUE);
        let (transactions, transaction_jobs) = bounded(1);
        let (committed_sender, committed) = bounded(1);
        // All shards may be stored at once, and the loop that hands them over must not wait for one that waits for it.
        let store_queue = STORE_QUEUE + context.settings.server.shards as usize;
        let (store_jobs, store_receiver) = bounded(store_queue);
        let (stored_sender, stored) = bounded(store_queue);
        let (stop, member_ref, reader_ref, schema, admin) = (&stop, &*member, &*pulls_reader, &*schema, &admin);
        scope.spawn(move || read_pushes(member_ref, schema, served.hash, stop, &log_sender));
        scope.spawn(move || read_pulls(reader_ref, schema, served.hash, stop, &pull_sender));
        let producer_stats = Arc::clone(producer.stats());
        scope.spawn(move || producer.run_all(transaction_jobs, |result| committed_sender.send(result).is_ok()));
        scope.spawn(move || store_all(admin, &served.topics.pushes, &store_receiver, &stored_sender));
        let channels = Channels {
            member: Arc::clone(&member),
            pulls_reader: Arc::clone(&pulls_reader),
            replies,
            log,
            pulls,
            transactions,
            producer_stats,
            committed,
            store_jobs,
            stored,
        };
        // `body` takes the channels with it, so that threads that wait on one find it closed.
        let outcome = stopping(stop, || body(channels));
        (outcome, Deadline::exit("a server's threads", TEARDOWN))
    });
    let (outcome, deadline) = outcome;
    member.close();
    drop((pulls_reader, admin));
    drop(deadline);
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
}

fn start_producer(served: &ServedModel, context: &Context) -> anyhow::Result<Transactional> {
    let (connection, settings) = (served.connection(context), &context.settings);
    let (parameters, pushes): (Arc<str>, Arc<str>) =
        (served.topics.parameters.as_str().into(), served.topics.pushes.as_str().into());
    let partitions = (0..settings.server.shards).map(|shard| (Arc::clone(&parameters), shard)).collect();
    let group = GroupToRelease { group: served.description.group(&settings.prefix, ROLE), topic: pushes };
    let abort_first = AbortFirst { partitions, group: Some(group) };
    let timeout = Duration::from_millis(settings.kafka.transaction_timeout_ms);
    Ok(Transactional::start(&connection, &served.transactional_id(context), timeout, &abort_first)?)
}
