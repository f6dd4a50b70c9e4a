//! The transactional producer: records, and the input offsets that they answer for, all or nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};

use crate::connection::{millis, setting_error};
use crate::consume::offsets_of;
use crate::context::Context;
use crate::deliveries::{Deliveries, Failure, Outcome};
use crate::watchdog::Watchdog;
use crate::{AbortFirst, Connection, Error, GroupMetadata, OutRecord, Result, Stats, error};

/// Time-outs of the calls, all well below the watchdog's 30 s. `send_offsets` keeps to its own only roughly (rule 21): with
/// 10 s it came back after up to 25 while a broker was away, and once, on a busy machine, not within the 30.
const INIT_TIMEOUT: Duration = Duration::from_secs(20);
const OFFSETS_TIMEOUT: Duration = Duration::from_secs(6);
const COMMIT_TIMEOUT: Duration = Duration::from_secs(15);
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait for room in the queue before looking again.
const QUEUE_FULL_PAUSE: Duration = Duration::from_micros(200);

/// What one transaction writes.
#[derive(Default)]
pub struct Transaction {
    /// Its records, sent in this order.
    pub records: Vec<OutRecord>,
    /// The input that these records answer for.
    pub offsets: Option<InputOffsets>,
}

/// Input offsets to be committed with a transaction.
pub struct InputOffsets {
    /// Proof of membership, taken afresh for this transaction (rule 11).
    pub metadata: GroupMetadata,
    /// The input topic.
    pub topic: Arc<str>,
    /// Partitions and the offsets next to read in them.
    pub next: Vec<(u32, u64)>,
}

/// A transaction that is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The offset that each record got, in the order of the records.
    pub offsets: Vec<u64>,
    /// From the beginning of the transaction to the end of its commit.
    pub duration: Duration,
}

pub(crate) type Deliverer = ThreadedProducer<Context<Deliveries>>;

/// A producer of transactions under a stable id. One thread owns it; its calls block.
///
/// Any error leaves it good for dropping only (rule 2): the role is torn down and started again, and the next start
/// aborts what is left open. There is no recovery in place, hence no way to forget a step of it (rule 1).
pub struct Transactional {
    producer: Deliverer,
    watchdog: Watchdog,
    id: String,
    timeout: Duration,
    began: Instant,
    failed: bool,
}

impl Transactional {
    /// Starts a producer, ends whatever a predecessor with this id left open, and aborts first (rule 22): call it
    /// before joining the group. Takes 0.1 to 1.1 s.
    ///
    /// `transactional_id` must be unique to this role and instance (rule 17). `transaction_timeout` is how long others
    /// may have to wait for what this one leaves open when it dies; the broker's scan comes on top.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::NoPartition`], [`Error::Fenced`], [`Error::Setting`], or any failing call.
    pub fn start(
        connection: &Connection,
        transactional_id: &str,
        transaction_timeout: Duration,
        abort_first: &AbortFirst,
    ) -> Result<Self> {
        let producer = producer(connection, transactional_id, transaction_timeout)?;
        let watchdog = Watchdog::start(transactional_id)
            .map_err(|error| Error::Call { call: "start the watchdog", detail: error.to_string() })?;
        let (id, timeout, began) = (transactional_id.to_owned(), transaction_timeout, Instant::now());
        let mut started = Self { producer, watchdog, id, timeout, began, failed: false };
        started.check_partitions(connection, &abort_first.partitions)?;
        started
            .call(|producer| producer.init_transactions(INIT_TIMEOUT))
            .map_err(|error| started.fenced_or(Error::of_lookup("init transactions", &connection.brokers, &error)))?;
        started.abort_first(connection, abort_first)?;
        Ok(started)
    }

    /// Writes one transaction and commits it.
    ///
    /// # Errors
    /// Whatever fails: a record that the client refuses ([`Error::TooLarge`]) as much as the commit, whose outcome is
    /// then unknown until the next start settles it (rule 7). The producer takes no more transactions afterwards.
    pub fn run(&mut self, transaction: &Transaction) -> Result<Committed> {
        if self.failed {
            return Err(Error::Failed { transactional_id: self.id.clone() });
        }
        // Reset only at the end, so that no early return can leave it usable.
        self.failed = true;
        self.begin()?;
        self.send_all(&transaction.records)?;
        if let Some(offsets) = &transaction.offsets {
            let next = offsets.next.iter().map(|(partition, next)| (*partition, Offset::Offset(*next as i64)));
            let list = offsets_of("send offsets", &offsets.topic, next)?;
            self.send_offsets(&list, &offsets.metadata)?;
        }
        let offsets = self.settle("commit")?;
        self.call(|producer| producer.commit_transaction(COMMIT_TIMEOUT)).map_err(|e| self.error("commit", &e))?;
        self.failed = false;
        Ok(Committed { offsets, duration: self.began.elapsed() })
    }

    /// Runs one transaction after the other, until there are no more, one fails, or `report` says that nobody listens.
    pub fn run_all(
        mut self,
        transactions: impl IntoIterator<Item = Transaction>,
        mut report: impl FnMut(Result<Committed>) -> bool,
    ) {
        for transaction in transactions {
            let outcome = self.run(&transaction);
            let failed = outcome.is_err();
            if !report(outcome) || failed {
                return;
            }
        }
    }

    /// Counters of this producer.
    #[must_use]
    pub fn stats(&self) -> &Arc<Stats> {
        &self.producer.context().stats
    }

    pub(crate) fn begin(&mut self) -> Result<()> {
        self.began = Instant::now();
        self.call(Producer::begin_transaction).map_err(|error| self.error("begin", &error))
    }

    /// Rule 5: every send is checked, since a transaction commits happily without a record that was refused locally.
    pub(crate) fn send_all(&self, records: &[OutRecord]) -> Result<()> {
        self.producer.context().extra.expect(records.len());
        records.iter().enumerate().try_for_each(|(index, record)| self.send(index, record))
    }

    /// Waits for room in the queue as long as any comes: a whole model takes longer than a step.
    fn send(&self, index: usize, record: &OutRecord) -> Result<()> {
        let mut deadline = None;
        loop {
            match self.producer.send(base_record(record, index)) {
                Ok(()) => return Ok(()),
                Err((error, _)) if is_queue_full(&error) && has_time(&mut deadline) => {
                    thread::sleep(QUEUE_FULL_PAUSE);
                }
                Err((error, _)) => return Err(self.fenced_or(send_error(&error, record))),
            }
        }
    }

    pub(crate) fn send_offsets(&self, list: &TopicPartitionList, metadata: &GroupMetadata) -> Result<()> {
        self.call(|producer| producer.send_offsets_to_transaction(list, &metadata.0, OFFSETS_TIMEOUT))
            .map_err(|error| self.error("send offsets", &error))
    }

    /// Waits until nothing is in flight: rule 3 before an abort, or the next transaction dies of skipped sequence
    /// numbers; rule 4 before a commit, or it costs the 100 ms for which rdkafka's own flush polls.
    pub(crate) fn settle(&self, call: &'static str) -> Result<Vec<u64>> {
        match self.watchdog.watch(|| self.producer.context().extra.wait(COMMIT_TIMEOUT)) {
            Outcome::Delivered(offsets) => {
                // The reports come a moment before their batch is taken off the count.
                let deadline = Instant::now() + COMMIT_TIMEOUT;
                while self.producer.in_flight_count() > 0 && Instant::now() < deadline {
                    thread::yield_now();
                }
                Ok(offsets)
            }
            Outcome::Failed(Failure { topic, error }) => {
                Err(self.fenced_or(Error::NotDelivered { topic, detail: error.to_string() }))
            }
            Outcome::TimedOut { awaited } => Err(Error::Call {
                call,
                detail: format!("{awaited} records not acknowledged within {COMMIT_TIMEOUT:?}"),
            }),
        }
    }

    pub(crate) fn abort(&self) -> Result<()> {
        self.call(|producer| producer.abort_transaction(COMMIT_TIMEOUT)).map_err(|error| self.error("abort", &error))
    }

    /// Rule 6: a record for a partition that does not exist would be accepted and then hold up its commit.
    fn check_partitions(&self, connection: &Connection, partitions: &[(Arc<str>, u32)]) -> Result<()> {
        let topics: BTreeSet<&Arc<str>> = partitions.iter().map(|(topic, _)| topic).collect();
        for topic in topics {
            let metadata = self
                .call(|producer| producer.client().fetch_metadata(Some(topic), LOOKUP_TIMEOUT))
                .map_err(|error| Error::of_lookup("fetch metadata", &connection.brokers, &error))?;
            let count = metadata.topics().first().map_or(0, |found| found.partitions().len());
            let of_topic = partitions.iter().filter(|(name, _)| name == topic);
            if let Some(partition) = of_topic.map(|(_, partition)| *partition).find(|p| *p as usize >= count) {
                return Err(Error::NoPartition { topic: topic.to_string(), partition });
            }
        }
        Ok(())
    }

    fn error(&self, call: &'static str, error: &KafkaError) -> Error {
        self.fenced_or(Error::of(call, error))
    }

    /// A fenced producer says so in one place; its calls then fail in whatever way they are caught by it. The broker
    /// fences one whose transaction took too long just as it fences one that has been replaced, so time tells them apart.
    fn fenced_or(&self, error: Error) -> Error {
        match self.producer.client().fatal_error() {
            Some((code, _)) if error::fences(code) && self.began.elapsed() >= self.timeout => {
                Error::Expired { timeout: self.timeout }
            }
            Some((code, detail)) if error::fences(code) => Error::Fenced { call: "transaction", detail },
            _ => error,
        }
    }

    fn call<T>(&self, call: impl FnOnce(&Deliverer) -> KafkaResult<T>) -> KafkaResult<T> {
        self.watchdog.watch(|| call(&self.producer))
    }
}

/// Whether the time to wait for room, which begins now, is not over.
fn has_time(deadline: &mut Option<Instant>) -> bool {
    Instant::now() < *deadline.get_or_insert_with(|| Instant::now() + COMMIT_TIMEOUT)
}

/// Rule 4: a producer with a polling thread of its own, never a bare one: its commits would cost 100 ms, its aborts hang.
fn producer(connection: &Connection, transactional_id: &str, transaction_timeout: Duration) -> Result<Deliverer> {
    let timeout = millis(transaction_timeout);
    let defaults =
        [("linger.ms", "0"), ("queue.buffering.max.messages", "100000"), ("queue.buffering.max.kbytes", "131072")];
    let fixed = [
        ("transactional.id", transactional_id),
        ("transaction.timeout.ms", &timeout),
        ("enable.idempotence", "true"),
        ("acks", "all"),
        PARTITIONER,
    ];
    let config = connection.config(&defaults, &fixed)?;
    let context = Context::new(&connection.brokers, Deliveries::default());
    Deliverer::from_config_and_context(&config, context).map_err(|error| setting_error(&error))
}

/// The partitioner of Java clients, who share the input topics.
pub(crate) const PARTITIONER: (&str, &str) = ("partitioner", "murmur2_random");

pub(crate) fn base_record<D: rdkafka::IntoOpaque>(
    record: &OutRecord,
    opaque: D,
) -> BaseRecord<'_, Vec<u8>, Vec<u8>, D> {
    BaseRecord {
        topic: &record.topic,
        partition: record.partition.map(|partition| partition as i32),
        payload: record.payload.as_ref(),
        key: record.key.as_ref(),
        timestamp: record.timestamp_ms,
        headers: record.owned_headers(),
        delivery_opaque: opaque,
    }
}

pub(crate) fn is_queue_full(error: &KafkaError) -> bool {
    error::code(error) == Some(RDKafkaErrorCode::QueueFull)
}

pub(crate) fn send_error(error: &KafkaError, record: &OutRecord) -> Error {
    let topic = record.topic.to_string();
    match error::code(error) {
        Some(RDKafkaErrorCode::QueueFull) => Error::QueueFull { topic },
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => Error::TooLarge { topic, bytes: record.bytes() },
        Some(RDKafkaErrorCode::UnknownPartition) => {
            Error::NoPartition { topic, partition: record.partition.unwrap_or_default() }
        }
        _ => Error::of("send", error),
    }
}
