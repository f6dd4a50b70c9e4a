//! Writing and reading topics from outside, as the producers and consumers around a weir do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use weir_kafka::{
    Acked, AckedSender, Admin, Connection, Error, Isolation, MemberEvent, OutRecord, Partitions, Reader, StartAt,
    TopicSpec,
};

use crate::wait::wait_until;

const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(100);
/// The headers that are looked for in records that were read.
const HEADERS: [&str; 6] = ["topic", "partition", "offset", "reason", "detail", "length"];

/// A record to be written.
#[derive(Clone, Debug, Default)]
pub struct Event {
    /// The partition; none leaves it to the key, as Java clients choose it (murmur2).
    pub partition: Option<u32>,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value; none is a tombstone.
    pub payload: Option<Vec<u8>>,
}

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its partition.
    pub partition: u32,
    /// Its own offset.
    pub offset: u64,
}

/// A record that was read.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Where it lies.
    pub place: Place,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub payload: Option<Vec<u8>>,
    headers: Vec<(&'static str, String)>,
}

/// Writes to one topic, all replicas acknowledging.
pub struct Producer {
    sender: AckedSender,
    topic: Arc<str>,
}

impl Event {
    /// A JSON event keyed by its user.
    #[must_use]
    pub fn keyed(user: &str, event: &Value) -> Self {
        Self { partition: None, key: Some(user.into()), payload: Some(event.to_string().into_bytes()) }
    }

    /// Any bytes, without a key, in this partition.
    #[must_use]
    pub fn raw(partition: u32, payload: impl Into<Vec<u8>>) -> Self {
        Self { partition: Some(partition), key: None, payload: Some(payload.into()) }
    }
}

impl Seen {
    /// The value of a header, empty where it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(found, _)| *found == name).map_or("", |(_, value)| value)
    }
}

impl Producer {
    /// A producer; it does not wait for a broker.
    ///
    /// # Panics
    /// When the client refuses its settings.
    #[must_use]
    pub fn new(brokers: &str, topic: &str) -> Self {
        let mut connection = connection(brokers);
        connection.settings.insert("linger.ms".to_owned(), "2".to_owned());
        // A broker that is killed and started again takes a quarter of a minute.
        connection.settings.insert("message.timeout.ms".to_owned(), "60000".to_owned());
        let sender = AckedSender::open(&connection).unwrap_or_else(|error| panic!("{error}"));
        Self { sender, topic: topic.into() }
    }

    /// Writes all events as fast as the broker takes them; where they lie, in their order.
    ///
    /// # Panics
    /// When one is not acknowledged.
    #[must_use]
    pub fn send(&self, events: impl IntoIterator<Item = Event>) -> Vec<Place> {
        let fates: Fates = Arc::default();
        let mut sent = 0;
        for event in events {
            self.send_one(event, sent, &fates);
            sent += 1;
        }
        // Not by a flush, which looks only every 100 ms and would slow a steady load down to 500 events a second.
        wait_until("the broker acknowledges all", PATIENCE, || {
            (fates.lock().unwrap_or_else(PoisonError::into_inner).len() == sent).then_some(())
        });
        let mut fates = std::mem::take(&mut *fates.lock().unwrap_or_else(PoisonError::into_inner));
        fates.sort_by_key(|(index, _)| *index);
        assert_eq!(fates.len(), sent, "the fate of some events for {} is not known", self.topic);
        fates.into_iter().map(|(_, fate)| fate.unwrap_or_else(|error| panic!("{error}"))).collect()
    }

    fn send_one(&self, event: Event, index: usize, fates: &Fates) {
        let record = OutRecord::new(Arc::clone(&self.topic), event.partition, event.key, event.payload);
        wait_until("the producer has room", PATIENCE, || {
            let fates = Arc::clone(fates);
            let acked: Acked = Box::new(move |outcome| {
                let fate = outcome.map(|(partition, offset)| Place { partition, offset });
                fates.lock().unwrap_or_else(PoisonError::into_inner).push((index, fate));
            });
            match self.sender.send_acked(&record, acked) {
                Ok(()) => Some(()),
                Err(Error::QueueFull { .. }) => None,
                Err(error) => panic!("{error}"),
            }
        });
    }
}

/// Index and outcome of every event whose fate is known.
type Fates = Arc<Mutex<Vec<(usize, weir_kafka::Result<Place>)>>>;

/// The offset behind the last record of each partition.
///
/// # Panics
/// When the topic is not there.
#[must_use]
pub fn ends(brokers: &str, topic: &str) -> Vec<u64> {
    let admin = admin(brokers);
    let partitions = admin.partition_count(topic).unwrap_or_else(|error| panic!("{topic}: {error}"));
    let partitions = partitions.unwrap_or_else(|| panic!("there is no topic {topic}"));
    let end = |partition| admin.watermarks(topic, partition, Isolation::ReadCommitted).map(|marks| marks.end);
    (0..partitions).map(|partition| end(partition).unwrap_or_else(|error| panic!("{topic}: {error}"))).collect()
}

/// All committed records of a topic, partition by partition in their order.
///
/// # Panics
/// When the topic is not there or cannot be read.
#[must_use]
pub fn read_all(brokers: &str, topic: &str) -> Vec<Seen> {
    let mut unfinished: BTreeMap<u32, u64> = (0..).zip(ends(brokers, topic)).collect();
    let starts: Vec<_> = unfinished.keys().map(|partition| (*partition, StartAt::Beginning)).collect();
    let reader = Reader::open(&connection(brokers), topic, &starts, Isolation::ReadCommitted);
    let reader = reader.unwrap_or_else(|error| panic!("{topic}: {error}"));
    let mut records = Vec::new();
    wait_until("the topic's end", PATIENCE, || {
        let polled = reader.poll(POLL, 10_000, &mut |record| {
            // Where more is written all the time, a reader that keeps up is never told that it is at the end.
            if unfinished.get(&record.partition).is_some_and(|end| record.offset + 1 >= *end) {
                unfinished.remove(&record.partition);
            }
            records.push(seen(&record));
        });
        for event in polled.unwrap_or_else(|error| panic!("{topic}: {error}")).events {
            unfinished.retain(|partition, _| event != MemberEvent::EndOfPartition(*partition));
        }
        unfinished.is_empty().then_some(())
    });
    records.sort_by_key(|record| record.place);
    records
}

/// Creates a plain topic.
///
/// # Panics
/// When the broker refuses.
pub fn create(brokers: &str, topic: &str, partitions: u32) {
    let spec = TopicSpec {
        name: topic.to_owned(),
        partitions: Partitions::Exactly(partitions),
        replication: 1,
        compact: false,
        settings: BTreeMap::new(),
    };
    admin(brokers).ensure_topics(&[spec]).unwrap_or_else(|error| panic!("{error}"));
}

/// Talks to the broker about topics.
///
/// # Panics
/// When it does not answer.
#[must_use]
pub fn admin(brokers: &str) -> Admin {
    Admin::connect(&connection(brokers), PATIENCE).unwrap_or_else(|error| panic!("{error}"))
}

fn connection(brokers: &str) -> Connection {
    Connection::new(brokers, "weir-tests")
}

fn seen(record: &weir_kafka::Record<'_>) -> Seen {
    let header = |name| Some((name, String::from_utf8_lossy(record.headers.get(name)?).into_owned()));
    Seen {
        place: Place { partition: record.partition, offset: record.offset },
        key: record.key.map(<[u8]>::to_vec),
        payload: record.payload.map(<[u8]>::to_vec),
        headers: HEADERS.into_iter().filter_map(header).collect(),
    }
}
