//! What several commands take, and how it becomes settings.

use std::path::PathBuf;

use clap::Args;
use weir_runtime::{Origins, Settings, Sources};

/// What every command takes.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CommonOptions {
    /// TOML file with settings [env: WEIR_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Kafka's bootstrap addresses, several separated by commas [env: WEIR_BROKERS] [default: 127.0.0.1:9092]
    #[arg(long, value_name = "HOST:PORT")]
    brokers: Option<String>,
    /// Directory of this instance's name, lock and local stores; one for each process [env: WEIR_DATA_DIR] [default:
    /// ./weir-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// Stable name of this instance; without one a name is drawn and kept in the data directory [env: WEIR_NAME]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// First part of the names of internal topics and groups [env: WEIR_PREFIX] [default: weir]
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,
    /// Models to run, separated by commas, of recommender, spam and counting [env: WEIR_MODELS] [default:
    /// recommender,spam]
    #[arg(long, value_name = "MODELS")]
    models: Option<String>,
    /// Any setting that `weir config --dump` shows, as in worker.in_flight=4 [env: WEIR_WORKER__IN_FLIGHT and so on]
    #[arg(long = "set", value_name = "SETTING=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
}

/// What each role takes.
#[derive(Debug, Default, Args)]
pub(crate) struct RoleOptions {
    #[command(flatten)]
    common: CommonOptions,
    /// Address that serves health and metrics alone [env: WEIR_OPS] [default: none]
    #[arg(long, value_name = "ADDR:PORT")]
    ops: Option<String>,
}

/// What roles with REST take.
#[derive(Debug, Default, Args)]
pub(crate) struct RestOptions {
    #[command(flatten)]
    role: RoleOptions,
    /// Address that serves REST, health and metrics [env: WEIR_LISTEN] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
}

impl CommonOptions {
    /// The settings of these options over those of the environment, the file and the defaults.
    pub(crate) fn load(self) -> Result<Settings, weir_runtime::Error> {
        self.load_with(Vec::new())
    }

    /// These options with more settings, which win.
    pub(crate) fn with(mut self, settings: &[(String, String)]) -> Self {
        self.set.extend_from_slice(settings);
        self
    }

    /// What --set says, in its order.
    pub(crate) fn assignments(&self) -> &[(String, String)] {
        &self.set
    }

    fn load_with(self, more: Vec<(&str, Option<String>)>) -> Result<Settings, weir_runtime::Error> {
        Settings::load(&self.sources(more)?)
    }

    fn sources(self, mut more: Vec<(&str, Option<String>)>) -> Result<Sources, weir_runtime::Error> {
        let Self { config, brokers, data_dir, name, prefix, models, set } = self;
        more.extend([
            ("brokers", brokers),
            ("data_dir", data_dir),
            ("name", name),
            ("prefix", prefix),
            ("models", models),
        ]);
        let given = more.into_iter().filter_map(|(setting, value)| Some((setting.to_owned(), value?)));
        Sources::of_process(config, set.into_iter().chain(given).collect())
    }
}

impl RoleOptions {
    /// As [`CommonOptions::load`].
    pub(crate) fn load(self) -> Result<Settings, weir_runtime::Error> {
        self.common.load_with(vec![("ops", self.ops)])
    }
}

impl RestOptions {
    /// As [`CommonOptions::load`].
    pub(crate) fn load(self) -> Result<Settings, weir_runtime::Error> {
        self.load_with_origins().map(|(settings, _)| settings)
    }

    /// As [`RestOptions::load`], with where each setting comes from.
    pub(crate) fn load_with_origins(self) -> Result<(Settings, Origins), weir_runtime::Error> {
        let more = vec![("ops", self.role.ops), ("listen", self.listen)];
        Settings::load_with_origins(&self.role.common.sources(more)?)
    }
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((setting, value)) if !setting.is_empty() => Ok((setting.to_owned(), value.to_owned())),
        _ => Err("expected SETTING=VALUE, for example worker.in_flight=4".to_owned()),
    }
}
