//! The command line. Every option stays an `Option`: a default given here would win over the file and the environment,
//! so defaults are the settings' own. The help names them all the same, and a test compares.

#![expect(clippy::doc_markdown, reason = "these doc comments are help texts, printed as they are")]

mod bench;
mod demo;
mod options;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::evaluate::{EvaluateMessages, EvaluateRatings};
use crate::events::Kind;
use crate::files::Format;
use crate::generations::{ChangeCommand, ModelsCommand, RollBackCommand};
use crate::snapshot::{ExportCommand, ImportModelCommand};
use crate::train::TrainCommand;
pub(crate) use bench::{BenchCommand, BenchLatency, BenchMessages, BenchOptions, BenchRatings, BenchRecovery};
pub(crate) use demo::Demo;
pub(crate) use options::{CommonOptions, RestOptions, RoleOptions};

const EXAMPLES: &str = "\
Examples:
  weir demo
      everything at work on made-up events, without a Kafka
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
    /// Show all of it at work on made-up events, without a Kafka: a broker for trying only is inside
    #[command(after_help = EXAMPLES)]
    Demo(Demo),
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
        /// ratings, messages, messages.scored, ratings.predicted or weir.models
        topic: Option<String>,
    },
    /// Go on where a log no longer reaches back: shows what is lost, accepts it with --yes
    AcceptLoss(AcceptLossCommand),
    /// Write a whole model to a file, while its workers rest
    Export(ExportCommand),
    /// Begin a generation of a model that learns from the whole log beside the one that serves; or, with --from-file, train
    /// a model from a file without Kafka, for import-model
    Train(Box<TrainCommand>),
    /// List the generations of each model: where they are in their lives, and how far in the log
    Models(ModelsCommand),
    /// Let a generation serve, as soon as it covers what the one covers that serves now
    Promote(ChangeCommand),
    /// Let the generation serve again that served before
    Rollback(RollBackCommand),
    /// End a generation that does not serve
    Retire(ChangeCommand),
    /// Let a model that has not begun begin with the rows of a file
    ImportModel(ImportModelCommand),
    /// Measure how well a model does on a file, without Kafka
    #[command(subcommand)]
    Evaluate(EvaluateCommand),
    /// Measure how fast this build is on this machine, against a given broker
    #[command(subcommand)]
    Bench(BenchCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum EvaluateCommand {
    /// The recommender on a file of ratings, beside its baselines
    Ratings(Box<EvaluateRatings>),
    /// The spam filter on files of labelled messages, by several learners
    Messages(Box<EvaluateMessages>),
}

/// What `weir accept-loss` takes.
#[derive(Debug, Args)]
pub(crate) struct AcceptLossCommand {
    /// Write that what is lost is lost, so that roles go on without it; they must not run
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) options: CommonOptions,
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use weir_runtime::Settings;

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
