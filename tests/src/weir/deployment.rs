//! What the processes of one weir share.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

use tempfile::TempDir;

use super::{Instance, Role, binary};
use crate::{Broker, guardian};

/// One weir on one Kafka: topics and settings that its processes share.
#[derive(Clone, Debug)]
pub struct Deployment {
    label: String,
    brokers: String,
    prefix: String,
    ratings: String,
    messages: String,
    settings: BTreeMap<String, String>,
    dir: Arc<TempDir>,
}

impl Deployment {
    /// A weir with topics of its own on `broker` that runs the recommender alone, other settings as they come. Its logs are
    /// named by `label`, which no other test of the suite uses.
    ///
    /// # Panics
    /// When there is no temporary folder to be had.
    #[must_use]
    pub fn new(broker: &Broker, label: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("weir-data-").tempdir();
        let dir = dir.unwrap_or_else(|error| panic!("cannot create a temporary folder: {error}"));
        guardian::remove(dir.path());
        let brokers = broker.brokers().to_owned();
        let topic = |kind: &str| broker.topic(&format!("{kind}-{label}"));
        let (prefix, ratings, messages) = (topic("weir"), topic("ratings"), topic("messages"));
        let settings = BTreeMap::from([("WEIR_MODELS".to_owned(), "recommender".to_owned())]);
        Self { label: label.to_owned(), brokers, prefix, ratings, messages, settings, dir: Arc::new(dir) }
    }

    /// With a setting, named as in the environment without `WEIR_`: `SERVER__SHARDS`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Display) -> Self {
        if name == "PREFIX" {
            self.prefix = value.to_string();
        }
        self.settings.insert(format!("WEIR_{name}"), value.to_string());
        self
    }

    /// With another bootstrap address than the broker's own.
    #[must_use]
    pub fn at(mut self, brokers: &str) -> Self {
        brokers.clone_into(&mut self.brokers);
        self
    }

    /// The input topic of the recommender.
    #[must_use]
    pub fn ratings_topic(&self) -> &str {
        &self.ratings
    }

    /// The input topic of the spam filter.
    #[must_use]
    pub fn messages_topic(&self) -> &str {
        &self.messages
    }

    /// Where scored messages go.
    #[must_use]
    pub fn scored_topic(&self) -> String {
        format!("{}.scored", self.messages)
    }

    /// The catalogue's topic.
    #[must_use]
    pub fn items_topic(&self) -> String {
        format!("{}.items", self.ratings)
    }

    /// Where tenants' policies are.
    #[must_use]
    pub fn policies_topic(&self) -> String {
        format!("{}.policies", self.messages)
    }

    /// Where predicted ratings go.
    #[must_use]
    pub fn predicted_topic(&self) -> String {
        format!("{}.predicted", self.ratings)
    }

    /// The input topic of a model.
    #[must_use]
    pub fn input_topic(&self, model: &str) -> &str {
        if model == "spam" { &self.messages } else { &self.ratings }
    }

    /// The models that it runs.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.settings.get("WEIR_MODELS").into_iter().flat_map(|models| models.split(','))
    }

    /// The bootstrap address.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// An internal topic of the first generation: `pushes`, `pulls`, `replies` or `parameters`.
    #[must_use]
    pub fn internal_topic(&self, model: &str, kind: &str) -> String {
        format!("{}.{model}.g1.{kind}", self.prefix)
    }

    /// The consumer group of a role: `server` or `worker`.
    #[must_use]
    pub fn group(&self, model: &str, role: &str) -> String {
        format!("{}.{model}.g1.{role}", self.prefix)
    }

    /// The data directory of the instance `name`.
    #[must_use]
    pub fn data_dir(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs `weir` with these arguments to its end.
    ///
    /// # Panics
    /// When it cannot be run.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(binary());
        self.environment(&mut command);
        let output = command.args(arguments).output();
        output.unwrap_or_else(|error| panic!("cannot run weir {arguments:?}: {error}"))
    }

    /// `weir topics create`.
    ///
    /// # Panics
    /// When it fails.
    pub fn create_topics(&self) {
        let output = self.run(&["topics", "create"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "weir topics create: {}\n{said}", output.status);
    }

    /// An instance that does not run yet.
    #[must_use]
    pub fn instance(&self, role: Role, name: &str) -> Instance {
        let log = format!("{}-{name}.log", self.label);
        Instance::new(self.clone(), role, name, &log)
    }

    /// A running instance, not yet ready.
    #[must_use]
    pub fn start(&self, role: Role, name: &str) -> Instance {
        let mut instance = self.instance(role, name);
        instance.start();
        instance
    }

    /// Gives a command of weir that a test runs by itself what all processes of this deployment share.
    pub fn configure(&self, command: &mut Command) {
        self.environment(command);
    }

    pub(super) fn environment(&self, command: &mut Command) {
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("WEIR_")) {
            command.env_remove(name);
        }
        command.env("WEIR_BROKERS", &self.brokers).env("WEIR_PREFIX", &self.prefix);
        command.env("WEIR_TOPICS__RATINGS", &self.ratings).env("WEIR_TOPICS__MESSAGES", &self.messages);
        command.env("WEIR_TOPICS__SCORED", self.scored_topic()).env("WEIR_TOPICS__PREDICTED", self.predicted_topic());
        command.env("WEIR_TOPICS__POLICIES", self.policies_topic());
        command.env("WEIR_TOPICS__ITEMS", self.items_topic());
        command.envs(&self.settings);
    }
}
