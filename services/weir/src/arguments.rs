//! The command line. Every option stays an `Option`: a default given here would win over the file and the environment,
//! so defaults are the settings' own. The help names them all the same, and a test compares.

#![expect(clippy::doc_markdown, reason = "these doc comments are help texts, printed as they are")]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use weir_runtime::{Origins, Settings, Sources};

use crate::events::Kind;
use crate::files::Format;

const EXAMPLES: &str = "\
Examples:
  weir standalone --brokers kafka:9092 --data-dir /var/lib/weir --listen 0.0.0.0:8080
      everything in one process
  weir server --data-dir server-0 --ops 127.0.0.1:9100
  weir worker --data-dir worker-0 --ops 127.0.0.1:9101
  weir gateway --data-dir gateway-0 --listen 127.0.0.1:8080
      the same, one process a role; start more of any to share its work
  weir topics create
      create the topics that are missing and check the others
  weir config --dump --set worker.in_flight=4 > weir.toml
      write the settings in force to a file for --config
  weir validate ratings ratings.csv && weir import ratings ratings.csv --rate 5000
      see what of a file would be refused, then write it to the topic
  weir bench ratings --brokers kafka:9092 --json figures.json
      measure this build on this machine

Every setting can be given in three places, the first of them winning: --set worker.in_flight=4 on the command line,
WEIR_WORKER__IN_FLIGHT=4 in the environment, in_flight = 4 under [worker] in the file of --config.";

/// A parameter server on Kafka: learns from event topics while the events flow, answers over REST.
#[derive(Debug, Parser)]
#[command(name = "weir", version, after_help = EXAMPLES, max_term_width = 120)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run server, worker and gateway in one process
    #[command(after_help = EXAMPLES)]
    Standalone(RestOptions),
    /// Own shards: apply what workers push, answer what they pull
    #[command(after_help = EXAMPLES)]
    Server(RoleOptions),
    /// Read events and learn from them
    #[command(after_help = EXAMPLES)]
    Worker(RoleOptions),
    /// Answer REST from memory
    #[command(after_help = EXAMPLES)]
    Gateway(RestOptions),
    /// Show whether the topics are as they must be
    #[command(after_help = EXAMPLES)]
    Topics(TopicsCommand),
    /// Check the settings, or print those in force
    #[command(after_help = EXAMPLES)]
    Config(ConfigCommand),
    /// Write the events of a file to a topic; exit code 3 if lines were refused
    Import(ImportCommand),
    /// Show what workers would make of a sample of events; exit code 3 if some would be refused
    Validate(ValidateCommand),
    /// Print the JSON Schema of a topic's events, or list those there are
    Schema {
        /// ratings, messages or messages.scored
        topic: Option<String>,
    },
    /// Measure how fast this build is on this machine, against a given broker
    #[command(subcommand)]
    Bench(BenchCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Events a second from the ratings topic to the gateway, in turns with a consumer that only decodes
    Ratings(BenchRatings),
    /// Messages a second from the messages topic to the gateway, in turns with a consumer that only decodes
    Messages(BenchMessages),
    /// How long a rating takes until answers contain it, and a message until it is scored, at a given rate
    Latency(BenchLatency),
    /// How long answers stand still when a server is killed under load and started again
    Recovery(BenchRecovery),
}

/// What `weir bench latency` takes.
#[derive(Debug, Args)]
pub(crate) struct BenchLatency {
    #[command(flatten)]
    pub(crate) common: CommonOptions,
    /// Ratings a second, and as many messages
    #[arg(long, default_value_t = 100.0)]
    pub(crate) rate: f64,
    /// Seconds of sending that count; two more come first
    #[arg(long, default_value_t = 20)]
    pub(crate) seconds: u64,
    /// Partitions of each topic
    #[arg(long, default_value_t = 4)]
    pub(crate) partitions: u32,
    /// Write the figures to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// What `weir bench recovery` takes.
#[derive(Debug, Args)]
pub(crate) struct BenchRecovery {
    #[command(flatten)]
    pub(crate) common: CommonOptions,
    /// Ratings that the model has learned before the first kill
    #[arg(long, default_value_t = 500_000)]
    pub(crate) events: u64,
    /// Users that they are of
    #[arg(long, default_value_t = 45_000)]
    pub(crate) users: u64,
    /// Items that they are of, by Zipf's law
    #[arg(long, default_value_t = 49_000)]
    pub(crate) items: u64,
    /// Factors of users and items, of both factor models
    #[arg(long, default_value_t = 10)]
    pub(crate) factors: u16,
    /// Ratings a second meanwhile
    #[arg(long, default_value_t = 1_000.0)]
    pub(crate) rate: f64,
    /// How often the server is killed
    #[arg(long, default_value_t = 5)]
    pub(crate) kills: usize,
    /// Write the figures to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// What each benchmark of a whole pipeline takes.
#[derive(Debug, Default, Args)]
pub(crate) struct BenchOptions {
    #[command(flatten)]
    pub(crate) common: CommonOptions,
    /// Events to write and to learn
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) events: u64,
    /// Partitions of the topic
    #[arg(long, default_value_t = 4)]
    pub(crate) partitions: u32,
    /// How often both are measured
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
    /// Write the figures to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// What `weir bench messages` takes.
#[derive(Debug, Default, Args)]
pub(crate) struct BenchMessages {
    #[command(flatten)]
    pub(crate) bench: BenchOptions,
    /// Messages to write over and over, lines of spam or ham, a tab, and the text; without it short texts are made up
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Seed of messages that are made up
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// What `weir bench ratings` takes.
#[derive(Debug, Args)]
pub(crate) struct BenchRatings {
    #[command(flatten)]
    pub(crate) bench: BenchOptions,
    /// Users that they are of
    #[arg(long, default_value_t = 45_000)]
    pub(crate) users: u64,
    /// Items that they are of, by Zipf's law
    #[arg(long, default_value_t = 49_000)]
    pub(crate) items: u64,
    /// Factors of users and items, of both factor models
    #[arg(long, default_value_t = 10)]
    pub(crate) factors: u16,
    /// Seed of the ratings
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// What `weir import` takes.
#[derive(Debug, Args)]
pub(crate) struct ImportCommand {
    /// What the events are
    pub(crate) kind: Kind,
    /// The file, plain, gzip or xz; - for standard input
    pub(crate) file: PathBuf,
    /// Its format, where neither name nor first line tell
    #[arg(long)]
    pub(crate) format: Option<Format>,
    /// The topic [default: the one of the settings]
    #[arg(long)]
    pub(crate) topic: Option<String>,
    /// Events a second at most [default: as fast as the broker takes them]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rate: Option<u64>,
    /// Go on where an earlier import of this file stopped
    #[arg(long)]
    pub(crate) resume: bool,
    /// Where that is kept [default: FILE.weir-import]
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) options: CommonOptions,
}

/// What `weir validate` takes.
#[derive(Debug, Args)]
pub(crate) struct ValidateCommand {
    /// What the events are
    pub(crate) kind: Kind,
    /// A file, plain, gzip or xz; - for standard input
    #[arg(required_unless_present = "from_topic", conflicts_with = "from_topic")]
    pub(crate) file: Option<PathBuf>,
    /// Read the topic instead of a file
    #[arg(long)]
    pub(crate) from_topic: bool,
    /// The file's format, where neither name nor first line tell
    #[arg(long, conflicts_with = "from_topic")]
    pub(crate) format: Option<Format>,
    /// The topic [default: the one of the settings]
    #[arg(long, requires = "from_topic")]
    pub(crate) topic: Option<String>,
    /// Only the first events [default: all of a file]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) first: Option<u64>,
    /// Only the topic's last events, about as many of each partition [default: 10000]
    #[arg(long, value_name = "N", requires = "from_topic", conflicts_with = "first", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) last: Option<u64>,
    #[command(flatten)]
    pub(crate) options: CommonOptions,
}

impl ValidateCommand {
    /// Records of a topic that are looked at if nobody says how many.
    pub(crate) const SAMPLE: u64 = 10_000;
}

impl Default for BenchRatings {
    fn default() -> Self {
        Self { bench: BenchOptions::default(), users: 45_000, items: 49_000, factors: 10, seed: 1 }
    }
}

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

#[derive(Debug, Args)]
pub(crate) struct TopicsCommand {
    #[command(subcommand)]
    pub(crate) action: Option<TopicsAction>,
    #[command(flatten)]
    pub(crate) options: CommonOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TopicsAction {
    /// Create the topics that are missing and check the others
    Create(CommonOptions),
}

#[derive(Debug, Args)]
pub(crate) struct ConfigCommand {
    /// Print all settings in force as TOML, each with where it comes from; passwords are left out
    #[arg(long)]
    pub(crate) dump: bool,
    /// Print passwords too
    #[arg(long, requires = "dump")]
    pub(crate) show_secrets: bool,
    #[command(flatten)]
    pub(crate) options: RestOptions,
}

impl CommonOptions {
    /// The settings of these options over those of the environment, the file and the defaults.
    pub(crate) fn load(self) -> Result<Settings, weir_runtime::Error> {
        self.load_with(Vec::new())
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_help_names_the_variable_and_the_default_of_every_option() {
        let defaults = Settings::default();
        let data_dir = defaults.data_dir.display().to_string();
        let expected = [
            ("brokers", defaults.brokers.as_str()),
            ("data_dir", &data_dir),
            ("name", ""),
            ("prefix", &defaults.prefix),
            ("models", &defaults.models.join(",")),
            ("ops", "none"),
            ("listen", &defaults.listen),
        ];
        let command = Arguments::command();
        let standalone = command.find_subcommand("standalone").expect("a subcommand");
        for (setting, default) in expected {
            let option = standalone.get_arguments().find(|option| option.get_id() == setting).expect("an option");
            let help = option.get_help().expect("a help text").to_string().replace('\n', " ");
            assert!(help.contains(&format!("[env: WEIR_{}]", setting.to_uppercase())), "{help}");
            assert!(default.is_empty() || help.ends_with(&format!("[default: {default}]")), "{help}");
        }
    }
}
