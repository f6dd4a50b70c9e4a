//! What the roles know of a model besides its logic.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use weir_ps::counting::{self, CountingSchema, USERS};
use weir_ps::{Partitioner, Schema};
use weir_runtime::{PartitionerKind, ServerSettings, Settings};
use weir_wire::Generation;
use weir_wire::topic::ModelTopics;

use crate::recommender::{self, ACTIVITY, PREDICTED, RecommenderSchema};
use crate::spam::{COUNTS, FEATURES, PolicyBook, SCORED, SpamSchema, TENANTS};
use crate::{ExpectedLayout, recommender_settings, spam_settings};

/// The stream of refused events, which every worker has.
pub const REJECTED: &str = "rejected";

/// The models of this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// Matrix factorisation from ratings.
    Recommender,
    /// The spam filter.
    Spam,
    /// The counting learner.
    Counting,
}

impl Named {
    /// The model called `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "recommender" => Some(Self::Recommender),
            "spam" => Some(Self::Spam),
            "counting" => Some(Self::Counting),
            _ => None,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Recommender => "recommender",
            Self::Spam => "spam",
            Self::Counting => "counting",
        }
    }
}

/// A model as everyone but its worker and server sees it.
#[derive(Clone)]
pub struct Description {
    /// What it is called in topics, groups, metrics and REST. Frames and transactional ids are told apart by it.
    pub name: &'static str,
    /// Its generation.
    pub generation: Generation,
    /// The topic that it learns from.
    pub input: Arc<str>,
    /// Where its workers' outputs go: a stream's name ([`weir_ps::Output::stream`]) and a topic. Refused events are
    /// not among them, they go to the input's `.rejected`.
    pub outputs: Vec<(&'static str, Arc<str>)>,
    /// What its rows look like.
    pub schema: Arc<dyn Schema>,
    /// Which shard each key is on.
    pub partitioner: Partitioner,
    /// Seed of the hash from ids to keys, and of initial values.
    pub seed: u64,
    /// Whether its input is keyed by what its workers cache rows of, which makes each partition their only writer.
    pub keyed: bool,
    /// How small batches of a young model are ([`weir_ps::BatchLimits::history_share`]).
    pub history_share: u64,
    /// Batches of one source partition that may pull at a time ([`weir_ps::PullLimits::in_flight`]).
    pub in_flight: usize,
    /// The table whose rows begin with a `u64` each that sum to the number of events learned; none if no table counts
    /// them.
    pub events_table: Option<u8>,
    /// The tables that only workers read: whoever answers from a copy of the model leaves them out.
    pub unread_tables: &'static [u8],
    /// What its tenants want, of a model that has any. Whoever runs a role that scores keeps it as the topic of policies says.
    pub policies: Option<Arc<PolicyBook>>,
}

impl Description {
    /// A model that learns from the topic `input` and puts out nothing, in the first generation; all else as the
    /// settings say for every model.
    #[must_use]
    pub fn new(name: &'static str, input: &str, schema: Arc<dyn Schema>, settings: &Settings) -> Self {
        let worker = &settings.worker;
        Self {
            name,
            generation: Generation::FIRST,
            input: input.into(),
            outputs: Vec::new(),
            schema,
            partitioner: partitioner(&settings.server),
            seed: 0,
            keyed: worker.keyed_by_user,
            history_share: worker.history_share,
            in_flight: worker.in_flight,
            events_table: None,
            unread_tables: &[],
            policies: None,
        }
    }

    /// The same in another generation: its topics, groups, transactional ids, stores and frames are apart from those of
    /// every other one.
    #[must_use]
    pub fn in_generation(self, generation: Generation) -> Self {
        Self { generation, ..self }
    }

    /// What its part of a process that does `role` is called, in health, logs and metrics. That of the first generation
    /// has the model's name alone.
    #[must_use]
    pub fn part(&self, role: &str) -> String {
        let Self { name, generation, .. } = self;
        if *generation == Generation::FIRST { format!("{role}-{name}") } else { format!("{role}-{name}-{generation}") }
    }

    /// What it is called where only one name fits, in the label `model` of metrics: the model's name, with the generation
    /// from the second one on. Each is kept for as long as the process runs; there are as many as generations.
    #[must_use]
    pub fn label(&self) -> &'static str {
        static LABELS: Mutex<BTreeMap<(&str, Generation), &str>> = Mutex::new(BTreeMap::new());
        if self.generation == Generation::FIRST {
            return self.name;
        }
        let mut labels = LABELS.lock().unwrap_or_else(PoisonError::into_inner);
        let label = || String::leak(format!("{}-{}", self.name, self.generation)) as &str;
        labels.entry((self.name, self.generation)).or_insert_with(label)
    }

    /// The model's number in frames.
    #[must_use]
    pub fn hash(&self) -> u32 {
        weir_wire::topic::model_hash(self.name, &self.generation.to_string())
    }

    /// Its internal topics in the deployment `prefix`.
    #[must_use]
    pub fn topics(&self, prefix: &str) -> ModelTopics {
        ModelTopics::new(prefix, self.name, &self.generation.to_string())
    }

    /// The topic of its refused events.
    #[must_use]
    pub fn rejected(&self) -> String {
        weir_wire::topic::rejected(&self.input)
    }

    /// The consumer group of its workers or servers.
    #[must_use]
    pub fn group(&self, prefix: &str, role: &str) -> String {
        format!("{prefix}.{}.{}.{role}", self.name, self.generation)
    }

    /// The transactional id of one instance of a role: stable, and unlike any other.
    #[must_use]
    pub fn transactional_id(&self, prefix: &str, role: &str, instance: &str) -> String {
        format!("{}.{instance}", self.group(prefix, role))
    }

    /// What its shards and changelogs must be the state of on the cluster of this id.
    #[must_use]
    pub fn layout(&self, cluster_id: &str) -> ExpectedLayout {
        ExpectedLayout::new(cluster_id, self.partitioner, self.seed, self.schema.as_ref())
    }
}

/// Describes the models that the settings name, in their order; names of no model of this build are passed over, since
/// the settings' own check refuses them.
///
/// # Errors
/// A hyper-parameter is out of its range.
pub fn descriptions(settings: &Settings) -> Result<Vec<Description>, weir_learn::Error> {
    settings.models.iter().filter_map(|name| Named::parse(name)).map(|model| describe(model, settings)).collect()
}

/// Describes a model of this build under the settings in force.
///
/// # Errors
/// A hyper-parameter is out of its range.
pub fn describe(model: Named, settings: &Settings) -> Result<Description, weir_learn::Error> {
    let recommender = recommender_settings(settings)?;
    let of_ratings = |schema, events_table, unread_tables| Description {
        seed: recommender.hash_seed,
        events_table: Some(events_table),
        unread_tables,
        ..Description::new(model.name(), &settings.topics.ratings, schema, settings)
    };
    Ok(match model {
        Named::Counting => of_ratings(Arc::new(CountingSchema::default()), USERS, &[counting::EVENT_IDS]),
        Named::Recommender => {
            let schema = Arc::new(RecommenderSchema::new(&recommender));
            let predicted = || (PREDICTED, settings.topics.predicted.as_str().into());
            Description {
                outputs: (settings.recommender.predicted_share > 0.0).then(predicted).into_iter().collect(),
                ..of_ratings(schema, ACTIVITY, &[recommender::EVENT_IDS, recommender::ITEM_EVENTS, recommender::PAIRS])
            }
        }
        Named::Spam => of_messages(settings)?,
    })
}

fn of_messages(settings: &Settings) -> Result<Description, weir_learn::Error> {
    let (spam, topics) = (spam_settings(settings)?, &settings.topics);
    Ok(Description {
        outputs: vec![(SCORED, topics.scored.as_str().into())],
        seed: spam.hash_seed(),
        keyed: settings.spam.keyed_by_id,
        history_share: settings.spam.history_share,
        in_flight: settings.spam.in_flight,
        events_table: Some(COUNTS),
        unread_tables: &[FEATURES, TENANTS],
        policies: Some(Arc::default()),
        ..Description::new(Named::Spam.name(), &topics.messages, Arc::new(SpamSchema::new(&spam)), settings)
    })
}

/// The partitioner that the settings choose.
#[must_use]
pub fn partitioner(server: &ServerSettings) -> Partitioner {
    match server.partitioner {
        PartitionerKind::Hash => Partitioner::Hash { shards: server.shards },
        PartitionerKind::Range => Partitioner::Range { shards: server.shards },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_of_a_model_have_nothing_in_common() {
        let first = describe(Named::Counting, &Settings::default()).unwrap();
        let second = first.clone().in_generation("g2".parse().unwrap());
        let names = |description: &Description| {
            let topics = description.topics("weir").all().map(str::to_owned);
            let group = description.group("weir", "worker");
            let id = description.transactional_id("weir", "server", "one");
            [&topics[..], &[group, id, description.part("server"), description.hash().to_string()]].concat()
        };
        let (first, second) = (names(&first), names(&second));
        assert_eq!(
            first[..7],
            [
                "weir.counting.g1.pushes",
                "weir.counting.g1.pulls",
                "weir.counting.g1.replies",
                "weir.counting.g1.parameters",
                "weir.counting.g1.worker",
                "weir.counting.g1.server.one",
                "server-counting",
            ]
        );
        assert_eq!(
            second[..7],
            [
                "weir.counting.g2.pushes",
                "weir.counting.g2.pulls",
                "weir.counting.g2.replies",
                "weir.counting.g2.parameters",
                "weir.counting.g2.worker",
                "weir.counting.g2.server.one",
                "server-counting-g2",
            ]
        );
        assert_ne!(first[7], second[7]);
        let third = describe(Named::Counting, &Settings::default()).unwrap().in_generation("g3".parse().unwrap());
        assert_eq!([third.label(), third.label()], ["counting-g3"; 2]);
    }
}
