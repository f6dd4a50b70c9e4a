//! The thread that reads the input: decodes it and cuts it into batches.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use weir_kafka::{Member, MemberEvent, Record};
use weir_models::{Decoder, Input, InputModel, REJECTED};
use weir_ps::{Batch, BatchLimits, Batcher, Model, Output, Position, WorkerLogic};
use weir_wire::rejected;

use crate::model::TrainedModel;
use crate::room::Room;
use crate::watch;

/// How long a poll waits while nothing is pending.
const IDLE: Duration = Duration::from_millis(50);
/// How long it waits while events are.
const PENDING: Duration = Duration::from_millis(1);
/// Records taken in one poll: so many may wait in batches that have no room yet.
const RECORDS: usize = 512;
/// How long the reader waits for room before it pauses its partitions, which throws away what was fetched ahead.
const PATIENCE: Duration = Duration::from_secs(1);

type Event<M> = <<M as Model>::Worker as WorkerLogic>::Event;

/// What the input brings.
pub(crate) enum InputEvent<E> {
    /// A batch.
    Batch(Cut<E>),
    /// The group moves source partitions.
    Rebalance(MemberEvent),
    /// Reading cannot go on.
    Failed(anyhow::Error),
}

/// A batch that is cut, and the time of its oldest record in milliseconds since 1970.
pub(crate) struct Cut<E> {
    pub(crate) batch: Batch<E>,
    pub(crate) oldest_ms: i64,
}

/// Reads the input of one model.
pub(crate) struct InputReader<'a, M: InputModel> {
    pub(crate) decoder: M::Decoder,
    pub(crate) trained: &'a TrainedModel,
    pub(crate) member: &'a Member,
    pub(crate) room: &'a Room,
    pub(crate) limits: BatchLimits,
    pub(crate) sources: BTreeMap<u32, SourceReader<Event<M>>>,
    pub(crate) began: Instant,
    pub(crate) paused: bool,
    pub(crate) full_since: Option<Instant>,
}

/// One source partition: the batch under construction, and full ones that wait for room.
pub(crate) struct SourceReader<E> {
    batcher: Batcher<E>,
    /// Time of the oldest record in the batcher.
    oldest_ms: Option<i64>,
    full: VecDeque<Cut<E>>,
}

impl<E> SourceReader<E> {
    fn new(source: u32, start: u64, limits: BatchLimits) -> Self {
        let batcher = Batcher::new(source, Position::online(start), limits);
        Self { batcher, oldest_ms: None, full: VecDeque::new() }
    }

    /// The batcher with room for one more record, of this time.
    fn batcher(&mut self, timestamp_ms: i64) -> &mut Batcher<E> {
        if self.batcher.is_full() {
            let cut = self.cut();
            self.full.push_back(cut);
        }
        self.oldest_ms = Some(self.oldest_ms.map_or(timestamp_ms, |oldest| oldest.min(timestamp_ms)));
        &mut self.batcher
    }

    fn cut(&mut self) -> Cut<E> {
        Cut { batch: self.batcher.cut(), oldest_ms: self.oldest_ms.take().unwrap_or_else(watch::now_ms) }
    }

    fn is_full(&self) -> bool {
        !self.full.is_empty() || self.batcher.is_full()
    }

    fn next(&mut self, drained: bool, now_ms: u64, may_go: impl Fn() -> bool) -> Option<Cut<E>> {
        if !self.full.is_empty() {
            return if may_go() { self.full.pop_front() } else { None };
        }
        (self.batcher.is_due(drained, now_ms) && may_go()).then(|| self.cut())
    }
}

impl<M: InputModel> InputReader<'_, M> {
    /// Reads until told to stop. The channel never holds more batches than the loop has granted.
    pub(crate) fn run(mut self, stop: &AtomicBool, events: &Sender<InputEvent<Event<M>>>) {
        while !stop.load(Ordering::Acquire) {
            if let Err(error) = self.step(events) {
                let _ = events.send(InputEvent::Failed(error));
                return;
            }
        }
    }

    fn step(&mut self, events: &Sender<InputEvent<Event<M>>>) -> anyhow::Result<()> {
        if self.is_full() {
            self.room.wait(PENDING * 20);
            self.cut(false, events);
            if self.is_full() && !self.wait_paused()? {
                return Ok(());
            }
        } else {
            self.full_since = None;
            self.unpause()?;
        }
        let pending = self.sources.values().any(|source| source.is_full() || !source.batcher.is_empty());
        let timeout = if self.paused || pending { PENDING } else { IDLE };
        let drained = self.read(timeout, events)?;
        self.cut(drained, events);
        Ok(())
    }

    /// Whether a batch is full and may not go yet: then nothing more is read.
    fn is_full(&self) -> bool {
        self.sources.values().any(SourceReader::is_full)
    }

    /// Whether the wait has become so long that partitions are paused and must be polled all the same.
    fn wait_paused(&mut self) -> anyhow::Result<bool> {
        let since = *self.full_since.get_or_insert_with(Instant::now);
        if !self.paused && since.elapsed() > PATIENCE {
            let partitions: Vec<u32> = self.sources.keys().copied().collect();
            self.member.pause(&partitions)?;
            self.paused = true;
        }
        Ok(self.paused)
    }

    fn unpause(&mut self) -> anyhow::Result<()> {
        if self.paused {
            let partitions: Vec<u32> = self.sources.keys().copied().collect();
            self.member.resume(&partitions)?;
            self.paused = false;
        }
        Ok(())
    }

    /// Takes in what is there; returns whether that was all.
    fn read(&mut self, timeout: Duration, events: &Sender<InputEvent<Event<M>>>) -> anyhow::Result<bool> {
        let Self { decoder, trained, room, limits, sources, began, .. } = self;
        let (mut failed, now_ms) = (None, began.elapsed().as_millis() as u64);
        let polled = self.member.poll(timeout, RECORDS, &mut |record| {
            let source = match sources.entry(record.partition) {
                Entry::Occupied(source) => source.into_mut(),
                Entry::Vacant(source) => {
                    // Rule 14: without a start the partition is no longer ours, or not yet.
                    let Some(start) = room.start(record.partition) else { return };
                    source.insert(SourceReader::new(record.partition, start, *limits))
                }
            };
            let timestamp_ms = record.timestamp_ms.unwrap_or_else(watch::now_ms);
            let batcher = source.batcher(timestamp_ms);
            let bytes = record.payload.map_or(0, <[u8]>::len);
            // Rule 1: the first event must be the one expected, and none may come again.
            match batcher.advance(record.offset, bytes, now_ms) {
                Ok(()) => decode(decoder, trained, &record, timestamp_ms, batcher.batch()),
                Err(expected) => failed = failed.or(Some((record.partition, record.offset, expected.sequence))),
            }
        })?;
        if let Some((partition, found, expected)) = failed {
            anyhow::bail!("{}: partition {partition} went back to offset {found}, expected {expected}", trained.input);
        }
        for event in polled.events {
            if matches!(event, MemberEvent::EndOfPartition(_)) {
                continue;
            }
            if matches!(event, MemberEvent::Revoked { .. } | MemberEvent::Assigned(_)) {
                // Rule 14: what is read and not handed over is the next owner's. Again with the next assignment: the
                // loop may have opened the one before after it was revoked here, and a batch of it that is full would
                // wait for room for ever, and with it all that is read.
                self.room.close_all();
                self.sources.clear();
                (self.paused, self.full_since) = (false, None);
            }
            let _ = events.send(InputEvent::Rebalance(event));
        }
        Ok(polled.records < RECORDS)
    }

    fn cut(&mut self, drained: bool, events: &Sender<InputEvent<Event<M>>>) {
        let now_ms = self.began.elapsed().as_millis() as u64;
        for (&number, source) in &mut self.sources {
            // While a batch is under way the next one grows: many small ones cost the broker more than they save time.
            let nothing_to_wait_for = drained && self.room.is_idle(number);
            while let Some(cut) = source.next(nothing_to_wait_for, now_ms, || self.room.take(number)) {
                let _ = events.send(InputEvent::Batch(cut));
            }
        }
    }
}

fn decode<E>(
    decoder: &mut impl Decoder<E>,
    trained: &TrainedModel,
    record: &Record<'_>,
    timestamp_ms: i64,
    batch: &mut Batch<E>,
) {
    let (partition, offset) = (record.partition, record.offset);
    let input = Input { key: record.key, payload: record.payload, timestamp_ms, offset };
    let Err(reject) = decoder.decode(input, batch) else { return };
    tracing::debug!(topic = &*trained.input, partition, offset, %reject, "event rejected");
    let length = record.payload.map_or(0, <[u8]>::len);
    let cut = |bytes: Option<&[u8]>, most| bytes.map(|bytes| rejected::cut(bytes, most).to_vec());
    batch.outputs.push(Output {
        stream: REJECTED,
        key: cut(record.key, rejected::MAX_KEY_BYTES),
        value: cut(record.payload, rejected::MAX_VALUE_BYTES),
        headers: rejected::headers(&trained.input, partition, offset, &reject, length),
    });
}
