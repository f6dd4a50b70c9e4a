//! A reader of partitions that it names itself, outside of any group.

use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::admin::{Watermarks, watermarks};
use crate::connection::setting_error;
use crate::consume::{FETCH, READING, assign, drain, partitions_of};
use crate::context::Context;
use crate::{Connection, Error, Isolation, Polled, Record, Result, StartAt, Stats};

/// Reads partitions of one topic, for restores, pulls, replies and changelogs. Offsets are the caller's business.
///
/// Poll it from one thread; everything else may be called from any.
pub struct Reader {
    consumer: BaseConsumer<Context<()>>,
    brokers: String,
    topic: String,
}

impl Reader {
    /// Opens a reader. It does not wait for a broker; one reader serves all partitions (rule 24: each costs threads and
    /// a connection).
    ///
    /// # Errors
    /// [`Error::Setting`], or the assignment is refused.
    pub fn open(connection: &Connection, topic: &str, starts: &[(u32, StartAt)], isolation: Isolation) -> Result<Self> {
        // Manual assignment joins no group, but librdkafka wants a name for one.
        let group = format!("{}-reader", connection.client_id);
        let fixed = [("group.id", group.as_str()), ("isolation.level", isolation.property())];
        let config = connection.config(&FETCH, &[&READING[..], &fixed].concat())?;
        let consumer = BaseConsumer::from_config_and_context(&config, Context::new(&connection.brokers, ()))
            .map_err(|error| setting_error(&error))?;
        let reader = Self { consumer, brokers: connection.brokers.clone(), topic: topic.to_owned() };
        reader.reassign(starts)?;
        Ok(reader)
    }

    /// Replaces what is read. Records of the former assignment that were not handed over yet are dropped.
    ///
    /// # Errors
    /// The assignment is refused.
    pub fn reassign(&self, starts: &[(u32, StartAt)]) -> Result<()> {
        assign(&self.consumer, &self.topic, starts)
    }

    /// Waits up to `timeout` for a first record, then hands over what is there, at most `max_records`.
    ///
    /// # Errors
    /// [`Error::OffsetOutOfRange`] and whatever librdkafka cannot deal with itself. A lost connection is no error: see
    /// [`Stats::connected`].
    pub fn poll(&self, timeout: Duration, max_records: usize, on_record: &mut dyn FnMut(Record<'_>)) -> Result<Polled> {
        drain(&self.consumer, &self.topic, timeout, max_records, &|| false, on_record)
    }

    /// Stops reading these partitions for now. What was fetched ahead of them is thrown away and fetched again later,
    /// so this is for seconds, not for milliseconds.
    ///
    /// # Errors
    /// librdkafka refuses.
    pub fn pause(&self, partitions: &[u32]) -> Result<()> {
        self.consumer.pause(&self.list(partitions)).map_err(|error| Error::of("pause", &error))
    }

    /// Goes on reading these partitions where they were paused.
    ///
    /// # Errors
    /// librdkafka refuses.
    pub fn resume(&self, partitions: &[u32]) -> Result<()> {
        self.consumer.resume(&self.list(partitions)).map_err(|error| Error::of("resume", &error))
    }

    /// First offset and end of a partition as this reader's isolation sees them.
    ///
    /// # Errors
    /// [`Error::Unreachable`], or the partition does not exist.
    pub fn watermarks(&self, partition: u32, timeout: Duration) -> Result<Watermarks> {
        watermarks(self.consumer.client(), &self.brokers, &self.topic, partition, timeout)
    }

    /// Counters of this reader.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.consumer.context().stats
    }

    fn list(&self, partitions: &[u32]) -> TopicPartitionList {
        partitions_of(&self.topic, partitions.iter().copied())
    }
}
