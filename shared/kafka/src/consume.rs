//! What a member and a reader have in common: settings for speed, lists of partitions, and the drain.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use crate::context::Context;
use crate::{Error, Record, Result, StartAt, error};

/// What one call of `poll` brought, besides the records that it handed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Polled {
    /// How many records were handed over.
    pub records: usize,
    /// What happened, in order; always after the records of the same call.
    pub events: Vec<MemberEvent>,
}

/// Something that a reading role must know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberEvent {
    /// The group gives these partitions to this member, perhaps none. Answer with `assign`, also when it is empty
    /// (rule 15); until then nothing is read.
    Assigned(Vec<u32>),
    /// The group takes these partitions away. End what is under way, then answer with `unassign` (rule 12).
    Revoked {
        /// All partitions that the member had.
        partitions: Vec<u32>,
        /// Membership is lost already: drop all state, nothing can be committed any more (rule 14).
        lost: bool,
    },
    /// All there was (all that was stable, for readers of committed records) has been handed over. It comes again
    /// whenever the end is reached again.
    EndOfPartition(u32),
}

/// Defaults for reading fast. `fetch.queue.backoff.ms` is the one that matters: its default of a second makes a full
/// local queue pause for that long (0.25 against 2.4 million records a second).
pub(crate) const FETCH: [(&str, &str); 6] = [
    ("fetch.queue.backoff.ms", "5"),
    // How long a partition that was just assigned may wait behind an idle fetch; an arriving byte ends the wait.
    ("fetch.wait.max.ms", "100"),
    ("fetch.error.backoff.ms", "20"),
    ("fetch.message.max.bytes", "4194304"),
    ("queued.min.messages", "100000"),
    ("queued.max.messages.kbytes", "65536"),
];

/// What no reader may have otherwise: offsets are committed in transactions only, and an offset that is not there is
/// an error instead of a silent jump.
pub(crate) const READING: [(&str, &str); 4] = [
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("auto.offset.reset", "error"),
    ("enable.partition.eof", "true"),
];

pub(crate) fn partitions_of(topic: &str, partitions: impl IntoIterator<Item = u32>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(topic, partition as i32);
    }
    list
}

pub(crate) fn offsets_of(
    call: &'static str,
    topic: &str,
    offsets: impl IntoIterator<Item = (u32, Offset)>,
) -> Result<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in offsets {
        list.add_partition_offset(topic, partition as i32, offset).map_err(|error| Error::of(call, &error))?;
    }
    Ok(list)
}

pub(crate) fn assign<E>(consumer: &BaseConsumer<Context<E>>, topic: &str, starts: &[(u32, StartAt)]) -> Result<()>
where
    Context<E>: ConsumerContext,
    E: Send + Sync + 'static,
{
    if let Some(gaps) = &consumer.context().gaps {
        gaps.begin(starts);
    }
    let list = offsets_of("assign", topic, starts.iter().map(|(partition, start)| (*partition, start.offset())))?;
    consumer.assign(&list).map_err(|error| Error::of("assign", &error))?;
    // librdkafka keeps a pause over a new assignment: a partition that was paused when the group moved would stand
    // still for as long as this member owns it.
    consumer.resume(&list).map_err(|error| Error::of("resume", &error))
}

/// Waits up to `timeout` for a first record or event, then takes what is there, at most `max_records`.
///
/// It stops early when `interrupted` says so, which is how a rebalance ends the records of its call.
pub(crate) fn drain<E>(
    consumer: &BaseConsumer<Context<E>>,
    topic: &str,
    timeout: Duration,
    max_records: usize,
    interrupted: &dyn Fn() -> bool,
    on_record: &mut dyn FnMut(Record<'_>),
) -> Result<Polled>
where
    Context<E>: ConsumerContext,
    E: Send + Sync + 'static,
{
    let (mut polled, mut bytes, mut wait) = (Polled::default(), 0, timeout);
    let outcome = loop {
        if polled.records >= max_records {
            break Ok(());
        }
        match consumer.poll(wait) {
            Some(Ok(message)) => {
                let record = Record::of(&message);
                if let Some(gaps) = &consumer.context().gaps
                    && let Err(dropped) = gaps.check(topic, record.partition, record.offset)
                {
                    break Err(dropped);
                }
                bytes += record.bytes();
                polled.records += 1;
                on_record(record);
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                polled.events.push(MemberEvent::EndOfPartition(partition as u32));
            }
            Some(Err(error)) => break judge(consumer, topic, &error),
            None => break Ok(()),
        }
        if interrupted() {
            break Ok(());
        }
        wait = Duration::ZERO;
    };
    consumer.context().stats.add(polled.records as u64, bytes);
    outcome.map(|()| polled)
}

/// Rule 23: a lost connection is news that librdkafka deals with; whatever it does not call that is a failure.
fn judge<E>(consumer: &BaseConsumer<Context<E>>, topic: &str, error: &KafkaError) -> Result<()>
where
    Context<E>: ConsumerContext,
    E: Send + Sync + 'static,
{
    let detail = || consumer.context().last_reason();
    match error {
        KafkaError::MessageConsumption(code) if error::unreachable(*code) => Ok(()),
        KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
            Err(Error::OffsetOutOfRange { topic: topic.to_owned(), detail: detail() })
        }
        KafkaError::MessageConsumptionFatal(_) => Err(fatal(consumer, topic, error)),
        _ => Err(Error::Call { call: "poll", detail: format!("{error}: {}", detail()) }),
    }
}

/// The fatal error that the client remembers says more than the one that poll gives.
///
/// librdkafka fences itself where brokers were away for longer than the session and the revocation is not answered
/// before they are back: it goes on sending heartbeats for its static name, but with the empty member id of one who has
/// to join anew. A namesake fences a member that is in good standing.
fn fatal<E>(consumer: &BaseConsumer<Context<E>>, topic: &str, error: &KafkaError) -> Error
where
    Context<E>: ConsumerContext,
{
    match consumer.client().fatal_error() {
        Some((code, _)) if error::fences(code) && consumer.context().session_lost.load(Ordering::Acquire) => {
            Error::SessionLost { topic: topic.to_owned() }
        }
        Some((code, detail)) if error::fences(code) => Error::Fenced { call: "poll", detail },
        Some((_, detail)) => Error::Call { call: "poll", detail: format!("fatal: {detail}") },
        None => Error::of("poll", error),
    }
}
