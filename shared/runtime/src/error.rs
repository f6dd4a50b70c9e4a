//! Why a process cannot start. Each error is one sentence that says what to do.

use std::fmt::Display;
use std::path::PathBuf;

use crate::settings::how_to_set;

/// Everything this crate can refuse.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value out of its range.
    #[error("setting {setting} is {value}, but must be {allowed}; {how}")]
    Setting {
        /// Dotted name of the setting.
        setting: String,
        /// The value that was refused.
        value: String,
        /// What is taken.
        allowed: String,
        /// How it is set in each layer.
        how: String,
    },
    /// A source of settings that cannot be read, or says something that is no setting.
    #[error("{0}")]
    Source(String),
    /// Settings that cannot be written as TOML.
    #[error("the settings cannot be written as TOML: {0}")]
    Dump(String),
    /// An address that cannot be listened on.
    #[error("cannot listen on {address}: {reason}; {how}")]
    Listen {
        /// The address as it was set.
        address: String,
        /// What the operating system says.
        reason: String,
        /// How to set another.
        how: String,
    },
    /// Another process holds the data directory.
    #[error("data directory {} is in use by another weir process; {}", .0.display(), how_to_set("data_dir"))]
    DataDirectoryLocked(PathBuf),
    /// The data directory cannot be created or written.
    #[error("data directory {} cannot be used: {reason}; {}", .path.display(), how_to_set("data_dir"))]
    DataDirectory {
        /// The directory or the file in it.
        path: PathBuf,
        /// What the operating system says.
        reason: String,
    },
    /// The broker is of another cluster than what this process has on disk.
    #[error(
        "data directory {} belongs to kafka cluster {kept}, but {brokers} is cluster {found}: the logs of one mean nothing \
         in the other; reach the old cluster again, or begin with the new one in an empty data directory: {}",
        .path.display(), how_to_set("data_dir")
    )]
    OtherCluster {
        /// The directory.
        path: PathBuf,
        /// The cluster that its data is of.
        kept: String,
        /// Where another one answered.
        brokers: String,
        /// That one.
        found: String,
    },
    /// The kept name cannot be used in topic, group and transactional names.
    #[error("{} holds no usable name: give one with --name, or delete the file to draw a new one", .0.display())]
    KeptName(PathBuf),
    /// Logs were initialised twice in one process.
    #[error("logs cannot be set up: {0}")]
    Logs(String),
    /// Two metrics of one name, or a name that Prometheus refuses.
    #[error("metrics cannot be set up: {0}")]
    Metrics(#[from] prometheus::Error),
    /// A thread that could not be started.
    #[error("thread {name} cannot be started: {reason}")]
    Thread {
        /// The thread's name.
        name: String,
        /// What the operating system says.
        reason: String,
    },
}

impl Error {
    /// A value that is refused, with how to set another.
    pub(crate) fn setting(setting: &str, value: impl Display, allowed: impl Into<String>) -> Self {
        Self::Setting {
            setting: setting.to_owned(),
            value: Some(value.to_string()).filter(|text| !text.is_empty()).unwrap_or_else(|| "empty".into()),
            allowed: allowed.into(),
            how: how_to_set(setting),
        }
    }
}
