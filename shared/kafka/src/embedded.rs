//! A broker inside this process, for trying weir out where there is no Kafka: librdkafka's mock cluster.
//!
//! It is no Kafka. It keeps nothing, isolates no transactions, knows no administration of topics, and **forgets**: of a
//! partition it has the newest 5 MiB and 100,000 batches, and drops the oldest records without a word. So nothing may
//! be restarted on it, whoever writes must be held to what readers have read, and readers notice what was dropped.
//!
//! What clients leave out on such a broker they leave out only for the address of an [`Embedded`] that lives in the
//! same process. No setting can ask for it, and no broker elsewhere can be taken for one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::{Error, Result, StartAt, TopicSpec};

/// Addresses of the embedded brokers that live.
static ADDRESSES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A broker that lives as long as this value does.
pub struct Embedded {
    cluster: MockCluster<'static, DefaultProducerContext>,
    brokers: String,
}

impl Embedded {
    /// Starts a broker on a free port of loopback.
    ///
    /// # Errors
    /// librdkafka cannot start it.
    pub fn start() -> Result<Self> {
        let cluster = MockCluster::new(1).map_err(|error| Error::of("start the embedded broker", &error))?;
        let brokers = cluster.bootstrap_servers();
        addresses().insert(brokers.clone());
        Ok(Self { cluster, brokers })
    }

    /// Its bootstrap address.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Creates topics with their partitions; all else that a specification says means nothing here.
    ///
    /// # Errors
    /// One is there already.
    pub fn create_topics(&self, specs: &[TopicSpec]) -> Result<()> {
        specs.iter().try_for_each(|spec| {
            let created = self.cluster.create_topic(&spec.name, spec.partitions.at_creation() as i32, 1);
            created.map_err(|error| Error::CreateTopic { topic: spec.name.clone(), detail: error.to_string() })
        })
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        addresses().remove(&self.brokers);
    }
}

/// Whether an embedded broker of this process has this address.
pub(crate) fn serves(brokers: &str) -> bool {
    addresses().contains(brokers)
}

fn addresses() -> MutexGuard<'static, BTreeSet<String>> {
    ADDRESSES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The offset that a reader must find next in each partition: its logs have no holes but those that dropping makes.
#[derive(Debug, Default)]
pub(crate) struct Gaps(Mutex<BTreeMap<u32, u64>>);

impl Gaps {
    /// What a reader of these brokers has to watch; nothing where holes are natural.
    pub(crate) fn of(brokers: &str) -> Option<Self> {
        serves(brokers).then(Self::default)
    }

    /// Reading begins, or begins again.
    pub(crate) fn begin(&self, starts: &[(u32, StartAt)]) {
        let next = |start| match start {
            StartAt::Beginning => Some(0),
            StartAt::Offset(offset) => Some(offset),
            StartAt::End => None,
        };
        *self.lock() = starts.iter().filter_map(|&(partition, start)| Some((partition, next(start)?))).collect();
    }

    /// Takes a record in.
    pub(crate) fn check(&self, topic: &str, partition: u32, offset: u64) -> Result<()> {
        match self.lock().insert(partition, offset + 1) {
            Some(expected) if expected < offset => {
                Err(Error::Dropped { topic: topic.to_owned(), partition, first: expected, next: offset })
            }
            _ => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
