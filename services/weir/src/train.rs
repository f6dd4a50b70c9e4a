//! `weir train`: a recommender from a file of ratings, trained on all of them at once, as a file that a model begins with.
//!
//! Everything happens in this process, without Kafka. First a part of the ratings is held out, to find out after how many
//! passes the rest is learned; then all of them are learned in so many passes.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use weir_learn::offline::events::{self, Ratings};
use weir_learn::offline::ratings::{Epoch, Trained};
use weir_learn::offline::{choices, ratings};
use weir_models::recommender::{Learned, Past, trained};
use weir_models::{Description, Named, describe, recommender_settings};
use weir_ps::ShardRows;
use weir_runtime::Settings;
use weir_wire::frame::{encode_row, row_key};
use weir_wire::snapshot::{Header, Writer};

use crate::arguments::CommonOptions;
use crate::evaluate::ratings::data::Data;
use crate::files::Format;

/// What `weir train` takes.
#[derive(Debug, Args)]
pub(crate) struct TrainCommand {
    /// The model
    #[arg(value_enum)]
    model: Model,
    /// Ratings, plain, gzip or xz, as weir import reads them
    #[arg(long, value_name = "FILE")]
    from_file: PathBuf,
    /// The file to write, for weir import-model
    #[arg(long, value_name = "FILE")]
    save: PathBuf,
    /// The format of the ratings, where neither name nor first line tell
    #[arg(long)]
    format: Option<Format>,
    /// Passes over the ratings at most
    #[arg(long, value_name = "N", default_value_t = ratings::HyperParameters::default().epochs)]
    epochs: u32,
    /// Passes without a better prediction of what is held out, after which no more are made
    #[arg(long, value_name = "N", default_value_t = ratings::HyperParameters::default().patience)]
    patience: u32,
    /// Of so many ratings one is held out to tell the number of passes; with 0 all --epochs are made
    #[arg(long, value_name = "N", default_value_t = 10)]
    held_out: usize,
    /// The first rate of the passes
    #[arg(long, default_value_t = ratings::HyperParameters::default().rate)]
    rate: f32,
    /// How strongly biases and factors of ratings are drawn to 0
    #[arg(long, default_value_t = ratings::HyperParameters::default().regularisation)]
    regularisation: f32,
    /// Sweeps over the choices
    #[arg(long, value_name = "N", default_value_t = choices::HyperParameters::default().sweeps)]
    sweeps: u32,
    /// How much a pair that was not chosen weighs
    #[arg(long, value_name = "WEIGHT", default_value_t = choices::HyperParameters::default().unobserved)]
    unobserved: f32,
    /// Threads [default: as many as there are processors]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    #[command(flatten)]
    pub(crate) options: CommonOptions,
}

/// What can be trained from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Model {
    /// From ratings and choices
    Recommender,
}

/// Trains and writes the file.
///
/// # Errors
/// The ratings cannot be read, a hyper-parameter is out of its range, training comes to no numbers, or the file cannot be
/// written.
pub(crate) fn train(command: &TrainCommand, settings: &Settings) -> anyhow::Result<()> {
    let data = Data::read(&command.from_file, command.format, settings)?;
    if let Some(refusal) = &data.first_refusal {
        println!("{} lines were refused, the first one: {refusal}", data.refused);
    }
    let rated = command.ratings(&data, settings)?;
    let chosen = command.choices(&data, settings)?;
    let Model::Recommender = command.model;
    let description = describe(Named::Recommender, settings)?;
    let past = Past { events: &data.events, users: &data.users, items: &data.items };
    let learned = Learned { ratings: rated.as_ref(), choices: &chosen };
    let shards = trained(&recommender_settings(settings)?, description.partitioner, past, learned);
    let file = &command.save;
    let rows =
        write(file, &description, &command.from_file, &shards).with_context(|| format!("write {}", file.display()))?;
    println!("{rows} rows of {} users and {} items in {}", data.size.users, data.size.items, file.display());
    println!("next: weir import-model {} --from end, and start the roles", file.display());
    Ok(())
}

impl TrainCommand {
    fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from))
    }

    /// None where nothing is rated.
    fn ratings(&self, data: &Data, settings: &Settings) -> anyhow::Result<Option<Trained>> {
        let values = ratings::HyperParameters {
            epochs: self.epochs,
            patience: self.patience,
            rate: self.rate,
            regularisation: self.regularisation,
            threads: self.threads(),
        };
        let tried = ratings::Settings::try_from(values)?;
        let Ratings { learned, held_out } = Ratings::of(&data.events, self.held_out);
        let all = Ratings::of(&data.events, 0).learned;
        if learned.is_empty() {
            return Ok(None);
        }
        let recommender = recommender_settings(settings)?;
        let mut bar = Passes::new("ratings", self.epochs.into(), learned.len());
        let parts = (&*learned, &*held_out);
        let model = &recommender.factors;
        let first = ratings::train(parts, data.size, model, &tried, recommender.seed, |epoch| bar.epoch(epoch))?;
        let fastest = bar.end();
        let Epoch { number, rmse, held_out: predicted, .. } = first.best;
        println!(
            "{} ratings: least error after {number} passes, {rmse:.4} of those learned{}",
            learned.len(),
            held(predicted)
        );
        println!("{:.1} million ratings learned a second, {} threads", fastest / 1e6, values.threads);
        if predicted.is_none() {
            return Ok(Some(first));
        }
        let again =
            ratings::Settings::try_from(ratings::HyperParameters { epochs: number, patience: number, ..values })?;
        let mut bar = Passes::new("all ratings", number.into(), all.len());
        let parts = (&*all, &[][..]);
        let trained = ratings::train(parts, data.size, model, &again, recommender.seed, |epoch| bar.epoch(epoch))?;
        bar.end();
        Ok(Some(trained))
    }

    fn choices(&self, data: &Data, settings: &Settings) -> anyhow::Result<choices::Trained> {
        let values = choices::HyperParameters {
            sweeps: self.sweeps,
            unobserved: self.unobserved,
            threads: self.threads(),
            ..choices::HyperParameters::default()
        };
        let (values, recommender) = (choices::Settings::try_from(values)?, recommender_settings(settings)?);
        let pairs = events::choices(&data.events, data.size, recommender.positive);
        let mut bar = Passes::new("choices", self.sweeps.into(), pairs.len());
        let trained =
            choices::train(&pairs, data.size, &recommender.ranking, &values, recommender.seed, |_| bar.pass());
        bar.end();
        println!("{} choices: {} sweeps", pairs.len(), self.sweeps);
        Ok(trained)
    }
}

fn held(predicted: Option<f64>) -> String {
    predicted.map_or(String::new(), |predicted| format!(", {predicted:.4} of those held out"))
}

/// A progress bar of passes, and how fast the fastest was.
struct Passes {
    bar: ProgressBar,
    events: usize,
    began: Instant,
    shortest: Duration,
}

impl Passes {
    fn new(what: &'static str, passes: u64, events: usize) -> Self {
        let bar = ProgressBar::new(passes).with_message(what);
        if let Ok(style) =
            ProgressStyle::with_template("{msg} {bar:40} {pos} of {len} passes, {eta} left at most {prefix}")
        {
            bar.set_style(style);
        }
        Self { bar, events, began: Instant::now(), shortest: Duration::MAX }
    }

    fn epoch(&mut self, epoch: &Epoch) -> bool {
        self.bar.set_prefix(format!("error {:.4}{}", epoch.rmse, held(epoch.held_out)));
        self.pass()
    }

    fn pass(&mut self) -> bool {
        self.shortest = self.shortest.min(self.began.elapsed());
        self.began = Instant::now();
        self.bar.inc(1);
        true
    }

    /// Events a second of the fastest pass.
    fn end(self) -> f64 {
        self.bar.finish_and_clear();
        self.events as f64 / self.shortest.as_secs_f64()
    }
}

fn write(file: &Path, description: &Description, input: &Path, shards: &[ShardRows]) -> anyhow::Result<u64> {
    let header = Header {
        model: description.name.to_owned(),
        generation: description.generation.to_owned(),
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
