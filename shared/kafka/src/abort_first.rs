//! The first transaction of every start, which is aborted.
//!
//! Rule 22. A broker that dies while it aborts a transaction may lose the markers of some partitions (KAFKA-20734 in
//! Apache Kafka 4.3.1). Then the dead transaction's records appear as committed as soon as the same producer commits
//! there, or hide everything after them for ever; and a pending offset keeps the group's members from starting. A
//! transaction of the same producer in each of these partitions, aborted, writes the missing markers.

use std::sync::Arc;

use rdkafka::Offset;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::connection::setting_error;
use crate::consume::{READING, offsets_of};
use crate::context::Context;
use crate::embedded;
use crate::{Connection, Error, GroupMetadata, OutRecord, Result, Transactional};

/// What a producer writes to, and therefore what its predecessor may have left unfinished.
#[derive(Clone, Debug, Default)]
pub struct AbortFirst {
    /// Every partition that this transactional id may write. Each gets one record that nobody sees; all must exist.
    pub partitions: Vec<(Arc<str>, u32)>,
    /// The group whose offsets this id commits.
    pub group: Option<GroupToRelease>,
}

/// A group whose offsets may be pending.
#[derive(Clone, Debug)]
pub struct GroupToRelease {
    /// The consumer group.
    pub group: String,
    /// Its input topic. One partition of it stands for all: an abort releases the producer's pending offsets together.
    pub topic: Arc<str>,
}

impl Transactional {
    pub(crate) fn abort_first(&mut self, connection: &Connection, what: &AbortFirst) -> Result<()> {
        if embedded::serves(&connection.brokers) {
            // It knows no markers and aborts nothing, and nobody was there before.
            return Ok(());
        }
        let records: Vec<OutRecord> = what.partitions.iter().map(dummy).collect();
        if records.is_empty() && what.group.is_none() {
            return Ok(());
        }
        self.begin()?;
        self.send_all(&records)?;
        if let Some(group) = &what.group {
            let list = offsets_of("send offsets", &group.topic, [(0, Offset::Offset(0))])?;
            self.send_offsets(&list, &unfenced(connection, group)?)?;
        }
        self.settle("abort")?;
        self.abort()
    }
}

/// A compacted topic takes no record without a key; this one is too long to be mistaken for one of weir's.
fn dummy((topic, partition): &(Arc<str>, u32)) -> OutRecord {
    OutRecord::new(Arc::clone(topic), Some(*partition), Some(b"aborted first".to_vec()), Some(Vec::new()))
}

/// Metadata of a consumer that never joins. Rule 11 forbids it for offsets that count, because the broker takes them
/// unfenced; these never count, and a member cannot join before the abort.
fn unfenced(connection: &Connection, group: &GroupToRelease) -> Result<GroupMetadata> {
    let fixed = [("group.id", group.group.as_str()), ("statistics.interval.ms", "0")];
    let config = connection.config(&[], &[&READING[..], &fixed].concat())?;
    let consumer: BaseConsumer<Context<()>> =
        BaseConsumer::from_config_and_context(&config, Context::new(&connection.brokers, ()))
            .map_err(|error| setting_error(&error))?;
    consumer.group_metadata().map(GroupMetadata).ok_or_else(|| Error::NotAMember { group: group.group.clone() })
}
