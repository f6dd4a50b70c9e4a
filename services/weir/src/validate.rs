//! `weir validate`: what workers would make of a sample of events, before anything learns from it.

mod tally;

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use weir_kafka::{Admin, Isolation, MemberEvent, Reader, StartAt};
use weir_runtime::Settings;

use crate::arguments::ValidateCommand;
use crate::events::EventReader;
use crate::files::{Lines, Parser};
use crate::refused::Refused;
use crate::topics;
use tally::Tally;

const LOOKUP: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(100);
/// How long nothing may come of a topic that has more.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads the sample and prints what it is, by kinds and reasons.
///
/// # Errors
/// [`Refused`] if an event would be; anything else kept the sample from being read.
pub(crate) fn run(command: &ValidateCommand, settings: &Settings) -> anyhow::Result<()> {
    let reader = EventReader::new(command.kind, settings)?;
    let mut tally = Tally::default();
    match &command.file {
        Some(file) => of_file(command, file, &reader, &mut tally)?,
        None => of_topic(command, settings, &reader, &mut tally)?,
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{tally}")?;
    if tally.refused() > 0 {
        if let Some(section) = command.kind.section() {
            write!(out, "how events are read is set under [{section}]; ")?;
        }
        writeln!(out, "`weir schema` shows what is expected")?;
    }
    Refused::check(tally.refused(), "events would be refused")
}

fn of_file(
    command: &ValidateCommand,
    file: &std::path::Path,
    reader: &EventReader,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let (mut lines, mut parser) = (Lines::open(file)?, None);
    while tally.events() < command.first.unwrap_or(u64::MAX) {
        let line = lines.next().with_context(|| format!("read {}", file.display()))?;
        let Some(line) = line else { break };
        let parser = match &mut parser {
            Some(parser) => parser,
            none => none.insert(Parser::open(command.kind, file, command.format, line.bytes)?),
        };
        let place = format!("line {}", line.number);
        match parser.payload(line) {
            Ok(None) => {}
            Ok(Some(payload)) => tally.add(reader.read(None, Some(&payload)), &place, &payload),
            Err(refusal) => tally.refuse(refusal.reason, &refusal.detail, &place, line.bytes),
        }
    }
    Ok(())
}

/// The first or the last records of each partition.
fn of_topic(
    command: &ValidateCommand,
    settings: &Settings,
    reader: &EventReader,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let connection = topics::connection(settings);
    let topic = command.topic.as_deref().unwrap_or_else(|| command.kind.topic(settings));
    let admin = Admin::connect(&connection, LOOKUP)?;
    let partitions = admin.partition_count(topic)?;
    let partitions = partitions.with_context(|| format!("there is no topic {topic}"))?;
    let count = command.first.or(command.last).unwrap_or(ValidateCommand::SAMPLE);
    let share = count.div_ceil(u64::from(partitions.max(1)));
    let mut ranges = Vec::new();
    for partition in 0..partitions {
        let marks = admin.watermarks(topic, partition, Isolation::ReadCommitted)?;
        let first =
            if command.first.is_some() { marks.first } else { marks.end.saturating_sub(share).max(marks.first) };
        let end = if command.first.is_some() { marks.end.min(marks.first + share) } else { marks.end };
        ranges.push((partition, first, end));
    }
    ranges.retain(|(_, first, end)| first < end);
    read(&connection, topic, &ranges, |partition, offset, key, payload| {
        let place = format!("partition {partition}, offset {offset}");
        tally.add(reader.read(key, payload), &place, payload.or(key).unwrap_or_default());
    })
}

/// Hands over the records of each partition's range of offsets.
fn read(
    connection: &weir_kafka::Connection,
    topic: &str,
    ranges: &[(u32, u64, u64)],
    mut on_record: impl FnMut(u32, u64, Option<&[u8]>, Option<&[u8]>),
) -> anyhow::Result<()> {
    let starts: Vec<_> = ranges.iter().map(|&(partition, first, _)| (partition, StartAt::Offset(first))).collect();
    let reader = Reader::open(connection, topic, &starts, Isolation::ReadCommitted)?;
    let mut left = ranges.to_vec();
    let mut last = Instant::now();
    while !left.is_empty() {
        let polled = reader.poll(POLL, 1_000, &mut |record| {
            let Some(&(_, _, end)) = left.iter().find(|(partition, ..)| *partition == record.partition) else { return };
            if record.offset < end {
                on_record(record.partition, record.offset, record.key, record.payload);
            }
            // Offsets have holes: the next one may lie behind the end.
            if record.offset + 1 >= end {
                left.retain(|(partition, ..)| *partition != record.partition);
            }
        })?;
        for event in &polled.events {
            left.retain(|(partition, ..)| *event != MemberEvent::EndOfPartition(*partition));
        }
        if polled.records > 0 {
            last = Instant::now();
        }
        anyhow::ensure!(last.elapsed() < PATIENCE, "nothing more came from {topic} within {PATIENCE:?}");
    }
    Ok(())
}
