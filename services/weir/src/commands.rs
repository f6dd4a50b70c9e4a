//! What each subcommand does.

use anyhow::Context as _;
use weir_models::{message_mapping, rating_mapping};
use weir_runtime::{Settings, how_to_set};

use crate::accept_loss;
use crate::arguments::{Arguments, BenchCommand, Command, ConfigCommand, EvaluateCommand, TopicsAction, TopicsCommand};
use crate::bench;
use crate::demo;
use crate::evaluate;
use crate::generations;
use crate::import;
use crate::learner::built_in;
use crate::roles::{self, Role};
use crate::schema;
use crate::snapshot;
use crate::topics;
use crate::train;
use crate::validate;

pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command {
        Command::Standalone(options) => run_roles(&Role::ALL, checked(options.load())?),
        Command::Server(options) => run_roles(&[Role::Server], checked(options.load())?),
        Command::Worker(options) => run_roles(&[Role::Worker], checked(options.load())?),
        Command::Gateway(options) => run_roles(&[Role::Gateway], checked(options.load())?),
        Command::Demo(command) => demo::run(&command),
        Command::Topics(TopicsCommand { action: Some(TopicsAction::Create(options)), .. }) => {
            topics::create(&checked(options.load())?)
        }
        Command::Topics(TopicsCommand { action: None, options }) => topics::show(&checked(options.load())?),
        Command::Config(options) => config(options),
        Command::Import(command) => import::run(&command, &checked(command.options.clone().load())?),
        Command::Validate(command) => validate::run(&command, &checked(command.options.clone().load())?),
        Command::AcceptLoss(command) => accept_loss::run(&command, &checked(command.options.clone().load())?),
        Command::Evaluate(EvaluateCommand::Messages(command)) => {
            evaluate::messages(&command, &checked(command.common.clone().load())?)
        }
        Command::Export(command) => snapshot::export(&command, &checked(command.options.clone().load())?),
        Command::Train(command) => train::train(&command, &checked(command.options.clone().load())?),
        Command::Models(command) => generations::list(&checked(command.options.load())?),
        Command::Promote(command) => generations::promote(&command, &checked(command.options.clone().load())?),
        Command::Rollback(command) => generations::roll_back(&command, &checked(command.options.clone().load())?),
        Command::Retire(command) => generations::retire(&command, &checked(command.options.clone().load())?),
        Command::ImportModel(command) => snapshot::import(&command, &checked(command.options.clone().load())?),
        Command::Evaluate(EvaluateCommand::Ratings(command)) => evaluate::ratings(&command, checked),
        Command::Schema { topic } => schema::print(topic.as_deref()),
        Command::Bench(BenchCommand::Ratings(command)) => {
            bench::ratings(&command, checked(command.bench.common.clone().load())?)
        }
        Command::Bench(BenchCommand::Messages(command)) => {
            bench::messages(&command, checked(command.bench.common.clone().load())?)
        }
        Command::Bench(BenchCommand::Latency(command)) => {
            bench::run_latency(&command, checked(command.common.clone().load())?)
        }
        Command::Bench(BenchCommand::Recovery(command)) => {
            bench::run_recovery(&command, checked(command.common.clone().load())?)
        }
    }
}

fn run_roles(roles: &[Role], settings: Settings) -> anyhow::Result<()> {
    roles::run(&built_in(&settings)?, roles, settings)
}

fn config(command: ConfigCommand) -> anyhow::Result<()> {
    let (settings, origins) = command.options.load_with_origins()?;
    let settings = checked(Ok(settings))?;
    if command.dump {
        print!("{}", settings.to_toml(&origins, command.show_secrets)?);
    } else {
        println!("the settings are valid; `weir config --dump` prints them");
    }
    Ok(())
}

/// Settings whose mappings and librdkafka properties are known to be taken too; runtime knows neither.
fn checked(settings: Result<Settings, weir_runtime::Error>) -> anyhow::Result<Settings> {
    let settings = settings?;
    match topics::connection(&settings).check() {
        Err(weir_kafka::Error::Setting { name, reason }) => {
            let path = format!("kafka.settings.{name}");
            anyhow::bail!("setting {path}: {reason}; {}", how_to_set(&path))
        }
        other => other.context("Kafka's settings")?,
    }
    rating_mapping(&settings)?;
    message_mapping(&settings)?;
    Ok(settings)
}
