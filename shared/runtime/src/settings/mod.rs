//! The settings of every role: one documented tree with defaults that work on one machine.
//!
//! Names are the same in all layers: `worker.batch_events` is `batch_events` under `[worker]` in the file,
//! `WEIR_WORKER__BATCH_EVENTS` in the environment and `--set worker.batch_events=VALUE` on the command line.

mod blend;
mod check;
mod dump;
mod input;
mod load;
mod naming;
mod origins;
mod ranking;
mod sections;
mod spam;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use blend::{BlendSettings, NeighbourSettings};
pub(crate) use check::is_name;
pub use input::{
    EventMeaning, EventTypeSettings, FieldSource, InputSettings, MessageInputSettings, RatingInputSettings,
    UnlistedEvents,
};
pub use load::Sources;
pub use naming::how_to_set;
pub use origins::Origins;
pub use ranking::{NegativesFrom, PositiveRatings, RankingLoss, RankingSettings};
pub use sections::{
    GatewaySettings, GenerationSettings, KafkaSettings, LogFormat, LogSettings, PartitionerKind, RecommenderSettings,
    ServerSettings, TopicSettings, WorkerSettings,
};
pub use spam::{AdagradSettings, ArowSettings, FtrlSettings, MulticlassUpdate, SpamLearner, SpamSettings};

use crate::Error;

/// The models that this build knows, by the names that `models` takes.
pub const MODELS: [&str; 3] = ["recommender", "spam", "counting"];

/// Everything that can be set. [`Settings::load`] is the way to one that has been validated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Kafka bootstrap addresses, `HOST:PORT` separated by commas.
    pub brokers: String,
    /// Directory of the instance's name, its lock and the local copies of shards. One process at a time.
    pub data_dir: PathBuf,
    /// `ADDR:PORT` of REST, health and metrics; served by the gateway and by standalone.
    pub listen: String,
    /// `ADDR:PORT` that serves health and metrics alone; served by any role, and only where it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ops: Option<String>,
    /// Stable name of this instance, part of its transactional ids; without one a name is drawn once and kept in
    /// `data_dir`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// First part of the names of internal topics and groups; deployments on one Kafka differ in it.
    pub prefix: String,
    /// Models to run, of [`MODELS`].
    pub models: Vec<String>,
    /// Milliseconds that a stop may take, from the signal to the end of the process; after that it exits non-zero.
    pub shutdown_timeout_ms: u64,
    /// How weir talks to Kafka.
    pub kafka: KafkaSettings,
    /// Names of the topics that weir shares with others.
    pub topics: TopicSettings,
    /// How the events of the input topics are read.
    pub input: InputSettings,
    /// The model `recommender`.
    pub recommender: RecommenderSettings,
    /// The model `spam`.
    pub spam: SpamSettings,
    /// The role `server`.
    pub server: ServerSettings,
    /// The role `worker`.
    pub worker: WorkerSettings,
    /// The role `gateway`.
    pub gateway: GatewaySettings,
    /// Generations of a model side by side.
    pub generations: GenerationSettings,
    /// What is logged, and how.
    pub log: LogSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            brokers: "127.0.0.1:9092".into(),
            data_dir: "./weir-data".into(),
            listen: "127.0.0.1:8080".into(),
            ops: None,
            name: None,
            prefix: "weir".into(),
            models: vec!["recommender".into(), "spam".into()],
            shutdown_timeout_ms: 20_000,
            kafka: KafkaSettings::default(),
            topics: TopicSettings::default(),
            input: InputSettings::default(),
            recommender: RecommenderSettings::default(),
            spam: SpamSettings::default(),
            server: ServerSettings::default(),
            worker: WorkerSettings::default(),
            gateway: GatewaySettings::default(),
            generations: GenerationSettings::default(),
            log: LogSettings::default(),
        }
    }
}

impl Settings {
    /// Merges defaults, file, environment and command line, the later the stronger, and validates the outcome.
    ///
    /// # Errors
    /// A file that cannot be read or parsed, an unknown setting, a value of the wrong type or out of its range. Each
    /// is one sentence that names the setting and how to set it.
    pub fn load(sources: &Sources) -> Result<Self, Error> {
        Self::load_with_origins(sources).map(|(settings, _)| settings)
    }

    /// As [`Settings::load`], with where each setting comes from.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn load_with_origins(sources: &Sources) -> Result<(Self, Origins), Error> {
        let (settings, origins) = load::merge(sources)?;
        settings.validate()?;
        Ok((settings, origins))
    }

    /// These settings with others over them, given as text by their names; the outcome is validated.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn with(&self, over: &BTreeMap<String, String>) -> Result<Self, Error> {
        let settings = load::with(self, over)?;
        settings.validate()?;
        Ok(settings)
    }

    /// Checks every value against its range and the values against one another.
    ///
    /// # Errors
    /// [`Error::Setting`] for the first value that is refused.
    pub fn validate(&self) -> Result<(), Error> {
        check::check(self)
    }

    /// The settings as TOML that [`Settings::load`] reads back to the same settings, each with a comment that says where
    /// it comes from.
    ///
    /// The passwords that `[kafka.settings]` may hold are left out, with a comment in their place, unless `show_secrets`;
    /// then it is not for logs.
    ///
    /// # Errors
    /// [`Error::Dump`] where a path is not UTF-8.
    pub fn to_toml(&self, origins: &Origins, show_secrets: bool) -> Result<String, Error> {
        dump::dump(self, origins, show_secrets)
    }
}

#[cfg(test)]
mod tests;
