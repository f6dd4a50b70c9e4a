//! Topics of their own for each test, and readers and members driven until something is there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_kafka::{
    AbortFirst, Admin, Connection, Error, GroupSettings, Isolation, Member, MemberEvent, OutRecord, Partitions, Reader,
    StartAt, TopicSpec, Transaction, Transactional,
};
use weir_tests::Broker;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How long a transaction that a test leaves open may stay, if nobody ends it.
pub(crate) const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(20);
const SLICE: Duration = Duration::from_millis(50);

pub(crate) fn connection() -> Connection {
    Connection::new(Broker::shared().brokers(), "weir-test")
}

pub(crate) fn admin() -> Admin {
    Admin::connect(&connection(), PATIENCE).expect("the broker answers")
}

pub(crate) fn spec(name: &str, partitions: u32, compact: bool) -> TopicSpec {
    TopicSpec {
        name: name.to_owned(),
        partitions: Partitions::Exactly(partitions),
        replication: 1,
        compact,
        settings: BTreeMap::new(),
    }
}

/// A new topic with a name of its own.
pub(crate) fn topic(name: &str, partitions: u32) -> Arc<str> {
    new_topic(name, partitions, false)
}

pub(crate) fn new_topic(name: &str, partitions: u32, compact: bool) -> Arc<str> {
    let name = Broker::shared().topic(name);
    admin().ensure_topics(&[spec(&name, partitions, compact)]).expect("the topic is created");
    name.into()
}

pub(crate) fn record(topic: &Arc<str>, partition: u32, payload: &str) -> OutRecord {
    OutRecord::new(Arc::clone(topic), Some(partition), Some(b"key".to_vec()), Some(payload.as_bytes().to_vec()))
}

pub(crate) fn transaction(records: Vec<OutRecord>) -> Transaction {
    Transaction { records, offsets: None }
}

pub(crate) fn transactional(id: &str, writes: &[(&Arc<str>, u32)]) -> Transactional {
    let partitions = writes.iter().map(|(topic, partition)| (Arc::clone(topic), *partition)).collect();
    let abort_first = AbortFirst { partitions, group: None };
    Transactional::start(&connection(), id, TRANSACTION_TIMEOUT, &abort_first).expect("the producer starts")
}

/// Writes records, one transaction for all, and returns their offsets.
pub(crate) fn write(topic: &Arc<str>, partition: u32, payloads: &[&str]) -> Vec<u64> {
    let mut producer = transactional(&format!("{topic}-writer"), &[(topic, partition)]);
    let records = payloads.iter().map(|payload| record(topic, partition, payload)).collect();
    producer.run(&transaction(records)).expect("the records are written").offsets
}

/// Offset and payload of everything in partition 0 from its first record to its end, as this isolation sees it.
pub(crate) fn read(topic: &str, isolation: Isolation) -> Vec<(u64, String)> {
    let reader = Reader::open(&connection(), topic, &[(0, StartAt::Beginning)], isolation).expect("the reader opens");
    read_to_end(&reader).expect("the partition is read")
}

pub(crate) fn read_to_end(reader: &Reader) -> Result<Vec<(u64, String)>, Error> {
    let mut read = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let polled = reader.poll(SLICE, 1000, &mut |record| {
            read.push((record.offset, String::from_utf8_lossy(record.payload.unwrap_or_default()).into_owned()));
        })?;
        if polled.events.iter().any(|event| matches!(event, MemberEvent::EndOfPartition(_))) {
            return Ok(read);
        }
        assert!(Instant::now() < deadline, "no end of the partition after {} records", read.len());
    }
}

pub(crate) fn payloads(read: &[(u64, String)]) -> Vec<&str> {
    read.iter().map(|(_, payload)| payload.as_str()).collect()
}

pub(crate) fn join(group: &str, topic: &str, instance: &str) -> Member {
    Member::join(&connection(), GroupSettings::new(group, topic, instance)).expect("the member joins")
}

/// Polls the members in turn, answering nothing, until `found` has a value for an event of the first.
pub(crate) fn wait_for<T>(
    what: &str,
    member: &Member,
    others: &[&Member],
    mut found: impl FnMut(&MemberEvent) -> Option<T>,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let polled = member.poll(SLICE, 1000, &mut |_| {}).expect("the member is polled");
        if let Some(value) = polled.events.iter().find_map(&mut found) {
            return value;
        }
        for other in others {
            let polled = other.poll(Duration::ZERO, 1000, &mut |_| {}).expect("the other member is polled");
            let quiet = |event: &MemberEvent| matches!(event, MemberEvent::EndOfPartition(_));
            assert!(polled.events.iter().all(quiet), "{:?} while waiting for {what}", polled.events);
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain: {what}");
    }
}

/// Waits for an assignment and reads its partitions from their first records.
pub(crate) fn take(member: &Member, others: &[&Member]) -> Vec<u32> {
    let partitions = wait_for("an assignment", member, others, |event| match event {
        MemberEvent::Assigned(partitions) => Some(partitions.clone()),
        _ => None,
    });
    let starts: Vec<_> = partitions.iter().map(|partition| (*partition, StartAt::Beginning)).collect();
    member.assign(&starts).expect("the assignment is answered");
    partitions
}
