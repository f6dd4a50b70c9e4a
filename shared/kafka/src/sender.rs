//! The plain sender, for pulls and replies: fast, without a promise.

use std::time::Duration;

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::producer::{DeliveryResult, Producer, ProducerContext, ThreadedProducer};

use crate::connection::setting_error;
use crate::context::Context;
use crate::transactional::{PARTITIONER, base_record, send_error};
use crate::{Connection, Error, OutRecord, Result, Stats};

/// Delivery reports that are only counted.
pub(crate) struct Counted;

impl ProducerContext for Context<Counted> {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        self.count(result);
    }
}

/// Sends records at once and forgets them. What is lost is asked for again by whoever misses it, so a record that is
/// not delivered within 2 s is dropped and counted in [`Stats::failed`]. May be shared between threads.
pub struct Sender {
    producer: ThreadedProducer<Context<Counted>>,
}

impl Sender {
    /// Opens a sender; it does not wait for a broker.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn open(connection: &Connection) -> Result<Self> {
        let defaults = [
            ("linger.ms", "0"),
            ("message.timeout.ms", "2000"),
            ("queue.buffering.max.messages", "20000"),
            ("queue.buffering.max.kbytes", "65536"),
        ];
        let config = connection.config(&defaults, &[("acks", "1"), PARTITIONER])?;
        let context = Context::new(&connection.brokers, Counted);
        let producer = ThreadedProducer::from_config_and_context(&config, context).map_err(|e| setting_error(&e))?;
        Ok(Self { producer })
    }

    /// Takes a record to be sent, without waiting.
    ///
    /// # Errors
    /// [`Error::QueueFull`] (drop it or try later), [`Error::TooLarge`], [`Error::NoPartition`].
    pub fn send(&self, record: &OutRecord) -> Result<()> {
        self.producer.send(base_record(record, ())).map_err(|(error, _)| send_error(&error, record))
    }

    /// Waits until everything is delivered or dropped.
    ///
    /// # Errors
    /// Something is still under way after `timeout`.
    pub fn flush(&self, timeout: Duration) -> Result<()> {
        self.producer.flush(timeout).map_err(|error| Error::of("flush", &error))
    }

    /// Counters of this sender.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.producer.context().stats
    }
}
