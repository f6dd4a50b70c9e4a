//! Records and input offsets become visible together, once, or never.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use weir_kafka::{
    AbortFirst, Connection, Error, GroupToRelease, InputOffsets, Isolation, Member, OutRecord, Transaction,
    Transactional, committed_patience,
};
use weir_tests::{Broker, wait_until};

use crate::support::{
    PATIENCE, TRANSACTION_TIMEOUT, connection, join, new_topic, payloads, read, record, take, topic, transaction,
    transactional, wait_for, write,
};

#[test]
fn every_record_reports_its_offset() {
    let topic = topic("offsets", 2);
    let mut producer = transactional(&topic, &[(&topic, 0), (&topic, 1)]);
    for round in 0..3 {
        let records: Vec<_> =
            (0..500).map(|n| record(&topic, u32::from(n % 5 == 0), &format!("{round}.{n}"))).collect();
        let committed = producer.run(&transaction(records)).unwrap();
        let read = read(&topic, Isolation::ReadCommitted);
        for (n, offset) in committed.offsets.iter().enumerate().filter(|(n, _)| n % 5 != 0) {
            let found = read.iter().find(|(at, _)| at == offset).expect("the offset has a record");
            assert_eq!(found.1, format!("{round}.{n}"));
        }
    }
    let offsets = producer.run(&Transaction::default()).unwrap().offsets;
    assert!(offsets.is_empty(), "an empty transaction is one too");
}

/// The second record is refused locally, which leaves the first one in an open transaction.
fn leave_open(producer: &mut Transactional, topic: &Arc<str>) {
    let records = vec![record(topic, 0, "open"), record(topic, 0, &"x".repeat(2_500_000))];
    let error = producer.run(&transaction(records)).unwrap_err();
    assert!(matches!(error, Error::TooLarge { bytes: 2_500_003, .. }), "{error}");
    let error = producer.run(&Transaction::default()).unwrap_err();
    assert!(matches!(error, Error::Failed { .. }), "{error}");
}

#[test]
fn what_is_not_committed_is_never_seen() {
    let topic = topic("atomic", 1);
    let mut producer = transactional(&topic, &[(&topic, 0)]);
    producer.run(&transaction(vec![record(&topic, 0, "first")])).unwrap();
    leave_open(&mut producer, &topic);
    wait_until("the record of the open transaction arrives", PATIENCE, || {
        read(&topic, Isolation::ReadUncommitted).iter().any(|(_, payload)| payload == "open").then_some(())
    });
    // What others commit after it is held back while it is open.
    write(&topic, 0, &["behind"]);
    assert_eq!(payloads(&read(&topic, Isolation::ReadCommitted)), ["first"]);

    // The next start under its name ends it.
    let mut successor = transactional(&topic, &[(&topic, 0)]);
    successor.run(&transaction(vec![record(&topic, 0, "last")])).unwrap();
    assert_eq!(payloads(&read(&topic, Isolation::ReadCommitted)), ["first", "behind", "last"]);
}

#[test]
fn a_namesake_fences_the_first() {
    let topic = topic("namesake", 1);
    let mut first = transactional(&topic, &[(&topic, 0)]);
    first.run(&transaction(vec![record(&topic, 0, "first")])).unwrap();
    let mut second = transactional(&topic, &[(&topic, 0)]);
    let error = first.run(&transaction(vec![record(&topic, 0, "zombie")])).unwrap_err();
    assert!(error.is_fenced(), "{error}");
    second.run(&transaction(vec![record(&topic, 0, "second")])).unwrap();
    assert_eq!(payloads(&read(&topic, Isolation::ReadCommitted)), ["first", "second"]);
}

#[test]
fn a_missing_partition_is_noticed_at_the_start() {
    let topic = topic("narrow", 1);
    for (name, partition) in [(Arc::clone(&topic), 1), (Arc::from(Broker::shared().topic("missing")), 0)] {
        let abort_first = AbortFirst { partitions: vec![(Arc::clone(&name), partition)], group: None };
        let error = Transactional::start(&connection(), &name, TRANSACTION_TIMEOUT, &abort_first).err().unwrap();
        assert!(matches!(error, Error::NoPartition { .. }), "{error}");
    }
}

/// A transaction of one output record, answering for the input below `next`.
fn step(member: &Member, input: &Arc<str>, next: u64, output: OutRecord) -> Transaction {
    let metadata = member.group_metadata().expect("it is a member");
    let offsets = InputOffsets { metadata, topic: Arc::clone(input), next: vec![(0, next)] };
    Transaction { records: vec![output], offsets: Some(offsets) }
}

#[test]
fn offsets_are_committed_with_the_records() {
    let (input, output) = (topic("input", 1), topic("output", 1));
    let mut producer = transactional(&output, &[(&output, 0)]);
    let member = join(&input, &input, "one");
    assert!(matches!(member.group_metadata(), Err(Error::NotAMember { .. })), "it has not joined yet");
    assert_eq!(take(&member, &[]), [0]);
    assert_eq!(member.committed(&[0], PATIENCE).unwrap(), [None]);
    producer.run(&step(&member, &input, 7, record(&output, 0, "seven"))).unwrap();
    assert_eq!(member.committed(&[0], PATIENCE).unwrap(), [Some(7)]);
    assert_eq!(payloads(&read(&output, Isolation::ReadCommitted)), ["seven"]);
}

#[test]
fn a_stale_generation_cannot_commit() {
    let (input, output) = (topic("input", 2), topic("output", 1));
    let mut zombie = transactional(&format!("{output}-zombie"), &[(&output, 0)]);
    let first = join(&input, &input, "first");
    take(&first, &[]);
    let stale = step(&first, &input, 9, record(&output, 0, "zombie"));
    // A second member makes a new generation.
    let second = join(&input, &input, "second");
    wait_for("the revocation", &first, &[&second], |event| {
        matches!(event, weir_kafka::MemberEvent::Revoked { lost: false, .. }).then_some(())
    });
    first.unassign().unwrap();
    let (one, other) = thread::scope(|scope| {
        let other = scope.spawn(|| take(&second, &[]));
        (take(&first, &[]), other.join().expect("no panic"))
    });
    assert_eq!((one.len(), other.len()), (1, 1));

    let error = zombie.run(&stale).unwrap_err();
    assert!(!error.is_fenced() && error.to_string().contains("generation"), "{error}");
    drop(zombie);
    let mut producer = transactional(&format!("{output}-zombie"), &[(&output, 0)]);
    assert_eq!(first.committed(&[0], PATIENCE).unwrap(), [None]);
    producer.run(&step(&first, &input, 3, record(&output, 0, "living"))).unwrap();
    assert_eq!(payloads(&read(&output, Isolation::ReadCommitted)), ["living"]);
}

/// Offsets that a transaction holds and that nobody ends: the broker refuses the record (no key on a compacted topic),
/// but only after the offsets were sent, since the record lingers for a second.
fn leave_offsets_pending(member: &Member, input: &Arc<str>, output: &Arc<str>) -> Transactional {
    let mut slow = connection();
    slow.settings.insert("linger.ms".to_owned(), "1000".to_owned());
    let mut producer = start(&slow, input, output);
    let keyless = OutRecord::new(Arc::clone(output), Some(0), None, Some(b"keyless".to_vec()));
    let error = producer.run(&step(member, input, 5, keyless)).unwrap_err();
    assert!(matches!(error, Error::NotDelivered { .. }), "{error}");
    producer
}

fn start(connection: &Connection, input: &Arc<str>, output: &Arc<str>) -> Transactional {
    let group = GroupToRelease { group: input.to_string(), topic: Arc::clone(input) };
    let abort_first = AbortFirst { partitions: vec![(Arc::clone(output), 0)], group: Some(group) };
    Transactional::start(connection, output, TRANSACTION_TIMEOUT, &abort_first).expect("the producer starts")
}

#[test]
fn committed_waits_while_an_offset_is_pending() {
    let (input, output) = (topic("input", 1), new_topic("compacted", 1, true));
    let member = join(&input, &input, "one");
    take(&member, &[]);
    let open = leave_offsets_pending(&member, &input, &output);
    let error = member.committed(&[0], Duration::from_millis(300)).unwrap_err();
    assert!(matches!(error, Error::OffsetsPending { .. }), "{error}");
    assert!(error.to_string().contains("find-hanging"), "{error}");

    // Starting again under the same name aborts it, and who waits gets the offset from before.
    thread::scope(|scope| {
        let waiting = scope.spawn(|| member.committed(&[0], committed_patience(TRANSACTION_TIMEOUT)));
        let mut successor = start(&connection(), &input, &output);
        assert_eq!(waiting.join().expect("no panic").unwrap(), [None]);
        successor.run(&step(&member, &input, 6, record(&output, 0, "six"))).unwrap();
    });
    assert_eq!(member.committed(&[0], PATIENCE).unwrap(), [Some(6)]);
    assert_eq!(payloads(&read(&output, Isolation::ReadCommitted)), ["six"]);
    drop(open);
}
