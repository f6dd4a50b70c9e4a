//! A member of a consumer group under a stable name, whose rebalances are hand-overs.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, Offset};
use tracing::{debug, info};

use crate::admin::{Watermarks, watermarks};
use crate::connection::{millis, setting_error};
use crate::consume::{FETCH, MemberEvent, READING, assign, drain, partitions_of};
use crate::context::Context;
use crate::{Connection, Error, Isolation, Polled, Record, Result, StartAt, Stats, error};

/// Which group to join, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSettings {
    /// The consumer group.
    pub group: String,
    /// The topic that the group shares.
    pub topic: String,
    /// The stable name: the same after a restart, unique in the group, and part of this instance's `transactional.id`
    /// (rule 17). A restart in place within the session keeps the partitions and moves nothing.
    pub instance: String,
    /// How long the group waits for a member that fell silent. 6 to 10 s; brokers refuse less than 6 s.
    pub session_timeout: Duration,
    /// How long the member may go without a poll; longer than its longest restore.
    pub max_poll_interval: Duration,
}

impl GroupSettings {
    /// Settings with a session of 6 s and a minute between polls.
    #[must_use]
    pub fn new(group: impl Into<String>, topic: impl Into<String>, instance: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            topic: topic.into(),
            instance: instance.into(),
            session_timeout: Duration::from_secs(6),
            max_poll_interval: Duration::from_mins(1),
        }
    }

    fn config(&self, connection: &Connection) -> Result<ClientConfig> {
        let (session, max_poll) = (millis(self.session_timeout), millis(self.max_poll_interval));
        let defaults = [
            ("heartbeat.interval.ms", "1000"),
            ("max.poll.interval.ms", max_poll.as_str()),
            // What a backlog brings of one partition before the next one's turn: thousands of events, not all of them.
            // Learners that go by time (what is popular, what came last) see partitions about abreast.
            ("fetch.message.max.bytes", "131072"),
        ];
        let fixed = [
            ("group.id", self.group.as_str()),
            ("group.instance.id", &self.instance),
            // Rule 16: static and eager. Cooperative leaves partitions without an owner when a static member dies
            // between its two phases; the new protocol does not take a killed static member back. Rule 15's
            // incremental calls are for these two only, so they appear nowhere.
            ("group.protocol", "classic"),
            ("partition.assignment.strategy", "range"),
            ("session.timeout.ms", &session),
            // Rule 9: a reader of uncommitted records would be given committed offsets that a pending transaction is
            // about to replace, and read 50 events twice. This holds for plain input topics too.
            ("isolation.level", Isolation::ReadCommitted.property()),
        ];
        connection.config(&[&FETCH[..], &defaults].concat(), &[&READING[..], &fixed].concat())
    }
}

/// How long [`Member::committed`] must be ready to wait for a dead instance's transaction to be ended for it: its
/// time-out, the broker's scan for such transactions (10 s by default), and a margin (rule 10).
#[must_use]
pub fn committed_patience(transaction_timeout: Duration) -> Duration {
    transaction_timeout + Duration::from_secs(15)
}

/// Proof of membership at one moment; fences offsets that a former member would commit. Take it afresh for each
/// transaction (rule 11).
pub struct GroupMetadata(pub(crate) ConsumerGroupMetadata);

/// Rebalances on their way from librdkafka to the role.
#[derive(Default)]
struct Handover {
    events: Mutex<VecDeque<MemberEvent>>,
    waiting: AtomicBool,
    joined: AtomicBool,
    closing: AtomicBool,
}

impl Handover {
    fn push(&self, event: MemberEvent) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
        self.waiting.store(true, Ordering::Release);
    }

    fn take(&self) -> VecDeque<MemberEvent> {
        self.waiting.store(false, Ordering::Release);
        std::mem::take(&mut self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

type Shared = Context<Handover>;

impl ConsumerContext for Shared {
    /// Rule 12: only queues the event. The role ends its transaction, then answers from its own loop; librdkafka waits
    /// for the answer and delivers nothing meanwhile.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, error: RDKafkaRespErr, list: &mut TopicPartitionList) {
        // Rule 13: nobody answers while closing, and a consumer whose revocation is never answered never closes.
        if self.extra.closing.load(Ordering::Acquire) {
            if let Err(error) = consumer.unassign() {
                debug!("unassign while closing: {error}");
            }
            return;
        }
        let partitions: Vec<u32> = list.elements().iter().map(|element| element.partition() as u32).collect();
        if matches!(error, RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
            info!(?partitions, "partitions assigned");
            self.session_lost.store(false, Ordering::Release);
            self.extra.joined.store(true, Ordering::Release);
            self.extra.push(MemberEvent::Assigned(partitions));
        } else {
            let lost = consumer.assignment_lost();
            info!(?partitions, lost, "partitions revoked");
            // Rule 14: after a loss offsets would be refused, so they are not even offered.
            self.extra.joined.store(!lost, Ordering::Release);
            self.extra.push(MemberEvent::Revoked { partitions, lost });
        }
    }
}

/// A member of a consumer group.
///
/// One thread polls; every other call may come from any thread, so it is shared by `Arc`.
pub struct Member {
    consumer: Mutex<Option<Arc<BaseConsumer<Shared>>>>,
    stats: Arc<Stats>,
    brokers: String,
    settings: GroupSettings,
}

impl Member {
    /// Subscribes, and returns before the group has given anything: that comes as [`MemberEvent::Assigned`]. Start the
    /// transactional producer before, since it aborts what a predecessor left (rule 22).
    ///
    /// # Errors
    /// [`Error::Setting`], or the subscription is refused.
    pub fn join(connection: &Connection, settings: GroupSettings) -> Result<Self> {
        let context = Context::new(&connection.brokers, Handover::default());
        let stats = Arc::clone(&context.stats);
        let consumer = BaseConsumer::from_config_and_context(&settings.config(connection)?, context)
            .map_err(|error| setting_error(&error))?;
        consumer.subscribe(&[&settings.topic]).map_err(|error| Error::of("subscribe", &error))?;
        let consumer = Mutex::new(Some(Arc::new(consumer)));
        Ok(Self { consumer, stats, brokers: connection.brokers.clone(), settings })
    }

    /// Waits up to `timeout` for a first record or event, then hands over what is there, at most `max_records`.
    ///
    /// Must be called at least every `max_poll_interval`, also while everything is paused or a restore is going on.
    /// Offsets have holes (rule 20): the next one may be more than one higher, never lower.
    ///
    /// # Errors
    /// [`Error::Fenced`] if another process runs under the same name, [`Error::SessionLost`],
    /// [`Error::OffsetOutOfRange`], [`Error::Closed`], and whatever librdkafka cannot deal with itself.
    pub fn poll(&self, timeout: Duration, max_records: usize, on_record: &mut dyn FnMut(Record<'_>)) -> Result<Polled> {
        let consumer = self.consumer()?;
        let handover = &consumer.context().extra;
        let interrupted = || handover.waiting.load(Ordering::Acquire) || handover.closing.load(Ordering::Acquire);
        let mut polled = drain(&consumer, &self.settings.topic, timeout, max_records, &interrupted, on_record)?;
        if handover.waiting.load(Ordering::Acquire) {
            polled.events.extend(handover.take());
        }
        Ok(polled)
    }

    /// Answers [`MemberEvent::Assigned`]: reads these partitions from here on. With an empty list too (rule 15).
    ///
    /// # Errors
    /// librdkafka refuses, or the member is closed.
    pub fn assign(&self, starts: &[(u32, StartAt)]) -> Result<()> {
        assign(&*self.consumer()?, &self.settings.topic, starts)
    }

    /// Answers [`MemberEvent::Revoked`]: gives everything up. Records that were polled but not processed must be
    /// dropped (rule 14).
    ///
    /// # Errors
    /// librdkafka refuses, or the member is closed.
    pub fn unassign(&self) -> Result<()> {
        self.consumer()?.unassign().map_err(|error| Error::of("unassign", &error))
    }

    /// Stops reading these partitions for now; polling goes on. What was fetched ahead of them is thrown away and
    /// fetched again later, so this is for seconds, not for milliseconds.
    ///
    /// # Errors
    /// librdkafka refuses, or the member is closed.
    pub fn pause(&self, partitions: &[u32]) -> Result<()> {
        self.consumer()?.pause(&self.list(partitions)).map_err(|error| Error::of("pause", &error))
    }

    /// Goes on reading these partitions where they were paused.
    ///
    /// # Errors
    /// librdkafka refuses, or the member is closed.
    pub fn resume(&self, partitions: &[u32]) -> Result<()> {
        self.consumer()?.resume(&self.list(partitions)).map_err(|error| Error::of("resume", &error))
    }

    /// The group's committed offsets of these partitions, in their order; none where nothing is committed.
    ///
    /// Stable: while a transaction that holds an offset of one of them is open it waits, at most for `patience`
    /// ([`committed_patience`]). It may be called before the group has answered.
    ///
    /// # Errors
    /// [`Error::OffsetsPending`] names hanging transactions (rule 10); [`Error::Unreachable`].
    pub fn committed(&self, partitions: &[u32], patience: Duration) -> Result<Vec<Option<u64>>> {
        const CALL: &str = "fetch committed offsets";
        let (consumer, deadline) = (self.consumer()?, Instant::now() + patience);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            // Short calls, so that a member that is being closed does not hold its consumer for long.
            let one_call = left.min(Duration::from_secs(2)).max(Duration::from_millis(1));
            match consumer.committed_offsets(self.list(partitions), one_call) {
                Ok(list) => return offsets_in(CALL, &list),
                Err(error) if left.is_zero() => return Err(self.committed_failed(&consumer, &error)),
                // Rule 10: time-outs are what a pending offset looks like.
                Err(error) if error::code(&error).is_some_and(passing) => {
                    self.consumer()?;
                    thread::sleep(left.min(Duration::from_millis(20)));
                }
                Err(error) => return Err(Error::of(CALL, &error)),
            }
        }
    }

    /// Proof of membership for the offsets of one transaction (rule 11).
    ///
    /// # Errors
    /// [`Error::NotAMember`] before the first assignment and after a loss: Kafka would take the first unfenced.
    pub fn group_metadata(&self) -> Result<GroupMetadata> {
        let consumer = self.consumer()?;
        if !consumer.context().extra.joined.load(Ordering::Acquire) {
            return Err(Error::NotAMember { group: self.settings.group.clone() });
        }
        let metadata = consumer.group_metadata();
        metadata.map(GroupMetadata).ok_or_else(|| Error::NotAMember { group: self.settings.group.clone() })
    }

    /// First offset and last stable offset of a partition.
    ///
    /// # Errors
    /// [`Error::Unreachable`], or the partition does not exist.
    pub fn watermarks(&self, partition: u32, timeout: Duration) -> Result<Watermarks> {
        watermarks(self.consumer()?.client(), &self.brokers, &self.settings.topic, partition, timeout)
    }

    /// Counters of this member.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Leaves nothing running: waits for calls on other threads to return, then closes the consumer. The group keeps
    /// the partitions for this name until its session ends. Not to be called from within a poll's callback.
    ///
    /// Dropping the member does the same; it may take about as long as a broker that is away lets it.
    pub fn close(&self) {
        let Some(mut consumer) = self.consumer.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        // Rule 13, and in this order: from here on the callback answers for itself, then what is still unanswered is
        // given up, then the consumer's own drop polls until it is closed.
        consumer.context().extra.closing.store(true, Ordering::Release);
        if let Err(error) = consumer.unassign() {
            debug!("unassign while closing: {error}");
        }
        loop {
            match Arc::try_unwrap(consumer) {
                Ok(consumer) => return drop(consumer),
                Err(shared) => consumer = shared,
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn consumer(&self) -> Result<Arc<BaseConsumer<Shared>>> {
        let consumer = self.consumer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        consumer.ok_or_else(|| Error::Closed { topic: self.settings.topic.clone() })
    }

    fn list(&self, partitions: &[u32]) -> TopicPartitionList {
        partitions_of(&self.settings.topic, partitions.iter().copied())
    }

    /// A time-out over a living connection means a pending offset; over a dead one it means just that.
    fn committed_failed(&self, consumer: &BaseConsumer<Shared>, error: &KafkaError) -> Error {
        if consumer.client().fetch_metadata(Some(&self.settings.topic), Duration::from_secs(2)).is_err() {
            return Error::Unreachable { brokers: self.brokers.clone(), detail: error.to_string() };
        }
        Error::OffsetsPending { group: self.settings.group.clone(), topic: self.settings.topic.clone() }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.close();
    }
}

/// Errors of a look-up that pass by themselves: offsets that are pending, and a coordinator that is on the move.
pub(crate) fn passing(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{
        CoordinatorLoadInProgress, CoordinatorNotAvailable, NotCoordinator, RequestTimedOut, UnstableOffsetCommit,
        WaitingForCoordinator,
    };
    error::unreachable(code)
        || matches!(
            code,
            CoordinatorLoadInProgress
                | CoordinatorNotAvailable
                | NotCoordinator
                | RequestTimedOut
                | UnstableOffsetCommit
                | WaitingForCoordinator
        )
}

pub(crate) fn offsets_in(call: &'static str, list: &TopicPartitionList) -> Result<Vec<Option<u64>>> {
    list.elements()
        .iter()
        .map(|element| {
            element.error().map_err(|error| Error::of(call, &error))?;
            Ok(match element.offset() {
                Offset::Offset(offset) => u64::try_from(offset).ok(),
                _ => None,
            })
        })
        .collect()
}
