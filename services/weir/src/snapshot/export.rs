//! `weir export`: the rows of a model, out of its changelog into a file.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use weir_kafka::Admin;
use weir_models::Description;
use weir_runtime::Settings;
use weir_wire::snapshot::{Header, Writer};

use super::content::{Content, agreed};
use super::{described, vectors};
use crate::accept_loss::logs::Logs;
use crate::arguments::CommonOptions;
use crate::topics;
use crate::train::aside;

const LOOKUP: Duration = Duration::from_secs(10);

/// What `weir export` takes.
#[derive(Debug, Args)]
pub(crate) struct ExportCommand {
    /// The model
    model: String,
    /// The file to write
    file: PathBuf,
    /// Write the vectors of users and items into DIR too, each table as CSV and as a matrix of `NumPy`, for other tools
    #[arg(long, value_name = "DIR")]
    vectors: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) options: CommonOptions,
}

/// Writes the file, or leaves what was there.
///
/// # Errors
/// The broker cannot be reached, the shards do not contain the same events, or the file cannot be written.
pub(crate) fn export(command: &ExportCommand, settings: &Settings) -> anyhow::Result<()> {
    let admin = Admin::connect(&topics::connection(settings), LOOKUP)?;
    let description = described(&command.model, settings)?;
    let shards = read(&Logs::open(&admin, &description, settings)?, &description)?;
    let (covered, layout) = agreed(&shards)?;
    let header = Header {
        model: description.name.to_owned(),
        generation: description.generation.to_string(),
        input: description.input.to_string(),
        covered,
        layout,
        created_ms: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64),
    };
    write(&command.file, &header, &shards).with_context(|| format!("write {}", command.file.display()))?;
    if let Some(dir) = &command.vectors {
        vectors::write(dir, &description, &shards).with_context(|| format!("write to {}", dir.display()))?;
    }
    let (rows, events) = (shards.iter().map(|shard| shard.rows.len()).sum::<usize>(), learned(&header));
    println!(
        "{rows} rows of model {} in {}, after {events} records of {}",
        header.model,
        command.file.display(),
        header.input
    );
    Ok(())
}

fn learned(header: &Header) -> u64 {
    header.covered.iter().map(|(_, next)| next).sum()
}

fn read(logs: &Logs<'_>, description: &Description) -> anyhow::Result<Vec<Content>> {
    let shards = description.partitioner.shards();
    let bar = ProgressBar::new(0).with_message("reading the changelog");
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:40} {percent} % {eta} left") {
        bar.set_style(style);
    }
    let mut contents = Vec::new();
    for shard in 0..shards {
        let marks = logs.changelog(shard)?;
        bar.inc_length(marks.end.saturating_sub(marks.first));
        let mut content = Content::default();
        logs.read(&logs.parameters, shard, marks.first, &mut |record| {
            content.take(description.hash(), &record);
            bar.inc(1);
        })?;
        contents.push(content);
    }
    bar.finish_and_clear();
    Ok(contents)
}

/// Beside the file first, so that nobody ever finds half of one under its name.
fn write(file: &Path, header: &Header, shards: &[Content]) -> anyhow::Result<()> {
    let aside = aside(file)?;
    let mut writer = Writer::new(BufWriter::new(File::create(&aside)?), header)?;
    for (shard, content) in (0..).zip(shards) {
        for (key, value) in &content.rows {
            writer.row(shard, key, value)?;
        }
    }
    writer.finish()?.into_inner()?.sync_all()?;
    Ok(fs::rename(&aside, file)?)
}
