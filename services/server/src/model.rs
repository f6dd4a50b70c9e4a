//! What a server knows of its model and its place in the deployment.

use std::{path::PathBuf, sync::Arc, time::Duration};

use weir_kafka::{Connection, GroupSettings};
use weir_models::{Description, ExpectedLayout};
use weir_runtime::{Context, Fatal, Settings};
use weir_store::Meta;
use weir_wire::topic::ModelTopics;

use crate::restore::now_ms;

/// How long a broker may take to name the topics' ids.
const LOOKUP: Duration = Duration::from_secs(10);

/// A role's name in groups, transactional ids and metrics.
pub(crate) const ROLE: &str = "server";

/// One model as a server runs it.
pub struct ServedModel {
    pub(crate) description: Description,
    pub(crate) topics: ModelTopics,
    pub(crate) hash: u32,
    pub(crate) layout: ExpectedLayout,
    /// For barriers.
    pub(crate) layout_json: Arc<str>,
    /// For the store, which keeps topic ids apart.
    pub(crate) stored_layout: String,
    pub(crate) cluster_id: String,
}

impl ServedModel {
    /// A model under the settings in force, on the cluster of this id, whose topics are there already.
    ///
    /// # Errors
    /// No broker names the topics' ids; the layout cannot be written down.
    pub fn new(description: Description, cluster_id: &str, context: &Context) -> anyhow::Result<Self> {
        let settings = &context.settings;
        let layout = description.layout(cluster_id);
        let stored_layout = String::from_utf8(layout.written().to_json()?)?;
        let mut served = Self {
            topics: description.topics(&settings.prefix),
            hash: description.hash(),
            layout_json: stored_layout.as_str().into(),
            stored_layout,
            cluster_id: cluster_id.to_owned(),
            layout: layout.clone(),
            description,
        };
        served.layout = layout.with_topic_ids(served.topic_ids(context)?);
        served.layout_json = String::from_utf8(served.layout.written().to_json()?)?.into();
        Ok(served)
    }

    /// The ids of the topics that rows come from, as far as they are known. Those of pulls and replies do not matter:
    /// nothing is learned from what is asked.
    fn topic_ids(&self, context: &Context) -> weir_kafka::Result<Vec<(String, String)>> {
        let topics = [&*self.description.input, &self.topics.pushes, &self.topics.parameters];
        let ids = weir_kafka::topic_ids(&self.connection(context), &topics, LOOKUP)?;
        Ok(topics.into_iter().zip(ids).filter_map(|(topic, id)| Some((topic.to_owned(), id?))).collect())
    }

    /// Looks whether the topics are still those that this server has begun with.
    ///
    /// # Errors
    /// [`Fatal`] if one was created anew; no broker names the ids.
    pub(crate) fn check_topics(&self, context: &Context) -> anyhow::Result<()> {
        let now = self.layout.clone().with_topic_ids(self.topic_ids(context)?);
        Ok(now.check_topics(&self.layout.written().topic_ids).map_err(Fatal::new)?)
    }

    /// The label of its metrics.
    pub(crate) fn name(&self) -> &'static str {
        self.description.label()
    }

    /// The names of its tables.
    pub(crate) fn table_names(&self) -> impl Iterator<Item = &'static str> {
        self.description.schema.tables().iter().map(|spec| spec.name)
    }

    pub(crate) fn transactional_id(&self, context: &Context) -> String {
        self.description.transactional_id(&context.settings.prefix, ROLE, &context.instance)
    }

    pub(crate) fn connection(&self, context: &Context) -> Connection {
        let settings = &context.settings;
        Connection::new(&settings.brokers, self.transactional_id(context)).with_settings(&settings.kafka.settings)
    }

    pub(crate) fn group(&self, context: &Context) -> GroupSettings {
        let settings = &context.settings;
        let group = self.description.group(&settings.prefix, ROLE);
        let session_timeout = Duration::from_millis(settings.kafka.session_timeout_ms);
        GroupSettings { session_timeout, ..GroupSettings::new(group, &self.topics.pushes, &context.instance) }
    }

    pub(crate) fn store_directory(&self, context: &Context) -> PathBuf {
        store_directory(&self.description, &context.settings)
    }

    /// What a stored shard is the state of, as of now; its positions are still to be said.
    pub(crate) fn meta(&self) -> Meta {
        Meta {
            cluster_id: self.cluster_id.clone(),
            topic_ids: self.layout.written().topic_ids.clone(),
            layout: self.stored_layout.clone(),
            stored_at_ms: now_ms(),
            ..Meta::default()
        }
    }
}

/// Where the servers of a process keep the local copies of a model's shards.
#[must_use]
pub fn store_directory(description: &Description, settings: &Settings) -> PathBuf {
    // Under another prefix it is another model, with logs of its own.
    settings.data_dir.join("shards").join(description.group(&settings.prefix, ROLE))
}
