use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::{Admin, Connection, Isolation, OutRecord, Partitions, Reader, Sender, topic_ids};

const PATIENCE: Duration = Duration::from_secs(30);

fn spec(name: &str, partitions: u32, retention_ms: &str) -> TopicSpec {
    TopicSpec {
        name: name.into(),
        partitions: Partitions::Exactly(partitions),
        replication: 1,
        compact: false,
        settings: BTreeMap::from([("retention.ms".into(), retention_ms.into())]),
    }
}

/// Writes so many records of a kilobyte to the only partition of `topic`.
fn write(connection: &Connection, topic: &str, records: usize) {
    let (sender, topic) = (Sender::open(connection).unwrap(), Arc::from(topic));
    for _ in 0..records {
        let record = OutRecord::new(Arc::clone(&topic), Some(0), None, Some(vec![7; 1_000]));
        sender.send(&record).unwrap();
    }
    sender.flush(PATIENCE).unwrap();
}

/// How many records a reader from the beginning is given before it fails, or before all are there.
fn read(connection: &Connection, topic: &str, records: usize) -> (usize, Result<()>) {
    let reader = Reader::open(connection, topic, &[(0, StartAt::Beginning)], Isolation::ReadCommitted).unwrap();
    let (mut read, began) = (0, Instant::now());
    while read < records && began.elapsed() < PATIENCE {
        if let Err(error) = reader.poll(Duration::from_millis(50), 1_000, &mut |_| read += 1) {
            return (read, Err(error));
        }
    }
    (read, Ok(()))
}

#[test]
fn a_reader_gets_what_was_written_and_notices_what_was_dropped() {
    let embedded = Embedded::start().unwrap();
    embedded.create_topics(&[spec("few", 1, "-1"), spec("many", 1, "-1")]).unwrap();
    let connection = Connection::new(embedded.brokers(), "test");
    write(&connection, "few", 1_000);
    assert!(matches!(read(&connection, "few", 1_000), (1_000, Ok(()))));
    // 8 MB, of which it keeps 5 MiB.
    write(&connection, "many", 8_000);
    let (taken, outcome) = read(&connection, "many", 8_000);
    let Err(Error::Dropped { topic, partition, first: 0, next }) = outcome else {
        panic!("{taken} records, {outcome:?}")
    };
    assert!(topic == "many" && partition == 0 && next > 0 && taken == 0, "{topic} {partition} {next} {taken}");
}

#[test]
fn administration_leaves_out_what_there_is_not_but_checks_partitions() {
    let embedded = Embedded::start().unwrap();
    embedded.create_topics(&[spec("pushes", 3, "-1")]).unwrap();
    let connection = Connection::new(embedded.brokers(), "test");
    let admin = Admin::connect(&connection, PATIENCE).unwrap();
    assert!(!admin.cluster_id().is_empty());
    assert_eq!(admin.ensure_topics(&[spec("pushes", 3, "-1")]).unwrap()[0].partitions, 3);
    assert!(matches!(admin.ensure_topics(&[spec("pushes", 4, "-1")]), Err(Error::TopicMismatch { .. })));
    assert!(matches!(admin.ensure_topics(&[spec("other", 1, "-1")]), Err(Error::CreateTopic { .. })));
    admin.delete_records("pushes", &[(0, 0)]).unwrap();
    assert_eq!(topic_ids(&connection, &["pushes"], PATIENCE).unwrap(), [None]);
}

#[test]
fn an_address_is_an_embedded_brokers_only_while_it_lives() {
    let embedded = Embedded::start().unwrap();
    let address = embedded.brokers().to_owned();
    assert!(serves(&address) && !serves("127.0.0.1:9092") && Gaps::of(&address).is_some());
    drop(embedded);
    assert!(!serves(&address) && Gaps::of(&address).is_none());
}

#[test]
fn a_hole_is_noticed_wherever_reading_began() {
    let gaps = Gaps::default();
    gaps.begin(&[(0, StartAt::Beginning), (1, StartAt::Offset(7)), (2, StartAt::End)]);
    for (partition, offset) in [(0, 0), (0, 1), (1, 7), (2, 90), (2, 91)] {
        assert!(gaps.check("t", partition, offset).is_ok(), "{partition}:{offset}");
    }
    for (partition, offset) in [(0, 3), (1, 9), (2, 93)] {
        let error = gaps.check("t", partition, offset).unwrap_err().to_string();
        assert!(error.contains(&format!("of t:{partition}")), "{error}");
    }
}
