//! Topics and cluster: what must be there, what is there, and what may go.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::Offset;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::Client;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionListElem;

use crate::block_on::block_on;
use crate::connection::setting_error;
use crate::consume::offsets_of;
use crate::context::Context;
use crate::embedded;
use crate::member::passing;
use crate::topics::{cleanup_policy, problems};
use crate::{Connection, Error, Isolation, Result, TopicDescription, TopicSpec};

/// How long to wait between two looks at a topic that is being created.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How long a broker that answers may take to lead what was just created: a busy one has been seen to need more than 5 s
/// for the partitions of two models.
const LED_WITHIN: Duration = Duration::from_secs(30);

/// Errors that are looked through for a reason.
const MOST_ERRORS: usize = 16;

/// First offset of a partition and the offset after its last record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    /// The first offset that is still there.
    pub first: u64,
    /// The offset that the next record will get, or the last stable offset for readers of committed records.
    pub end: u64,
}

/// The administration of topics. Each call takes at most about the time-out given when connecting.
pub struct Admin {
    client: AdminClient<Context<()>>,
    /// Metadata is asked for by a consumer, which never creates the topic it asks about.
    consumer: BaseConsumer<Context<()>>,
    brokers: String,
    cluster_id: String,
    timeout: Duration,
    /// A broker without administration: its topics are made by whoever started it.
    embedded: bool,
}

impl Admin {
    /// Connects, and waits up to `timeout` for a broker to answer.
    ///
    /// # Errors
    /// [`Error::Unreachable`] with the addresses; [`Error::Setting`].
    pub fn connect(connection: &Connection, timeout: Duration) -> Result<Self> {
        // Nobody polls these two, so nothing may pile up in their queues.
        let fixed = [("statistics.interval.ms", "0"), ("isolation.level", Isolation::ReadUncommitted.property())];
        let config = connection.config(&[], &fixed)?;
        let context = || Context::new(&connection.brokers, ());
        let consumer =
            BaseConsumer::from_config_and_context(&config, context()).map_err(|error| setting_error(&error))?;
        let config = connection.config(&[], &fixed[..1])?;
        let client = AdminClient::from_config_and_context(&config, context()).map_err(|error| setting_error(&error))?;
        let brokers = connection.brokers.clone();
        let cluster_id = consumer.client().fetch_cluster_id(timeout).ok_or_else(|| Error::Unreachable {
            brokers: brokers.clone(),
            detail: reason(&consumer).unwrap_or_else(|| format!("no answer within {timeout:?}")),
        })?;
        let embedded = embedded::serves(&brokers);
        Ok(Self { client, consumer, brokers, cluster_id, timeout, embedded })
    }

    /// The cluster's own id, which tells it from every other cluster.
    #[must_use]
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// Whether the broker is one inside this process, whose topics whoever starts it creates.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        self.embedded
    }

    /// Creates those topics that are missing and checks all of them. Others may be creating the same ones right now.
    /// What was missing can be written and read by then. Returns the topics as they are, in the order of `specs`.
    ///
    /// # Errors
    /// [`Error::TopicMismatch`] for the first topic that does not fit, with what to change; [`Error::CreateTopic`];
    /// [`Error::Unreachable`].
    pub fn ensure_topics(&self, specs: &[TopicSpec]) -> Result<Vec<TopicDescription>> {
        let mut missing = Vec::new();
        for spec in specs {
            if self.describe(&spec.name)?.is_none() {
                missing.push(spec);
            }
        }
        self.create(&missing)?;
        let found = specs.iter().map(|spec| self.fitting(spec)).collect::<Result<Vec<_>>>()?;
        let mut created = found.iter().filter(|topic| missing.iter().any(|spec| spec.name == topic.name));
        created.try_for_each(|topic| self.wait_for_leaders(topic))?;
        Ok(found)
    }

    /// A topic as it is, or none if there is none.
    ///
    /// # Errors
    /// [`Error::Unreachable`], or the broker refuses to describe it.
    pub fn describe(&self, topic: &str) -> Result<Option<TopicDescription>> {
        let Some((partitions, replication)) = self.shape(topic)? else { return Ok(None) };
        let Some(settings) = self.settings(topic)? else { return Ok(None) };
        Ok(Some(TopicDescription { name: topic.to_owned(), partitions, replication, settings }))
    }

    /// How many partitions a topic has, or none if there is no such topic.
    ///
    /// # Errors
    /// [`Error::Unreachable`].
    pub fn partition_count(&self, topic: &str) -> Result<Option<u32>> {
        Ok(self.shape(topic)?.map(|(partitions, _)| partitions))
    }

    /// First offset and end of a partition, as readers of this isolation see them.
    ///
    /// # Errors
    /// [`Error::Unreachable`], or the partition does not exist.
    pub fn watermarks(&self, topic: &str, partition: u32, isolation: Isolation) -> Result<Watermarks> {
        match isolation {
            // Any client without a setting of its own asks for the last stable offset.
            Isolation::ReadCommitted => watermarks(self.client.inner(), &self.brokers, topic, partition, self.timeout),
            Isolation::ReadUncommitted => {
                watermarks(self.consumer.client(), &self.brokers, topic, partition, self.timeout)
            }
        }
    }

    /// Deletes the records of each partition whose offset is below the one given.
    ///
    /// # Errors
    /// [`Error::Unreachable`], or the broker refuses one of them; the others are deleted all the same.
    pub fn delete_records(&self, topic: &str, before: &[(u32, u64)]) -> Result<()> {
        const CALL: &str = "delete records";
        if self.embedded {
            // It drops the oldest by itself.
            return Ok(());
        }
        let offsets = before.iter().map(|(partition, offset)| (*partition, Offset::Offset(*offset as i64)));
        let list = offsets_of(CALL, topic, offsets)?;
        let deleted = block_on(self.client.delete_records(&list, &self.options())).map_err(|e| self.error(CALL, &e))?;
        deleted.elements().iter().try_for_each(|element| element.error().map_err(|e| self.error(CALL, &e)))
    }

    /// Gives a topic more partitions, `count` in all. Keys then find other partitions than before.
    ///
    /// # Errors
    /// [`Error::Unreachable`], or the broker refuses: a topic never loses partitions.
    pub fn create_partitions(&self, topic: &str, count: u32) -> Result<()> {
        const CALL: &str = "create partitions";
        let wanted = [NewPartitions::new(topic, count as usize)];
        let results =
            block_on(self.client.create_partitions(&wanted, &self.options())).map_err(|e| self.error(CALL, &e))?;
        match results.into_iter().next() {
            Some(Err((_, code))) => Err(self.error(CALL, &KafkaError::AdminOp(code))),
            _ => Ok(()),
        }
    }

    /// Deletes a topic; one that is not there is no error.
    ///
    /// # Errors
    /// [`Error::Unreachable`], or the broker refuses.
    pub fn delete_topic(&self, topic: &str) -> Result<()> {
        const CALL: &str = "delete topic";
        let results =
            block_on(self.client.delete_topics(&[topic], &self.options())).map_err(|e| self.error(CALL, &e))?;
        match results.into_iter().next() {
            Some(Err((_, code))) if code != RDKafkaErrorCode::UnknownTopicOrPartition => {
                Err(self.error(CALL, &KafkaError::AdminOp(code)))
            }
            _ => Ok(()),
        }
    }

    /// Deletes a consumer group and what it has committed, unless somebody is a member. Says whether it is gone; one that
    /// was not there is.
    ///
    /// # Errors
    /// [`Error::Unreachable`], or the broker refuses.
    pub fn delete_group(&self, group: &str) -> Result<bool> {
        const CALL: &str = "delete group";
        let results =
            block_on(self.client.delete_groups(&[group], &self.options())).map_err(|e| self.error(CALL, &e))?;
        match results.into_iter().next() {
            Some(Err((_, RDKafkaErrorCode::NonEmptyGroup))) => Ok(false),
            None | Some(Ok(_) | Err((_, RDKafkaErrorCode::GroupIdNotFound))) => Ok(true),
            Some(Err((_, code))) if passing(code) => Ok(false),
            Some(Err((_, code))) => Err(self.error(CALL, &KafkaError::AdminOp(code))),
        }
    }

    /// Partitions and copies, or none while the topic is not there or one of its partitions has no leader yet.
    fn shape(&self, topic: &str) -> Result<Option<(u32, u16)>> {
        const CALL: &str = "fetch metadata";
        let metadata = self.consumer.fetch_metadata(Some(topic), self.timeout).map_err(|e| self.error(CALL, &e))?;
        let Some(found) = metadata.topics().first() else { return Ok(None) };
        match found.error().map(RDKafkaErrorCode::from) {
            None => {}
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::LeaderNotAvailable) => return Ok(None),
            Some(code) => return Err(self.error(CALL, &KafkaError::MetadataFetch(code))),
        }
        let replicas = found.partitions().iter().map(|partition| partition.replicas().len()).min();
        Ok(replicas.map(|replicas| (found.partitions().len() as u32, replicas as u16)))
    }

    fn settings(&self, topic: &str) -> Result<Option<BTreeMap<String, String>>> {
        const CALL: &str = "describe topic";
        if self.embedded {
            return Ok(Some(BTreeMap::new()));
        }
        let resource = [ResourceSpecifier::Topic(topic)];
        let answer =
            block_on(self.client.describe_configs(&resource, &self.options())).map_err(|e| self.error(CALL, &e))?;
        match answer.into_iter().next() {
            Some(Ok(found)) => {
                Ok(Some(found.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?))).collect()))
            }
            None | Some(Err(RDKafkaErrorCode::UnknownTopicOrPartition)) => Ok(None),
            Some(Err(code)) => Err(self.error(CALL, &KafkaError::AdminOp(code))),
        }
    }

    fn create(&self, specs: &[&TopicSpec]) -> Result<()> {
        let Some(first) = specs.first() else { return Ok(()) };
        if self.embedded {
            let detail = "whoever starts an embedded broker creates its topics".to_owned();
            return Err(Error::CreateTopic { topic: first.name.clone(), detail });
        }
        let topics: Vec<NewTopic<'_>> = specs.iter().map(|spec| new_topic(spec)).collect();
        let results = block_on(self.client.create_topics(&topics, &self.options()))
            .map_err(|error| self.error("create topics", &error))?;
        for (result, spec) in results.into_iter().zip(specs) {
            match result {
                // Someone else was faster; whether it fits is checked next.
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => {
                    let detail = format!("{code} (replication {}, settings {:?})", spec.replication, spec.settings);
                    return Err(Error::CreateTopic { topic, detail });
                }
            }
        }
        Ok(())
    }

    /// Waits until the topic is there (a new one takes a moment to reach the brokers' metadata) and checks it.
    fn fitting(&self, spec: &TopicSpec) -> Result<TopicDescription> {
        let deadline = Instant::now() + self.timeout;
        loop {
            if let Some(found) = self.describe(&spec.name)? {
                let problems = problems(spec, &found);
                return if problems.is_empty() {
                    Ok(found)
                } else {
                    Err(Error::TopicMismatch { topic: spec.name.clone(), problems })
                };
            }
            if Instant::now() >= deadline {
                let detail = format!("it did not appear within {:?}", self.timeout);
                return Err(Error::CreateTopic { topic: spec.name.clone(), detail });
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// Waits until every partition of a new topic is led. Metadata names a leader before that broker knows of it, so
    /// each leader is asked for an end, which only one that leads can tell.
    fn wait_for_leaders(&self, topic: &TopicDescription) -> Result<()> {
        const CALL: &str = "wait for leaders";
        let deadline = Instant::now() + self.timeout.max(LED_WITHIN);
        let list = offsets_of(CALL, &topic.name, (0..topic.partitions).map(|partition| (partition, Offset::End)))?;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let answer = self.consumer.offsets_for_times(list.clone(), left.max(LOOK_AGAIN));
            let led = answer.and_then(|ends| ends.elements().iter().try_for_each(TopicPartitionListElem::error));
            match led {
                Ok(()) => return Ok(()),
                Err(error) if left.is_zero() => return Err(self.error(CALL, &error)),
                Err(_) => thread::sleep(LOOK_AGAIN.min(left)),
            }
        }
    }

    fn options(&self) -> AdminOptions {
        AdminOptions::new().request_timeout(Some(self.timeout)).operation_timeout(Some(self.timeout))
    }

    fn error(&self, call: &'static str, error: &KafkaError) -> Error {
        Error::of_lookup(call, &self.brokers, error)
    }
}

/// Why no broker answers, if the client has heard of it: a refused password or certificate above all.
fn reason(consumer: &BaseConsumer<Context<()>>) -> Option<String> {
    // It hears of errors in polls only. Those of single brokers come before the one that says they are all down.
    let heard = (0..MOST_ERRORS).map(|_| {
        drop(consumer.poll(Duration::ZERO));
        consumer.context().last_reason()
    });
    heard.filter(|reason| !reason.is_empty()).find(|reason| !reason.contains("brokers are down"))
}

pub(crate) fn watermarks<C: ClientContext>(
    client: &Client<C>,
    brokers: &str,
    topic: &str,
    partition: u32,
    timeout: Duration,
) -> Result<Watermarks> {
    let (first, end) = client
        .fetch_watermarks(topic, partition as i32, timeout)
        .map_err(|error| Error::of_lookup("fetch watermarks", brokers, &error))?;
    Ok(Watermarks { first: first.max(0) as u64, end: end.max(0) as u64 })
}

fn new_topic(spec: &TopicSpec) -> NewTopic<'_> {
    let replication = TopicReplication::Fixed(i32::from(spec.replication));
    let topic = NewTopic::new(&spec.name, spec.partitions.at_creation() as i32, replication);
    let topic = topic.set("cleanup.policy", cleanup_policy(spec.compact));
    spec.settings.iter().fold(topic, |topic, (name, value)| topic.set(name, value))
}
