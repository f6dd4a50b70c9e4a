//! The delivery reports of one transaction: how many are awaited, what offsets they gave, what failed.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::Message;
use rdkafka::error::KafkaError;
use rdkafka::producer::{DeliveryResult, ProducerContext};

use crate::context::Context;

/// Shared between the thread that sends and the producer's polling thread.
#[derive(Default)]
pub(crate) struct Deliveries {
    ledger: Mutex<Ledger>,
    settled: Condvar,
}

#[derive(Default)]
struct Ledger {
    /// The offset of each record, by its place in the transaction.
    offsets: Vec<u64>,
    awaited: usize,
    failure: Option<Failure>,
}

/// A record that was not delivered.
pub(crate) struct Failure {
    pub(crate) topic: String,
    pub(crate) error: KafkaError,
}

/// How waiting for deliveries ended.
pub(crate) enum Outcome {
    Delivered(Vec<u64>),
    Failed(Failure),
    TimedOut { awaited: usize },
}

impl Deliveries {
    /// Begins a transaction of so many records. Nothing may be in flight.
    pub(crate) fn expect(&self, records: usize) {
        let mut ledger = self.lock();
        *ledger = Ledger { offsets: vec![0; records], awaited: records, failure: None };
    }

    fn report(&self, index: usize, result: &DeliveryResult<'_>) {
        let mut ledger = self.lock();
        match result {
            Ok(message) => {
                // A report beyond the ledger cannot be: the producer is dropped whole after any failure.
                if let Some(offset) = ledger.offsets.get_mut(index) {
                    *offset = message.offset() as u64;
                }
            }
            Err((error, message)) => {
                let failure = || Failure { topic: message.topic().to_owned(), error: error.clone() };
                ledger.failure.get_or_insert_with(failure);
            }
        }
        ledger.awaited = ledger.awaited.saturating_sub(1);
        if ledger.awaited == 0 || ledger.failure.is_some() {
            self.settled.notify_all();
        }
    }

    /// Waits until all are delivered, one has failed, or the time is over.
    pub(crate) fn wait(&self, timeout: Duration) -> Outcome {
        let deadline = Instant::now() + timeout;
        let mut ledger = self.lock();
        loop {
            if let Some(failure) = ledger.failure.take() {
                return Outcome::Failed(failure);
            }
            if ledger.awaited == 0 {
                return Outcome::Delivered(std::mem::take(&mut ledger.offsets));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Outcome::TimedOut { awaited: ledger.awaited };
            }
            ledger = self.settled.wait_timeout(ledger, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProducerContext for Context<Deliveries> {
    /// The record's place in its transaction.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, index: usize) {
        self.count(result);
        self.extra.report(index, result);
    }
}

impl<E> Context<E> {
    /// Counts a delivery report.
    pub(crate) fn count(&self, result: &DeliveryResult<'_>) {
        match result {
            Ok(message) => self.stats.add(1, (message.key_len() + message.payload_len()) as u64),
            Err((error, _)) => self.count_failure(error),
        }
    }
}
