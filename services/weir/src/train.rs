//! `weir train`: a model from a file of events, trained on all of them at once, as a file that a model begins with.
//!
//! Everything happens in this process, without Kafka. First a part of the events is held out, to find out after how many
//! passes the rest is learned; then all of them are learned in so many passes.

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
use weir_wire::frame::{encode_row, row_key};
use weir_wire::snapshot::{Header, Writer};

use crate::arguments::CommonOptions;
use crate::files::Format;

/// What `weir train` takes.
#[derive(Debug, Args)]
pub(crate) struct TrainCommand {
    /// The model
    #[arg(value_enum)]
    model: Model,
    /// Ratings or labelled messages, plain, gzip or xz, as weir import reads them
    #[arg(long, value_name = "FILE")]
    from_file: PathBuf,
    /// The file to write, for weir import-model
    #[arg(long, value_name = "FILE")]
    save: PathBuf,
    /// The format of the events, where neither name nor first line tell
    #[arg(long)]
    format: Option<Format>,
    /// Passes over the events at most [default: 100 over ratings, 20 over messages]
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

/// What can be trained from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Model {
    /// From ratings and choices
    Recommender,
    /// From labelled messages
    Spam,
}

/// Trains and writes the file.
///
/// # Errors
/// The events cannot be read, an option is out of its range or of the other model, training comes to no numbers, or the file
/// cannot be written.
pub(crate) fn train(command: &TrainCommand, settings: &Settings) -> anyhow::Result<()> {
    let (foreign, other) = match command.model {
        Model::Recommender => (command.spam.given(), "spam"),
        Model::Spam => (command.recommender.given(), "recommender"),
    };
    if let Some(option) = foreign {
        anyhow::bail!("{option} is for weir train {other}: leave it out");
    }
    match command.model {
        Model::Recommender => recommender::train(command, settings),
        Model::Spam => spam::train(command, settings),
    }
}

impl TrainCommand {
    /// Writes what was trained, and says what to do with it.
    fn save(&self, description: &Description, shards: &[ShardRows], of_what: &str) -> anyhow::Result<()> {
        let file = &self.save;
        let rows =
            write(file, description, &self.from_file, shards).with_context(|| format!("write {}", file.display()))?;
        println!("{rows} rows of {of_what} in {}", file.display());
        println!("next: weir import-model {} --from end, and start the roles", file.display());
        Ok(())
    }
}

fn write(file: &Path, description: &Description, input: &Path, shards: &[ShardRows]) -> anyhow::Result<u64> {
    let header = Header {
        model: description.name.to_owned(),
        generation: description.generation.to_string(),
        input: input.display().to_string(),
        covered: Vec::new(),
        // Of no cluster.
        layout: description.layout("").written().clone(),
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
