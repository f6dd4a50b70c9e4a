//! Follows the topic of policies: one thread for a process that scores, whichever roles it has.
//!
//! A record that is no policy changes nothing: the tenant keeps the one before it, and the refusal is logged and counted.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use weir_kafka::{Admin, Connection, Isolation, MemberEvent, Reader, Record, StartAt};
use weir_models::Description;
use weir_models::spam::{PolicyBook, PolicyChange};
use weir_runtime::{BrokerWatch, Context, HealthPart, Supervisor};
use weir_wire::{Reason, Reject, policy};

use crate::roles::Role;
use crate::topics;

const POLL: Duration = Duration::from_millis(50);
const TIMEOUT: Duration = Duration::from_secs(5);
/// Records that are taken in together.
const BATCH: usize = 1_000;
/// The part's name in health, threads and metrics.
const PART: &str = "policies";

/// Starts the thread where one of the models has policies and one of the roles scores.
///
/// # Errors
/// The operating system refuses a thread.
pub(crate) fn spawn(supervisor: &mut Supervisor, roles: &[Role], models: &[Description]) -> anyhow::Result<()> {
    let scores = roles.iter().any(|role| matches!(role, Role::Worker | Role::Gateway));
    let Some(model) = models.iter().find(|model| model.policies.is_some()).filter(|_| scores).cloned() else {
        return Ok(());
    };
    supervisor.spawn(PART, move |context| {
        let Some(book) = &model.policies else { return Ok(()) };
        follow(context, book, &context.health.part(PART))
    })?;
    Ok(())
}

/// Waits until the policies of a model, if it has any, are known: what is scored before would be judged by others.
pub(crate) fn wait(context: &Context, model: &Description) {
    while model.policies.as_ref().is_some_and(|book| !book.is_loaded()) && !context.shutdown.is_requested() {
        std::thread::sleep(POLL);
    }
}

fn follow(context: &Context, book: &PolicyBook, health: &HealthPart) -> anyhow::Result<()> {
    health.not_ready("reading the policies");
    context.metrics.policies_begin(Reason::ALL.map(Reason::as_str));
    let settings = &context.settings;
    let topic = &settings.topics.policies;
    let connection = Connection::new(&settings.brokers, format!("{}-policies-{}", settings.prefix, context.instance));
    let connection = connection.with_settings(&settings.kafka.settings);
    let admin = Admin::connect(&connection, TIMEOUT)?;
    admin.ensure_topics(&[topics::policies(settings)])?;
    let partitions = admin.partition_count(topic)?.with_context(|| format!("topic {topic} is not there yet"))?;
    let starts: Vec<_> = (0..partitions).map(|partition| (partition, StartAt::Beginning)).collect();
    let reader = Reader::open(&connection, topic, &starts, Isolation::ReadCommitted)?;
    let mut broker = BrokerWatch::new(health, PART, PART, "changed policies are not seen");
    let mut left: BTreeSet<u32> = (0..partitions).collect();
    while !context.shutdown.is_requested() {
        let (mut changes, mut next) = (Vec::new(), Vec::new());
        let polled = reader.poll(POLL, BATCH, &mut |record| {
            next.push((record.partition, record.offset + 1));
            match change(&record) {
                Ok(change) => changes.push(change),
                Err(reject) => refused(context, &record, &reject),
            }
        })?;
        if !next.is_empty() {
            let too_many = book.apply(changes, &next);
            (0..too_many).for_each(|_| context.metrics.policy_rejected(Reason::TooLarge.as_str()));
            context.metrics.policies(book.len());
        }
        for event in polled.events {
            if let MemberEvent::EndOfPartition(partition) = event {
                left.remove(&partition);
            }
        }
        broker.look(reader.stats().connected(), context);
        if left.is_empty() {
            book.set_loaded();
            health.ready();
        }
    }
    Ok(())
}

fn change(record: &Record<'_>) -> Result<PolicyChange, Reject> {
    let no_tenant = |reason, detail| Reject::new(reason, "key", detail);
    let key = record.key.filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| no_tenant(Reason::MissingField, "is missing, it must be the tenant"))?;
    let tenant =
        str::from_utf8(key).map_err(|_| no_tenant(Reason::InvalidUtf8, "is not UTF-8, it must be the tenant"))?;
    if tenant.len() > weir_wire::MAX_ID_BYTES {
        return Err(no_tenant(Reason::LongId, "is longer than a tenant's id may be, which is 256 bytes"));
    }
    let policy = record.payload.map(policy::parse).transpose()?;
    Ok(PolicyChange { tenant: tenant.to_owned(), policy })
}

fn refused(context: &Context, record: &Record<'_>, reject: &Reject) {
    context.metrics.policy_rejected(reject.reason.as_str());
    let (partition, offset) = (record.partition, record.offset);
    let topic = &context.settings.topics.policies;
    tracing::warn!(topic, partition, offset, %reject, "policy refused, the tenant keeps the one before");
}
