//! What can go wrong, in the terms of whoever has to do something about it.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// An error of a Kafka call. All of them end the role that made the call: it is torn down and started again from what
/// is committed. [`Error::is_fenced`] ends the process, [`Error::is_unreachable`] is worth a quiet retry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No broker answered in time.
    #[error("no kafka broker can be reached at {brokers}: {detail}")]
    Unreachable {
        /// The addresses that were tried, as configured.
        brokers: String,
        /// What librdkafka says about it.
        detail: String,
    },
    /// A Kafka setting was refused, by weir or by librdkafka.
    #[error("kafka setting {name}: {reason}")]
    Setting {
        /// The librdkafka property.
        name: String,
        /// Why it is refused and what to do instead.
        reason: String,
    },
    /// A topic is missing, or has too few partitions for what is to be written.
    #[error("topic {topic} has no partition {partition}; create it with `weir topics create`")]
    NoPartition {
        /// The topic.
        topic: String,
        /// The partition that was asked for.
        partition: u32,
    },
    /// A topic exists but is not as it must be.
    #[error("topic {topic} does not fit: {}", .problems.join("; "))]
    TopicMismatch {
        /// The topic.
        topic: String,
        /// Each mismatch with what to change.
        problems: Vec<String>,
    },
    /// The broker refused to create a topic.
    #[error("topic {topic} cannot be created: {detail}")]
    CreateTopic {
        /// The topic.
        topic: String,
        /// The broker's reason.
        detail: String,
    },
    /// The offset to read from is not in the log: deleted by retention, or beyond its end.
    #[error("the offset to read from is no longer (or not yet) in {topic}: {detail}")]
    OffsetOutOfRange {
        /// The topic.
        topic: String,
        /// What librdkafka says, with partition and offset where it names them.
        detail: String,
    },
    /// The embedded broker has dropped records that were still to be read.
    #[error(
        "the embedded broker has dropped records {first} to {next} (exclusive) of {topic}:{partition} before they were \
         read: it keeps only 5 MiB and 100,000 batches of a partition; write more slowly, or use a Kafka"
    )]
    Dropped {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
        /// The first offset that is missing.
        first: u64,
        /// The offset that came in its place.
        next: u64,
    },
    /// The committed offsets stayed pending beyond the deadline (rule 10).
    #[error(
        "the committed offsets of group {group} on {topic} are still pending; a transaction hangs on \
         __consumer_offsets: see `kafka-transactions.sh find-hanging` and abort it"
    )]
    OffsetsPending {
        /// The consumer group.
        group: String,
        /// The topic whose offsets were asked for.
        topic: String,
    },
    /// Offsets were to be committed for a group that this consumer is not, or no longer, a member of (rule 11).
    #[error("not a member of group {group}")]
    NotAMember {
        /// The consumer group.
        group: String,
    },
    /// A command wants to move the offsets of a group that somebody is a member of.
    #[error(
        "group {group} has {members} members: stop them first; who was killed is a member until its session ends, after \
         kafka.session_timeout_ms"
    )]
    GroupInUse {
        /// The consumer group.
        group: String,
        /// How many there are.
        members: usize,
    },
    /// The group gave this member up while the brokers, or this process, were away; it has to join anew.
    #[error("the group that reads {topic} has given this member up after a silence longer than its session")]
    SessionLost {
        /// The topic it read.
        topic: String,
    },
    /// The member was closed already.
    #[error("the consumer of {topic} is closed")]
    Closed {
        /// The topic it read.
        topic: String,
    },
    /// A record was refused by the client itself because of its size (rule 5).
    #[error("a record of {bytes} bytes for {topic} is larger than kafka setting message.max.bytes allows")]
    TooLarge {
        /// The record's topic.
        topic: String,
        /// Bytes of key and payload.
        bytes: usize,
    },
    /// The client's own queue has no room; back off or drop.
    #[error("the send queue is full; a record for {topic} was not taken")]
    QueueFull {
        /// The record's topic.
        topic: String,
    },
    /// A record that was taken could not be delivered.
    #[error("a record for {topic} was not delivered: {detail}")]
    NotDelivered {
        /// The record's topic.
        topic: String,
        /// The reason.
        detail: String,
    },
    /// This producer has failed before and is only good for dropping (rule 2).
    #[error("transactional producer {transactional_id} has failed before and takes no more transactions")]
    Failed {
        /// Its transactional id.
        transactional_id: String,
    },
    /// The broker ended a transaction that stayed open for too long, as happens when the broker or this process stops
    /// for a while.
    #[error("the transaction took longer than its {timeout:?} and was aborted by the broker")]
    Expired {
        /// The transaction time-out.
        timeout: std::time::Duration,
    },
    /// Another client with the same stable name has taken over (rule 17).
    #[error("{call}: fenced, another process runs under the same name: {detail}")]
    Fenced {
        /// What was being done.
        call: &'static str,
        /// What librdkafka says.
        detail: String,
    },
    /// Any other failure of a Kafka call.
    #[error("{call}: {detail}")]
    Call {
        /// What was being done.
        call: &'static str,
        /// What librdkafka says.
        detail: String,
    },
}

impl Error {
    /// Whether another process runs under the same name: restarting would only take turns with it.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        matches!(self, Self::Fenced { .. })
    }

    /// Whether the brokers could not be reached; everything else about the set-up may be right.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// Every error that rdkafka gives back is a failure of the call, whatever its variant (rule 7: a commit that cannot
    /// flush gives `Flush`, not `Transaction`).
    pub(crate) fn of(call: &'static str, error: &KafkaError) -> Self {
        let detail = detail(error);
        if code(error).is_some_and(fences) { Self::Fenced { call, detail } } else { Self::Call { call, detail } }
    }

    /// As [`Error::of`], for calls that fail by timing out when no broker is there.
    pub(crate) fn of_lookup(call: &'static str, brokers: &str, error: &KafkaError) -> Self {
        if code(error).is_some_and(unreachable) {
            Self::Unreachable { brokers: brokers.to_owned(), detail: detail(error) }
        } else {
            Self::of(call, error)
        }
    }
}

/// The code inside any variant; rdkafka leaves out those of its administration calls.
pub(crate) fn code(error: &KafkaError) -> Option<RDKafkaErrorCode> {
    match error {
        KafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    }
}

pub(crate) fn unreachable(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{AllBrokersDown, BrokerTransportFailure, OperationTimedOut, Resolve};
    matches!(code, AllBrokersDown | BrokerTransportFailure | OperationTimedOut | Resolve)
}

pub(crate) fn fences(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{Fenced, FencedInstanceId, InvalidProducerEpoch, ProducerFenced};
    matches!(code, Fenced | FencedInstanceId | InvalidProducerEpoch | ProducerFenced)
}

fn detail(error: &KafkaError) -> String {
    match error {
        KafkaError::Transaction(inner) => {
            let advice = match (inner.is_fatal(), inner.txn_requires_abort()) {
                (true, _) => " (fatal)",
                (_, true) => " (needs an abort)",
                _ => "",
            };
            format!("{}: {}{advice}", inner.name(), inner.string())
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fenced_and_unreachable_are_told_from_the_rest() {
        let fenced = Error::of("poll", &KafkaError::MessageConsumptionFatal(RDKafkaErrorCode::FencedInstanceId));
        assert!(fenced.is_fenced() && !fenced.is_unreachable());
        let away = KafkaError::MetadataFetch(RDKafkaErrorCode::BrokerTransportFailure);
        let error = Error::of_lookup("metadata", "nowhere:1", &away);
        assert!(error.is_unreachable());
        assert!(error.to_string().contains("nowhere:1"), "{error}");
        // A commit that cannot reach the broker is no look-up: its outcome is unknown.
        assert!(!Error::of("commit", &KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut)).is_unreachable());
    }
}
