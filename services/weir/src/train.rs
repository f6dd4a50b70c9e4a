//! `weir train`: a generation that learns from the log (`crate::generations`), or a model from a file of events, trained on
//! all of them at once, as a file that a model begins with.
//!
//! From a file everything happens in this process, without Kafka. First a part of the events is held out, to find out after how many
//! passes the rest is learned; then all of them are learned in so many passes.

mod log;
mod passes;
mod recommender;
mod spam;

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use weir_models::Description;
use weir_ps::ShardRows;
use weir_runtime::Settings;
use weir_wire::Generation;
use weir_wire::frame::{encode_row, row_key};
use weir_wire::snapshot::{Header, Writer};

use crate::arguments::CommonOptions;
use crate::files::Format;
use crate::generations;
use log::Log;

/// What `weir train` takes.
#[derive(Debug, Args)]
pub(crate) struct TrainCommand {
    /// The model
    #[arg(value_enum)]
    model: Model,
    /// Learn from a file instead of the log: ratings or labelled messages, plain, gzip or xz, as weir import reads them
    #[arg(long, value_name = "FILE", requires = "save")]
    from_file: Option<PathBuf>,
    /// The file to write, for weir import-model
    #[arg(long, value_name = "FILE", requires = "from_file")]
    save: Option<PathBuf>,
    /// The format of the events, where neither name nor first line tell
    #[arg(long, requires = "from_file")]
    format: Option<Format>,
    /// Go on watching this generation, which was begun before, instead of beginning one
    #[arg(long, value_name = "GENERATION", conflicts_with_all = ["from_file", "epochs", "detach"])]
    pub(crate) follow: Option<Generation>,
    /// Begin the generation and do not watch it
    #[arg(long, conflicts_with_all = ["from_file", "epochs"])]
    pub(crate) detach: bool,
    /// Passes over the events at most; without a file they are made over the log, here and on all events at once, and a new
    /// generation begins with what is learned; of a file [default: 100 over ratings, 20 over messages]
    #[arg(long, value_name = "N")]
    epochs: Option<u32>,
    /// Passes without a better prediction of what is held out, after which no more are made [default: 5 over ratings, 3
    /// over messages]
    #[arg(long, value_name = "N")]
    patience: Option<u32>,
    /// Of so many events one is held out to tell the number of passes; with 0 all --epochs are made
    #[arg(long, value_name = "N", default_value_t = 10)]
    held_out: usize,
    #[command(flatten)]
    recommender: recommender::RecommenderOptions,
    #[command(flatten)]
    spam: spam::SpamOptions,
    #[command(flatten)]
    pub(crate) options: CommonOptions,
}

/// What can be trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Model {
    /// From ratings and choices
    Recommender,
    /// From labelled messages
    Spam,
    /// From ratings, which it counts; from the log only
    Counting,
}

/// Begins a generation that learns from the log, by the roles or, with --epochs, here in several passes; or trains from a
/// file and writes another one.
///
/// # Errors
/// From the log: the broker cannot be reached, a setting is refused, or the generation ends before it is trained. From a
/// file: the events cannot be read, an option is out of its range or of the other model, training comes to no numbers, or the
/// file cannot be written.
pub(crate) fn train(command: &TrainCommand, settings: &Settings) -> anyhow::Result<()> {
    let given = |spam: bool| if spam { command.spam.given() } else { command.recommender.given() };
    let place = match (command.from_file.as_ref().zip(command.save.as_ref()), command.epochs) {
        (Some((from, save)), _) => Place::Files { from, save },
        (None, Some(_)) => Place::Log(Box::new(Log::open(command, settings)?)),
        (None, None) => {
            if let Some(option) = given(true).or_else(|| given(false)) {
                anyhow::bail!("{option} is for several passes: say --epochs N or --from-file FILE, or leave it out");
            }
            return generations::begin(command, settings);
        }
    };
    let foreign = given(command.model != Model::Spam);
    if let Some(option) = foreign {
        let other = if command.model == Model::Spam { "recommender" } else { "spam" };
        anyhow::bail!("{option} is for weir train {other}: leave it out");
    }
    match command.model {
        Model::Recommender => recommender::train(command, &place, settings),
        Model::Spam => spam::train(command, &place, settings),
        Model::Counting => {
            anyhow::bail!("counting learns by its roles only: leave --epochs, --from-file and --save out")
        }
    }
}

impl TrainCommand {
    /// The model's name.
    pub(crate) fn model(&self) -> &'static str {
        match self.model {
            Model::Recommender => "recommender",
            Model::Spam => "spam",
            Model::Counting => "counting",
        }
    }
}

/// Where events come from, and where the model goes.
enum Place<'a> {
    /// The file of events, and the one to write.
    Files { from: &'a Path, save: &'a Path },
    /// The log, and a new generation.
    Log(Box<Log<'a>>),
}

impl Place<'_> {
    /// Writes what was trained, and says what to do with it.
    fn save(&self, description: &Description, shards: &[ShardRows], of_what: &str) -> anyhow::Result<()> {
        let (from, file) = match self {
            Self::Files { from, save } => (from, *save),
            Self::Log(log) => return log.save(description, shards, of_what),
        };
        // Of no cluster.
        let origin = Origin { input: &from.display().to_string(), covered: Vec::new(), cluster_id: "" };
        let rows = write(file, description, origin, shards).with_context(|| format!("write {}", file.display()))?;
        println!("{rows} rows of {of_what} in {}", file.display());
        println!("next: weir import-model {} --from end, and start the roles", file.display());
        Ok(())
    }
}

/// Which events a model has learned.
struct Origin<'a> {
    input: &'a str,
    /// The offset next to read by partition, of a topic.
    covered: Vec<(u32, u64)>,
    cluster_id: &'a str,
}

fn write(file: &Path, description: &Description, origin: Origin<'_>, shards: &[ShardRows]) -> anyhow::Result<u64> {
    let header = Header {
        model: description.name.to_owned(),
        generation: description.generation.to_string(),
        input: origin.input.to_owned(),
        covered: origin.covered,
        layout: description.layout(origin.cluster_id).written().clone(),
        created_ms: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64),
    };
    let aside = aside(file)?;
    let (mut writer, mut value, mut count) =
        (Writer::new(BufWriter::new(File::create(&aside)?), &header)?, Vec::new(), 0);
    for (shard, rows) in (0..).zip(shards) {
        for (table, rows) in rows.tables() {
            for (key, name, words) in rows.iter() {
                value.clear();
                encode_row(&mut value, description.hash(), shard, name, words)?;
                writer.row(shard, &row_key(table, key), &value)?;
                count += 1;
            }
        }
    }
    writer.finish()?.into_inner()?.sync_all()?;
    fs::rename(&aside, file)?;
    Ok(count)
}

/// Where a file is written until it is whole.
pub(crate) fn aside(file: &Path) -> anyhow::Result<PathBuf> {
    let mut name = file.file_name().context("not the name of a file")?.to_owned();
    name.push(".partial");
    Ok(file.with_file_name(name))
}
