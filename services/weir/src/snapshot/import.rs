//! `weir import-model`: a model that begins with the rows of a file.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use weir_kafka::{AbortFirst, Admin, InputOffsets, Isolation, OutRecord, Transaction, Transactional};
use weir_models::Description;
use weir_runtime::Settings;
use weir_wire::Frame;
use weir_wire::frame::{self, BARRIER_KEY, Position, SourceDone};
use weir_wire::snapshot::{Header, Reader, Row};

use super::described;
use crate::accept_loss::logs::Logs;
use crate::arguments::CommonOptions;
use crate::generations;
use crate::topics;

const LOOKUP: Duration = Duration::from_secs(10);
/// Everything is one transaction; brokers allow a quarter of an hour.
const TIMEOUT: Duration = Duration::from_mins(10);

/// What `weir import-model` takes.
#[derive(Debug, Args)]
pub(crate) struct ImportModelCommand {
    /// A file that weir export has written
    file: PathBuf,
    /// With which events the model goes on [default: covered, where the file is of the same input topic]
    #[arg(long, value_enum)]
    from: Option<StartWith>,
    /// Begin another generation of the model with it, beside the one that serves and while roles run; --set gives the
    /// generation settings of its own
    #[arg(long)]
    new_generation: bool,
    #[command(flatten)]
    pub(crate) options: CommonOptions,
}

impl ImportModelCommand {
    /// A new generation of a model that begins with a file and goes on with the first event that the file does not contain.
    pub(crate) fn of(file: PathBuf, options: CommonOptions) -> Self {
        Self { file, from: Some(StartWith::Covered), new_generation: true, options }
    }
}

/// With which events an imported model goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StartWith {
    /// With the first that the file does not contain
    Covered,
    /// With the first that the topic has: they are learned on top of what the file contains
    Beginning,
    /// With the first that comes after this
    End,
}

/// Writes the rows into the changelog of a model that has not begun, or of a new generation; all or none.
///
/// # Errors
/// The file is damaged or of other settings, the model has begun or its roles run, or the broker cannot be reached.
/// Nothing is written then.
pub(crate) fn import(command: &ImportModelCommand, settings: &Settings) -> anyhow::Result<()> {
    let file = &command.file;
    let (header, rows) = read(file).with_context(|| file.display().to_string())?;
    let admin = Admin::connect(&topics::connection(settings), LOOKUP)?;
    let description = described(&header.model, settings)?;
    if command.new_generation {
        let own = generations::own(&command.options);
        let settings = &generations::settings_of(settings, &own)?;
        check_layout(&described(&header.model, settings)?, &header, admin.cluster_id())?;
        return generations::load(&admin, settings, description.name, own, |generation| {
            let description = described(&header.model, settings)?.in_generation(generation);
            write(command, settings, &admin, &description, &header, rows)
        });
    }
    anyhow::ensure!(
        header.generation == description.generation.to_string(),
        "the file is of generation {}, and a model begins with {}: --new-generation begins another one with it",
        header.generation,
        description.generation
    );
    check_layout(&description, &header, admin.cluster_id())?;
    let count = write(command, settings, &admin, &description, &header, rows)?;
    println!("model {} of prefix {} begins with {count} rows; start its roles", header.model, settings.prefix);
    Ok(())
}

/// Writes the rows as those of a model that has not begun. How many there are.
fn write(
    command: &ImportModelCommand,
    settings: &Settings,
    admin: &Admin,
    description: &Description,
    header: &Header,
    rows: Vec<Row>,
) -> anyhow::Result<usize> {
    topics::create_quietly(admin, settings, description)?;
    let logs = Logs::open(admin, description, settings)?;
    check_unused(admin, &logs, description)?;
    let sources = sources(command.from, header, admin, description, settings)?;
    let of_file = weir_wire::topic::model_hash(&header.model, &header.generation);
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        let (key, topic) = (Some(row.key.to_vec()), Arc::clone(&logs.parameters));
        let value = marked(description.hash(), of_file, row.shard, row.value)?;
        records.push(OutRecord::new(topic, Some(row.shard), key, Some(value)));
    }
    let count = records.len();
    let layout = description.layout(admin.cluster_id()).written().to_json()?;
    for shard in 0..description.partitioner.shards() {
        let mut value = Vec::new();
        frame::encode_barrier(&mut value, description.hash(), shard, 0, &sources, &layout)?;
        records.push(OutRecord::new(
            Arc::clone(&logs.parameters),
            Some(shard),
            Some(BARRIER_KEY.to_vec()),
            Some(value),
        ));
    }
    let id = description.transactional_id(&settings.prefix, "operator", "import-model");
    let mut producer = Transactional::start(&topics::connection(settings), &id, TIMEOUT, &AbortFirst::default())?;
    // So that whoever asks how far the model is knows it before its first event.
    let next: Vec<_> = sources.iter().map(|source| (source.source, source.position.sequence)).collect();
    let metadata = logs.workers.metadata()?;
    let offsets = (!next.is_empty()).then(|| InputOffsets { metadata, topic: Arc::clone(&description.input), next });
    producer.run(&Transaction { records, offsets })?;
    Ok(count)
}

/// A row's value as that of the model `hash`, which another one has written.
fn marked(hash: u32, of_file: u32, shard: u32, value: Vec<u8>) -> anyhow::Result<Vec<u8>> {
    if hash == of_file {
        return Ok(value);
    }
    let Ok(Frame::Row(row)) = Frame::parse_for(of_file, &value) else {
        anyhow::bail!("a row is not of the model that the file says it is of");
    };
    let (mut out, words) =
        (Vec::with_capacity(value.len()), row.words().iter().map(|word| word.get()).collect::<Vec<_>>());
    frame::encode_row(&mut out, hash, shard, row.name, &words)?;
    Ok(out)
}

/// The whole file, once it is known to be as it was written.
fn read(file: &Path) -> anyhow::Result<(Header, Vec<Row>)> {
    let mut reader = Reader::new(BufReader::new(File::open(file)?))?;
    let mut rows = Vec::new();
    while let Some(row) = reader.row()? {
        rows.push(row);
    }
    Ok((reader.header().clone(), rows))
}

/// Of other shards, seeds or factors, the rows would mean something else.
fn check_layout(description: &Description, header: &Header, cluster_id: &str) -> anyhow::Result<()> {
    // Which cluster and topics the rows came from does not matter to them.
    let mut found = header.layout.clone();
    cluster_id.clone_into(&mut found.cluster_id);
    found.topic_ids.clear();
    description.layout(cluster_id).check(&found).map_err(anyhow::Error::msg).context("the file does not fit")
}

fn check_unused(admin: &Admin, logs: &Logs<'_>, description: &Description) -> anyhow::Result<()> {
    logs.check_idle()?;
    for shard in 0..description.partitioner.shards() {
        let mut records = 0;
        // Only what is committed: an import that was killed leaves records that nobody will ever see.
        logs.read(&logs.parameters, shard, logs.changelog(shard)?.first, &mut |_| records += 1)?;
        let pushes = admin.watermarks(&logs.pushes, shard, Isolation::ReadUncommitted)?.end;
        anyhow::ensure!(
            records == 0 && pushes == 0,
            "model {} has begun already, shard {shard} has records: import into another prefix (setting prefix), where \
             nothing was learned yet",
            description.name
        );
    }
    Ok(())
}

/// Where the model stands in each partition of its input.
fn sources(
    from: Option<StartWith>,
    header: &Header,
    admin: &Admin,
    description: &Description,
    settings: &Settings,
) -> anyhow::Result<Vec<SourceDone>> {
    let input = &description.input;
    match from {
        None | Some(StartWith::Covered) if !is_same_log(header, admin, input, settings)? => anyhow::bail!(
            "the file is of topic {} on cluster {}, not of {input} on {}: its offsets mean nothing here; say --from \
             beginning or --from end",
            header.input,
            header.layout.cluster_id,
            admin.cluster_id()
        ),
        None | Some(StartWith::Covered) => Ok(header.covered.iter().map(|(source, next)| at(*source, *next)).collect()),
        // Of a partition that no shard knows, workers begin with the first event.
        Some(StartWith::Beginning) => Ok(Vec::new()),
        Some(StartWith::End) => {
            let partitions = admin.partition_count(input)?.unwrap_or(0);
            let end = |partition| Ok(at(partition, admin.watermarks(input, partition, Isolation::ReadCommitted)?.end));
            (0..partitions).map(end).collect()
        }
    }
}

/// Whether the offsets of the file are those of this input topic, as far as can be told.
fn is_same_log(header: &Header, admin: &Admin, input: &str, settings: &Settings) -> anyhow::Result<bool> {
    if header.layout.cluster_id != admin.cluster_id() || header.input != input {
        return Ok(false);
    }
    let then = header.layout.topic_ids.iter().find(|(topic, _)| topic == input).map(|(_, id)| id);
    let now = weir_kafka::topic_ids(&topics::connection(settings), &[input], LOOKUP)?.pop().flatten();
    Ok(then.zip(now.as_ref()).is_none_or(|(then, now)| then == now))
}

fn at(source: u32, sequence: u64) -> SourceDone {
    SourceDone { source, position: Position { pass: 0, sequence }, parts_done: 0 }
}
