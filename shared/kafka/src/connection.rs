//! Where the brokers are, and which settings belong to whom.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use crate::{Error, Result};

/// How to reach the cluster: shared by every client of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Bootstrap addresses, `host:port` separated by commas.
    pub brokers: String,
    /// The name that the brokers log for this client.
    pub client_id: String,
    /// librdkafka properties that are passed through (security above all). They override weir's defaults, except those
    /// that exactly-once depends on: [`Connection::check`] refuses these.
    pub settings: BTreeMap<String, String>,
}

/// Which records of unfinished and aborted transactions a reader sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Only what is committed: reads up to the last stable offset.
    ReadCommitted,
    /// Everything. Right only for topics that nobody writes in transactions.
    ReadUncommitted,
}

impl Isolation {
    pub(crate) fn property(self) -> &'static str {
        match self {
            Self::ReadCommitted => "read_committed",
            Self::ReadUncommitted => "read_uncommitted",
        }
    }
}

/// What weir sets for every client, unless the operator sets it otherwise.
const DEFAULTS: [(&str, &str); 8] = [
    ("retry.backoff.ms", "20"),
    ("retry.backoff.max.ms", "200"),
    ("reconnect.backoff.ms", "50"),
    // A broker that comes back is noticed within a second instead of ten.
    ("reconnect.backoff.max.ms", "1000"),
    ("socket.keepalive.enable", "true"),
    // Tells that a broker is back: librdkafka reports only that all are gone.
    ("statistics.interval.ms", "1000"),
    ("log.connection.close", "false"),
    // How long partitions that were added to a topic go unread and unwritten: not five minutes.
    ("topic.metadata.refresh.interval.ms", "30000"),
];

/// Properties that decide whether events are counted once, and why they are not the operator's. Aliases are named too,
/// since librdkafka would let the later one win.
const REFUSED: [(&str, &str); 27] = [
    ("bootstrap.servers", "set brokers instead"),
    ("metadata.broker.list", "set brokers instead"),
    ("client.id", "it is made from the instance name"),
    ("isolation.level", "readers of transactions must be read_committed"),
    ("enable.auto.commit", "offsets are committed inside transactions only"),
    ("auto.commit.enable", "offsets are committed inside transactions only"),
    ("enable.auto.offset.store", "offsets are committed inside transactions only"),
    ("auto.offset.reset", "it must be error: a reset offset would skip or repeat events silently"),
    ("enable.partition.eof", "restores depend on it"),
    ("partition.assignment.strategy", "it must be range: static members lose partitions with cooperative-sticky"),
    ("group.protocol", "it must be classic: the new protocol does not take a killed static member back"),
    ("group.protocol.type", "it must be classic"),
    ("group.remote.assignor", "it belongs to the new group protocol"),
    ("group.id", "it is made from prefix, model and generation"),
    ("group.instance.id", "it is the instance name"),
    ("transactional.id", "it is made from the instance name"),
    ("enable.idempotence", "transactions depend on it"),
    ("enable.gapless.guarantee", "it would make a broker hiccup fatal"),
    ("acks", "each sender's promise depends on it"),
    ("request.required.acks", "each sender's promise depends on it"),
    ("allow.auto.create.topics", "a topic made by accident has the wrong partitions"),
    ("session.timeout.ms", "set kafka.session_timeout_ms instead"),
    ("transaction.timeout.ms", "set kafka.transaction_timeout_ms instead"),
    ("partitioner", "Java clients must find the same partition for a key"),
    ("test.mock.num.brokers", "the mock cluster loses records"),
    ("statistics.interval.ms", "readiness depends on it"),
    ("check.crcs", "set it at the broker; frames carry checksums of their own"),
];

impl Connection {
    /// A connection without pass-through settings.
    #[must_use]
    pub fn new(brokers: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self { brokers: brokers.into(), client_id: client_id.into(), settings: BTreeMap::new() }
    }

    /// This connection with the operator's pass-through settings.
    #[must_use]
    pub fn with_settings(self, settings: &BTreeMap<String, String>) -> Self {
        Self { settings: settings.clone(), ..self }
    }

    /// Checks the pass-through settings without talking to a broker.
    ///
    /// # Errors
    /// [`Error::Setting`] names the first one that weir must decide itself, or that librdkafka does not take.
    pub fn check(&self) -> Result<()> {
        self.config(&[], &[])?.create_native_config().map(drop).map_err(|error| setting_error(&error))
    }

    /// Defaults of all clients, then of this kind, then the operator's, then what must not be changed.
    pub(crate) fn config(&self, defaults: &[(&str, &str)], fixed: &[(&str, &str)]) -> Result<ClientConfig> {
        if let Some((name, reason)) = REFUSED.iter().find(|(name, _)| self.settings.contains_key(*name)) {
            return Err(Error::Setting { name: (*name).to_owned(), reason: format!("cannot be set: {reason}") });
        }
        let mut config = ClientConfig::new();
        for (name, value) in DEFAULTS.iter().chain(defaults) {
            config.set(*name, *value);
        }
        for (name, value) in &self.settings {
            config.set(name, value);
        }
        for (name, value) in fixed {
            config.set(*name, *value);
        }
        config.set("bootstrap.servers", &self.brokers).set("client.id", &self.client_id);
        config.set("allow.auto.create.topics", "false");
        // What librdkafka logs goes through tracing, whose filter decides.
        config.set_log_level(RDKafkaLogLevel::Info);
        Ok(config)
    }
}

/// Turns a refusal by librdkafka into one that names the setting.
pub(crate) fn setting_error(error: &rdkafka::error::KafkaError) -> Error {
    match error {
        rdkafka::error::KafkaError::ClientConfig(_, reason, name, value) => {
            Error::Setting { name: name.clone(), reason: format!("{value:?} is refused: {reason}") }
        }
        other => Error::Setting { name: "(combination)".to_owned(), reason: other.to_string() },
    }
}

/// A duration as librdkafka's integer properties want it.
pub(crate) fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Connection {
        let settings = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        Connection::new("localhost:9092", "test").with_settings(&settings)
    }

    #[test]
    fn what_exactly_once_depends_on_is_refused_by_name() {
        for name in ["isolation.level", "enable.auto.commit", "transactional.id", "auto.offset.reset", "acks"] {
            let error = with(name, "x").check().unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn the_operators_settings_override_defaults_but_not_what_is_fixed() {
        let config = with("linger.ms", "3").config(&[("linger.ms", "0")], &[("acks", "all")]).unwrap();
        assert_eq!(config.get("linger.ms"), Some("3"));
        assert_eq!(config.get("acks"), Some("all"));
    }

    #[test]
    fn librdkafkas_refusals_name_the_setting() {
        assert!(with("linger.msec", "3").check().unwrap_err().to_string().contains("linger.msec"));
        assert!(with("linger.ms", "many").check().unwrap_err().to_string().contains("many"));
        assert!(with("linger.ms", "3").check().is_ok());
    }
}
