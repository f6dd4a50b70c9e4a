//! The sender with a promise, for events that arrive over REST.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::Message;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::producer::{DeliveryResult, Producer, ProducerContext, ThreadedProducer};

use crate::connection::setting_error;
use crate::context::Context;
use crate::transactional::{PARTITIONER, base_record, send_error};
use crate::{Connection, Error, OutRecord, Result, Stats};

/// What is called when the fate of a record is known: its partition and its offset, or why it is not there. It runs on
/// the sender's polling thread and must be short.
pub type Acked = Box<dyn FnOnce(Result<(u32, u64)>) + Send>;

pub(crate) struct CallBack;

impl ProducerContext for Context<CallBack> {
    /// The lock is never contended; it makes the callback shareable, as rdkafka wants its opaque values.
    type DeliveryOpaque = Box<Mutex<Option<Acked>>>;

    fn delivery(&self, result: &DeliveryResult<'_>, callback: Self::DeliveryOpaque) {
        self.count(result);
        let outcome = match result {
            Ok(message) => Ok((message.partition() as u32, message.offset() as u64)),
            Err((error, message)) => {
                Err(Error::NotDelivered { topic: message.topic().to_owned(), detail: error.to_string() })
            }
        };
        if let Some(callback) = callback.into_inner().unwrap_or_else(PoisonError::into_inner) {
            callback(outcome);
        }
    }
}

/// Sends records and tells when all in-sync replicas have them. Idempotent: the client's own retries neither repeat nor
/// reorder. Batches what arrives together; may be shared between threads.
pub struct AckedSender {
    producer: ThreadedProducer<Context<CallBack>>,
}

impl AckedSender {
    /// Opens a sender; it does not wait for a broker.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn open(connection: &Connection) -> Result<Self> {
        let defaults = [
            ("linger.ms", "0"),
            ("message.timeout.ms", "8000"),
            ("queue.buffering.max.messages", "100000"),
            ("queue.buffering.max.kbytes", "65536"),
        ];
        let fixed = [("enable.idempotence", "true"), ("acks", "all"), PARTITIONER];
        let config = connection.config(&defaults, &fixed)?;
        let context = Context::new(&connection.brokers, CallBack);
        let producer = ThreadedProducer::from_config_and_context(&config, context).map_err(|e| setting_error(&e))?;
        Ok(Self { producer })
    }

    /// Takes a record to be sent, without waiting; `acked` is called once, also when this sender is dropped first.
    /// An error after 8 s leaves open whether the record is there.
    ///
    /// # Errors
    /// [`Error::QueueFull`], [`Error::TooLarge`], [`Error::NoPartition`]; then `acked` is dropped without being called.
    pub fn send_acked(&self, record: &OutRecord, acked: Acked) -> Result<()> {
        let opaque = Box::new(Mutex::new(Some(acked)));
        self.producer.send(base_record(record, opaque)).map_err(|(error, _)| send_error(&error, record))
    }

    /// Waits until the fate of everything taken is known.
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
