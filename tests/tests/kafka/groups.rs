//! Members with stable names: hand-over, restart in place, fencing, and closing in every state.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use weir_kafka::{Error, InputOffsets, Member, MemberEvent, StartAt, Transaction};
use weir_tests::wait_until;

use crate::support::{PATIENCE, join, record, take, topic, transactional, wait_for, write};

fn revoked(event: &MemberEvent) -> Option<(Vec<u32>, bool)> {
    match event {
        MemberEvent::Revoked { partitions, lost } => Some((partitions.clone(), *lost)),
        _ => None,
    }
}

/// Takes what each is assigned, both polling at once as two processes would.
fn take_both(one: &Member, other: &Member) -> (Vec<u32>, Vec<u32>) {
    thread::scope(|scope| {
        let other = scope.spawn(|| take(other, &[]));
        (take(one, &[]), other.join().expect("no panic"))
    })
}

#[test]
fn partitions_are_handed_over_after_the_last_commit() {
    let (input, output) = (topic("input", 2), topic("output", 1));
    let mut producer = transactional(&output, &[(&output, 0)]);
    let old = join(&input, &input, "old");
    assert_eq!(take(&old, &[]), [0, 1]);
    let new = join(&input, &input, "new");
    let (partitions, lost) = wait_for("the revocation", &old, &[&new], revoked);
    assert_eq!((partitions, lost), (vec![0, 1], false));

    // Until it is answered the old member still owns them: what it finished is committed and seen by the next owner.
    let metadata = old.group_metadata().unwrap();
    let offsets = InputOffsets { metadata, topic: Arc::clone(&input), next: vec![(0, 11), (1, 12)] };
    producer.run(&Transaction { records: vec![record(&output, 0, "last")], offsets: Some(offsets) }).unwrap();
    old.unassign().unwrap();
    let (mut all, of_new) = take_both(&old, &new);
    assert_eq!((all.len(), of_new.len()), (1, 1));
    let expected: Vec<_> = of_new.iter().map(|partition| Some(11 + u64::from(*partition))).collect();
    assert_eq!(new.committed(&of_new, PATIENCE).unwrap(), expected);
    all.extend(of_new);
    all.sort_unstable();
    assert_eq!(all, [0, 1]);
}

#[test]
fn a_restart_in_place_moves_nothing() {
    let input = topic("input", 4);
    let first = join(&input, &input, "first");
    take(&first, &[]);
    let second = join(&input, &input, "second");
    wait_for("the revocation", &first, &[&second], revoked);
    first.unassign().unwrap();
    let (of_first, of_second) = take_both(&first, &second);
    assert_eq!((of_first.len(), of_second.len()), (2, 2));

    first.close();
    let again = join(&input, &input, "first");
    let began = Instant::now();
    // `take` fails if the other one notices anything.
    assert_eq!(take(&again, &[&second]), of_first);
    assert!(began.elapsed() < Duration::from_secs(5), "it waited for its own session to end: {:?}", began.elapsed());
}

#[test]
fn a_namesake_takes_the_place_of_the_first() {
    let input = topic("input", 1);
    let first = join(&input, &input, "same");
    take(&first, &[]);
    let second = join(&input, &input, "same");
    take(&second, &[]);
    let error =
        wait_until("the first is fenced", PATIENCE, || first.poll(Duration::from_millis(50), 10, &mut |_| {}).err());
    assert!(error.is_fenced(), "{error}");
    // A fenced consumer closes like any other.
    drop(first);
}

#[test]
fn closing_never_waits_for_an_answer() {
    let input = topic("input", 1);
    let member = join(&input, &input, "unanswered");
    wait_for("an assignment", &member, &[], |event| matches!(event, MemberEvent::Assigned(_)).then_some(()));
    closes_soon(&member);
    assert!(matches!(member.poll(Duration::ZERO, 1, &mut |_| {}), Err(Error::Closed { .. })));

    let member = join(&input, &input, "unanswered");
    take(&member, &[]);
    let other = join(&input, &input, "other");
    wait_for("the revocation", &member, &[&other], revoked);
    closes_soon(&member);
    closes_soon(&other);
    // Before anything has come of joining.
    closes_soon(&join(&input, &input, "hasty"));
}

fn closes_soon(member: &Member) {
    let began = Instant::now();
    member.close();
    assert!(began.elapsed() < Duration::from_secs(5), "closing took {:?}", began.elapsed());
}

#[test]
fn a_paused_partition_waits_and_goes_on_where_it_was() {
    let input = topic("input", 2);
    write(&input, 0, &["a", "b", "c"]);
    let member = join(&input, &input, "one");
    take(&member, &[]);
    let poll = |records: &mut Vec<(u32, String)>, max: usize| {
        let polled = member.poll(Duration::from_millis(20), max, &mut |record| {
            records.push((record.partition, String::from_utf8_lossy(record.payload.unwrap_or_default()).into_owned()));
        });
        polled.expect("the member is polled").events
    };
    let mut records = Vec::new();
    wait_until("the first record", PATIENCE, || {
        poll(&mut records, 1);
        (records.len() == 1).then_some(())
    });
    member.pause(&[0]).unwrap();
    write(&input, 1, &["other"]);
    wait_until("the other partition's record", PATIENCE, || {
        poll(&mut records, 100);
        (records.last().map(|(partition, _)| *partition) == Some(1)).then_some(())
    });
    assert_eq!(records.len(), 2, "{records:?}");
    member.resume(&[0]).unwrap();
    wait_until("the rest", PATIENCE, || {
        poll(&mut records, 100);
        (records.len() == 4).then_some(())
    });
    assert_eq!(records[2..], [(0, "b".to_owned()), (0, "c".to_owned())]);
}

/// Once seen as a source partition that stood still until its owner left: it was paused when the group moved.
#[test]
fn an_assignment_ends_a_pause() {
    let input = topic("input", 1);
    write(&input, 0, &["a", "b"]);
    let member = join(&input, &input, "one");
    take(&member, &[]);
    wait_until("a record", PATIENCE, || {
        let polled = member.poll(Duration::from_millis(20), 1, &mut |_| {}).expect("the member is polled");
        (polled.records > 0).then_some(())
    });
    member.pause(&[0]).unwrap();
    member.unassign().unwrap();
    member.assign(&[(0, StartAt::Beginning)]).unwrap();
    wait_until("records after the new assignment", PATIENCE, || {
        let polled = member.poll(Duration::from_millis(20), 100, &mut |_| {}).expect("the member is polled");
        (polled.records > 0).then_some(())
    });
}

#[test]
fn an_offset_beyond_the_log_is_an_error() {
    let input = topic("input", 1);
    let member = join(&input, &input, "one");
    take(&member, &[]);
    member.assign(&[(0, StartAt::Offset(1000))]).unwrap();
    let error = wait_until("the error", PATIENCE, || member.poll(Duration::from_millis(50), 1, &mut |_| {}).err());
    assert!(matches!(error, Error::OffsetOutOfRange { .. }), "{error}");
}
