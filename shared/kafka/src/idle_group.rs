//! A consumer group that nobody is a member of, as a command of an operator sees and moves it.

use std::thread;
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::connection::setting_error;
use crate::consume::{READING, partitions_of};
use crate::context::Context;
use crate::member::{offsets_in, passing};
use crate::{Connection, Error, GroupMetadata, Isolation, Result, error};

/// How long to wait between two looks at offsets that are pending.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The committed offsets of a group without members.
pub struct IdleGroup {
    consumer: BaseConsumer<Context<()>>,
    group: String,
    topic: String,
    brokers: String,
    timeout: Duration,
}

impl IdleGroup {
    /// The group `group` that reads `topic`. Calls take at most about `timeout`.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub fn open(connection: &Connection, group: &str, topic: &str, timeout: Duration) -> Result<Self> {
        let fixed = [("group.id", group), ("isolation.level", Isolation::ReadCommitted.property())];
        let config = connection.config(&[], &[&READING[..], &fixed].concat())?;
        let consumer = BaseConsumer::from_config_and_context(&config, Context::new(&connection.brokers, ()))
            .map_err(|error| setting_error(&error))?;
        let (group, topic, brokers) = (group.to_owned(), topic.to_owned(), connection.brokers.clone());
        Ok(Self { consumer, group, topic, brokers, timeout })
    }

    /// Makes sure that nobody is a member. Waits while the broker still loads the groups, as it does after a start and
    /// after the first group of a cluster was made.
    ///
    /// # Errors
    /// [`Error::GroupInUse`]; [`Error::Unreachable`].
    pub fn check_idle(&self) -> Result<()> {
        let members = self.members()?;
        if members == 0 { Ok(()) } else { Err(Error::GroupInUse { group: self.group.clone(), members }) }
    }

    fn members(&self) -> Result<usize> {
        let deadline = Instant::now() + self.timeout;
        loop {
            match self.consumer.client().fetch_group_list(Some(&self.group), Duration::from_secs(2)) {
                Ok(listed) => return Ok(listed.groups().iter().map(|group| group.members().len()).sum()),
                Err(error) if Instant::now() < deadline && error::code(&error).is_some_and(passing) => {
                    thread::sleep(LOOK_AGAIN);
                }
                Err(error) => return Err(Error::of_lookup("list groups", &self.brokers, &error)),
            }
        }
    }

    /// The committed offsets of these partitions, in their order; none where nothing is committed. Waits while a
    /// transaction that holds one of them is open.
    ///
    /// # Errors
    /// [`Error::OffsetsPending`] after the time-out; [`Error::Unreachable`].
    pub fn committed(&self, partitions: &[u32]) -> Result<Vec<Option<u64>>> {
        const CALL: &str = "fetch committed offsets";
        let deadline = Instant::now() + self.timeout;
        loop {
            let list = partitions_of(&self.topic, partitions.iter().copied());
            match self.consumer.committed_offsets(list, Duration::from_secs(2)) {
                Ok(list) => return offsets_in(CALL, &list),
                Err(error) if Instant::now() >= deadline => {
                    if error::code(&error).is_some_and(error::unreachable) {
                        return Err(Error::of_lookup(CALL, &self.brokers, &error));
                    }
                    return Err(Error::OffsetsPending { group: self.group.clone(), topic: self.topic.clone() });
                }
                Err(error) if error::code(&error).is_some_and(passing) => thread::sleep(LOOK_AGAIN),
                Err(error) => return Err(Error::of(CALL, &error)),
            }
        }
    }

    /// What lets a transaction move the group's offsets. Nothing fences it (rule 11), so nobody may be a member: look
    /// with [`IdleGroup::check_idle`] right before.
    ///
    /// # Errors
    /// The client has no group, which cannot be.
    pub fn metadata(&self) -> Result<GroupMetadata> {
        let metadata = self.consumer.group_metadata();
        metadata.map(GroupMetadata).ok_or_else(|| Error::NotAMember { group: self.group.clone() })
    }
}
