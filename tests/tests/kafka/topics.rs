//! Topics are created, checked, refused with advice, and cut.

use std::thread;
use std::time::Duration;

use weir_kafka::{Admin, Connection, Error, Isolation, Partitions, Reader, StartAt, topic_ids};
use weir_tests::{Broker, ports, wait_until};

use crate::support::{PATIENCE, admin, connection, payloads, read, read_to_end, spec, topic, write};

#[test]
fn missing_topics_are_created_and_existing_ones_checked() {
    let (admin, name) = (admin(), Broker::shared().topic("checked"));
    assert_eq!(admin.partition_count(&name).unwrap(), None);
    let mut wanted = spec(&name, 3, false);
    wanted.settings.insert("retention.ms".to_owned(), "3600000".to_owned());
    let created = admin.ensure_topics(&[wanted.clone()]).unwrap();
    assert_eq!((created[0].partitions, created[0].replication), (3, 1));
    assert_eq!(created[0].settings["retention.ms"], "3600000");
    admin.ensure_topics(&[wanted.clone()]).expect("it fits");

    let refused = |change: &dyn Fn(&mut weir_kafka::TopicSpec)| {
        let mut other = wanted.clone();
        change(&mut other);
        admin.ensure_topics(&[other]).expect_err("it does not fit").to_string()
    };
    let partitions = refused(&|spec| spec.partitions = Partitions::Exactly(4));
    assert!(partitions.contains(&name) && partitions.contains("new generation"), "{partitions}");
    let compaction = refused(&|spec| spec.compact = true);
    assert!(compaction.contains("--add-config cleanup.policy=compact"), "{compaction}");
    let retention = refused(&|spec| drop(spec.settings.insert("retention.ms".to_owned(), "-1".to_owned())));
    assert!(retention.contains("retention.ms is 3600000, must be at least -1"), "{retention}");
}

#[test]
fn many_may_create_the_same_topics_at_once() {
    let names: Vec<String> = (0..3).map(|_| Broker::shared().topic("raced")).collect();
    let specs: Vec<_> = names.iter().map(|name| spec(name, 2, true)).collect();
    thread::scope(|scope| {
        let racers: Vec<_> = (0..4).map(|_| scope.spawn(|| admin().ensure_topics(&specs))).collect();
        for racer in racers {
            assert_eq!(racer.join().expect("no panic").expect("all win").len(), 3);
        }
    });
}

#[test]
fn what_the_broker_refuses_to_create_is_said() {
    let mut impossible = spec(&Broker::shared().topic("impossible"), 1, false);
    impossible.replication = 9;
    let error = admin().ensure_topics(&[impossible.clone()]).unwrap_err().to_string();
    assert!(error.contains(&impossible.name) && error.contains("replication 9"), "{error}");
}

#[test]
fn a_broker_that_is_not_there_is_named() {
    let address = format!("127.0.0.1:{}", ports::reserve());
    let error = Admin::connect(&Connection::new(&address, "test"), Duration::from_millis(300)).err().unwrap();
    assert!(error.is_unreachable(), "{error}");
    assert!(error.to_string().contains(&address), "{error}");
}

#[test]
fn deleted_records_are_gone_and_reading_them_is_an_error() {
    let topic = topic("cut", 1);
    let offsets = write(&topic, 0, &["a", "b", "c", "d"]);
    let admin = admin();
    let before = admin.watermarks(&topic, 0, Isolation::ReadCommitted).unwrap();
    admin.delete_records(&topic, &[(0, offsets[2])]).unwrap();
    let after = admin.watermarks(&topic, 0, Isolation::ReadCommitted).unwrap();
    assert_eq!((after.first, after.end), (offsets[2], before.end));
    assert_eq!(payloads(&read(&topic, Isolation::ReadCommitted)), ["c", "d"]);

    let deleted = [(0, StartAt::Offset(offsets[0]))];
    let reader = Reader::open(&connection(), &topic, &deleted, Isolation::ReadCommitted).unwrap();
    let error = read_to_end(&reader).unwrap_err();
    assert!(matches!(error, Error::OffsetOutOfRange { .. }), "{error}");
    // The reader itself is as good as new.
    reader.reassign(&[(0, StartAt::Offset(offsets[3]))]).unwrap();
    assert_eq!(payloads(&read_to_end(&reader).unwrap()), ["d"]);

    assert!(admin.delete_records(&topic, &[(7, 1)]).is_err(), "there is no such partition");
}

#[test]
fn a_topic_that_is_created_anew_has_another_id() {
    let (kept, other) = (topic("kept", 3), topic("recreated", 1));
    let ids = |topics: &[&str]| topic_ids(&connection(), topics, PATIENCE).unwrap();
    let first = ids(&[&kept, "nowhere", "no name/at all", &other]);
    let [Some(kept_id), None, None, Some(other_id)] = &first[..] else { panic!("{first:?}") };
    assert_ne!(kept_id, other_id);
    let of_kafka = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    assert!(kept_id.len() == 22 && kept_id.chars().all(of_kafka), "{kept_id}");

    admin().delete_topic(&other).unwrap();
    wait_until("the topic is gone", PATIENCE, || ids(&[&other])[0].is_none().then_some(()));
    admin().ensure_topics(&[spec(&other, 1, false)]).unwrap();
    let second = ids(&[&other, &kept]);
    assert_eq!(second[1].as_ref(), Some(kept_id));
    assert!(second[0].is_some() && second[0].as_ref() != Some(other_id), "{second:?}");
}
