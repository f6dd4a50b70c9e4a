//! Batches of events: how they are cut from a source partition, and what they carry.

use crate::{Position, SourceRange};

/// Where in [`Names`] an id stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NameRef {
    start: u32,
    length: u32,
}

impl NameRef {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.length == 0
    }
}

/// The ids of a batch's events, one after the other in one allocation.
#[derive(Clone, Debug, Default)]
pub struct Names(String);

impl Names {
    /// Keeps `name`.
    pub fn push(&mut self, name: &str) -> NameRef {
        let start = self.0.len() as u32;
        self.0.push_str(name);
        NameRef { start, length: name.len() as u32 }
    }

    /// The id at `name`; empty if it is not one of these.
    #[must_use]
    pub fn get(&self, name: NameRef) -> &str {
        self.0.get(name.start as usize..(name.start + name.length) as usize).unwrap_or_default()
    }

    /// Bytes kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.len()
    }
}

/// A record that a worker writes to one of its output topics, in the same transaction as the pushes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Which of the model's outputs; the driver knows the topic.
    pub stream: &'static str,
    /// The record's key.
    pub key: Option<Vec<u8>>,
    /// The record's value.
    pub value: Option<Vec<u8>>,
    /// Its headers.
    pub headers: Vec<(&'static str, Vec<u8>)>,
}

/// Consecutive events of one source partition, learned and committed together.
#[derive(Clone, Debug)]
pub struct Batch<E> {
    /// What it covers; events that were refused and holes in the log are covered too.
    pub range: SourceRange,
    /// The events, in order.
    pub events: Vec<E>,
    /// Their ids.
    pub names: Names,
    /// What events have more or less of, such as a text's features, one after the other; an event holds its range.
    pub words: Vec<u32>,
    /// Records that are to be written with it whatever is learned: refused events.
    pub outputs: Vec<Output>,
    /// Slots of rows that no single event names; room for [`crate::WorkerLogic::on_recv`] to note what all of them share.
    pub shared_slots: Vec<u32>,
    /// Events that the learner has dropped because it had learned them before ([`crate::repeats`]).
    pub repeated: usize,
}

/// When a batch is full.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// Events, refused ones included.
    pub events: usize,
    /// Bytes of the events as they came.
    pub bytes: usize,
    /// Milliseconds after its first event.
    pub wait_ms: u64,
    /// At most this part of what its source partition had before it: 16 for a sixteenth, 0 for no such bound. Batches
    /// that are under way at the same time do not see what the others learn; as long as each is small against what is
    /// known already, their sum does not overshoot. A young model would else be thrown far off by its first batches.
    pub history_share: u64,
}

/// Events that a batch may have however little was before it.
const LEAST_EVENTS: u64 = 64;

impl BatchLimits {
    /// Most events of a batch that begins at `first`.
    fn events_after(&self, first: Position) -> usize {
        match first.sequence.checked_div(self.history_share) {
            Some(share) if first.pass == 0 => self.events.min(share.max(LEAST_EVENTS) as usize),
            _ => self.events,
        }
    }
}

/// Cuts one source partition into batches: full ones while there is a backlog, small ones at once when there is none.
#[derive(Debug)]
pub struct Batcher<E> {
    limits: BatchLimits,
    batch: Batch<E>,
    records: usize,
    bytes: usize,
    opened_ms: u64,
}

impl<E> Batcher<E> {
    /// Begins at `position` of `source`.
    #[must_use]
    pub fn new(source: u32, position: Position, limits: BatchLimits) -> Self {
        Self { limits, batch: empty(source, position), records: 0, bytes: 0, opened_ms: 0 }
    }

    /// The batch under construction, for a decoder to append what it made of a record.
    pub fn batch(&mut self) -> &mut Batch<E> {
        &mut self.batch
    }

    /// Notes that the record at `sequence` of `bytes` bytes is in the batch now.
    ///
    /// # Errors
    /// Returns the expected position if the record lies before it: the reader went back.
    pub fn advance(&mut self, sequence: u64, bytes: usize, now_ms: u64) -> Result<(), Position> {
        if sequence < self.batch.range.next.sequence {
            return Err(self.batch.range.next);
        }
        if self.records == 0 {
            self.opened_ms = now_ms;
        }
        self.records += 1;
        self.bytes += bytes;
        self.batch.range.next.sequence = sequence + 1;
        Ok(())
    }

    /// Whether it has reached its count or bytes.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.records >= self.limits.events_after(self.batch.range.first) || self.bytes >= self.limits.bytes
    }

    /// Whether a batch should go now, given that one may: when it is full, when it has waited long enough, or when
    /// there is nothing to wait for, neither more to read nor another batch's way.
    #[must_use]
    pub fn is_due(&self, nothing_to_wait_for: bool, now_ms: u64) -> bool {
        self.records > 0
            && (nothing_to_wait_for || self.is_full() || now_ms.saturating_sub(self.opened_ms) >= self.limits.wait_ms)
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// The batch as it is; the next one continues where it ends.
    pub fn cut(&mut self) -> Batch<E> {
        let range = self.batch.range;
        let mut next = empty(range.source, range.next);
        next.events.reserve(self.batch.events.len());
        next.words.reserve(self.batch.words.len());
        self.records = 0;
        self.bytes = 0;
        std::mem::replace(&mut self.batch, next)
    }
}

fn empty<E>(source: u32, position: Position) -> Batch<E> {
    let range = SourceRange { source, first: position, next: position };
    let (names, words) = (Names::default(), Vec::new());
    Batch { range, events: Vec::new(), names, words, outputs: Vec::new(), shared_slots: Vec::new(), repeated: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BatchLimits = BatchLimits { events: 3, bytes: 100, wait_ms: 5, history_share: 0 };

    fn batcher() -> Batcher<u64> {
        Batcher::new(7, Position::online(10), LIMITS)
    }

    #[test]
    fn batches_join_without_gap_over_holes_in_the_log() {
        let mut batcher = batcher();
        for offset in [10, 11, 15] {
            batcher.batch().events.push(offset);
            batcher.advance(offset, 1, 0).unwrap();
        }
        let first = batcher.cut();
        assert_eq!((first.range.first.sequence, first.range.next.sequence), (10, 16));
        batcher.advance(20, 1, 0).unwrap();
        assert_eq!(batcher.cut().range.first, first.range.next);
        assert!(batcher.is_empty());
    }

    #[test]
    fn a_reader_that_goes_back_is_noticed() {
        let mut batcher = batcher();
        assert_eq!(batcher.advance(9, 1, 0), Err(Position::online(10)));
    }

    #[test]
    fn a_batch_goes_when_full_when_old_or_when_there_is_no_more() {
        let mut batcher = batcher();
        assert!(!batcher.is_due(true, 0), "empty");
        batcher.advance(10, 1, 0).unwrap();
        assert!(!batcher.is_due(false, 4) && batcher.is_due(false, 5), "by time");
        assert!(batcher.is_due(true, 0), "drained");
        batcher.advance(11, 99, 0).unwrap();
        assert!(batcher.is_due(false, 0), "by bytes");
        batcher.cut();
        (12..15).for_each(|offset| batcher.advance(offset, 1, 9).unwrap());
        assert!(batcher.is_due(false, 9), "by count");
    }

    #[test]
    fn batches_of_a_young_source_are_small() {
        let limits = BatchLimits { events: 8_192, history_share: 16, ..LIMITS };
        for (first, most) in [(0, 64), (1_024, 64), (16_000, 1_000), (1 << 30, 8_192)] {
            assert_eq!(limits.events_after(Position::online(first)), most);
        }
        assert_eq!(LIMITS.events_after(Position::online(0)), 3);
    }

    #[test]
    fn names_come_back_as_they_went_in() {
        let mut names = Names::default();
        let (a, b) = (names.push("häns"), names.push(""));
        assert_eq!((names.get(a), names.get(b), names.bytes()), ("häns", "", 5));
    }
}
