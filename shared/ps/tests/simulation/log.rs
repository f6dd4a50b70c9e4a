//! One partition with Kafka's semantics: transactions that become visible by a marker, the last stable offset, readers
//! that see committed records only, deletion from the front, compaction.

use std::{
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use crate::record::{Key, Record};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Committed,
    Aborted,
}

struct Entry {
    offset: u64,
    /// None for a marker.
    record: Option<Rc<Record>>,
    producer: Option<u64>,
    state: State,
    /// When compaction first met this tombstone.
    met_ms: Option<u64>,
}

/// A reader asked for what is deleted.
#[derive(Debug)]
pub(crate) struct OutOfRange;

#[derive(Default)]
pub(crate) struct Partition {
    entries: VecDeque<Entry>,
    start: u64,
    end: u64,
    /// By producer: the first offset of its open transaction.
    open: BTreeMap<u64, u64>,
}

impl Partition {
    /// Appends a record, in the open transaction of `producer` if there is one.
    pub(crate) fn append(&mut self, producer: Option<u64>, record: Rc<Record>) -> u64 {
        let state = if let Some(producer) = producer {
            self.open.entry(producer).or_insert(self.end);
            State::Open
        } else {
            State::Committed
        };
        self.push(Some(record), producer, state)
    }

    /// Appends a marker: the end of all that `producer` has open here, whichever epoch wrote it.
    pub(crate) fn mark(&mut self, producer: u64, commit: bool) {
        let state = if commit { State::Committed } else { State::Aborted };
        if let Some(first) = self.open.remove(&producer) {
            let index = self.index(first);
            let of_producer = |entry: &&mut Entry| entry.producer == Some(producer) && entry.state == State::Open;
            self.entries.range_mut(index..).filter(of_producer).for_each(|entry| entry.state = state);
        }
        self.push(None, Some(producer), state);
    }

    /// Leaves an offset out, as a marker of somebody else does.
    pub(crate) fn hole(&mut self) {
        self.push(None, None, State::Aborted);
    }

    fn push(&mut self, record: Option<Rc<Record>>, producer: Option<u64>, state: State) -> u64 {
        let offset = self.end;
        self.entries.push_back(Entry { offset, record, producer, state, met_ms: None });
        self.end += 1;
        offset
    }

    /// The first offset that is still there.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    /// The last stable offset: nobody reads beyond the first open transaction.
    pub(crate) fn stable_end(&self) -> u64 {
        self.open.values().copied().min().unwrap_or(self.end)
    }

    fn index(&self, offset: u64) -> usize {
        self.entries.partition_point(|entry| entry.offset < offset)
    }

    /// The next committed record at `position` or behind it, which then is behind that record.
    pub(crate) fn read(&self, position: &mut u64) -> Result<Option<(u64, Rc<Record>)>, OutOfRange> {
        if *position < self.start {
            return Err(OutOfRange);
        }
        let stable_end = self.stable_end();
        for entry in self.entries.range(self.index(*position)..) {
            if entry.offset >= stable_end {
                break;
            }
            *position = entry.offset + 1;
            if let (State::Committed, Some(record)) = (entry.state, &entry.record) {
                return Ok(Some((entry.offset, Rc::clone(record))));
            }
        }
        *position = (*position).max(stable_end);
        Ok(None)
    }

    /// Whether no transaction is open.
    pub(crate) fn is_settled(&self) -> bool {
        self.open.is_empty()
    }

    /// Deletes what lies before `offset`; returns how many records that were.
    pub(crate) fn delete_before(&mut self, offset: u64) -> u64 {
        let before = self.entries.len();
        self.start = self.start.max(offset.min(self.stable_end()));
        let start = self.start;
        while self.entries.front().is_some_and(|entry| entry.offset < start) {
            self.entries.pop_front();
        }
        (before - self.entries.len()) as u64
    }

    /// Keeps the last committed record of each key, except that the last `active` offsets and what is not stable are
    /// left alone. A tombstone goes `retention_ms` after compaction has first met it. Returns how many records and how
    /// many tombstones went.
    pub(crate) fn compact(&mut self, now_ms: u64, retention_ms: u64, active: u64) -> (u64, u64) {
        let (before, until) = (self.entries.len(), self.stable_end().min(self.end.saturating_sub(active)));
        let mut last: BTreeMap<Key, u64> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.offset < until && entry.state == State::Committed) {
            if let Some(record) = &entry.record {
                last.insert(record.key(), entry.offset);
            }
        }
        let mut tombstones = 0;
        self.entries.retain_mut(|entry| {
            let Some(record) = entry.record.as_ref().filter(|_| entry.offset < until) else {
                return entry.offset >= until;
            };
            let is_last = entry.state == State::Committed && last.get(&record.key()) == Some(&entry.offset);
            if !is_last || !record.is_tombstone() {
                return is_last;
            }
            let stays = now_ms < *entry.met_ms.get_or_insert(now_ms) + retention_ms;
            tombstones += u64::from(!stays);
            stays
        });
        ((before - self.entries.len()) as u64, tombstones)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: u64, value: Option<u32>) -> Rc<Record> {
        let row = value.map(|value| crate::record::Row { name: None, words: vec![value] });
        Rc::new(Record::Row { table: 0, key, row })
    }

    fn read_all(log: &Partition) -> Vec<u64> {
        let mut position = log.start();
        std::iter::from_fn(|| log.read(&mut position).unwrap().map(|(offset, _)| offset)).collect()
    }

    #[test]
    fn open_transactions_hide_themselves_and_all_that_follows() {
        let mut log = Partition::default();
        log.append(Some(1), row(1, Some(1)));
        log.append(None, row(2, Some(1)));
        log.append(Some(2), row(3, Some(1)));
        assert_eq!((read_all(&log), log.stable_end()), (vec![], 0));
        log.mark(1, true);
        assert_eq!((read_all(&log), log.stable_end()), (vec![0, 1], 2));
        log.mark(2, false);
        assert_eq!((read_all(&log), log.stable_end()), (vec![0, 1], 5));
    }

    #[test]
    fn a_lost_marker_lets_the_next_one_of_its_producer_decide() {
        let mut log = Partition::default();
        log.append(Some(1), row(1, Some(1)));
        log.append(Some(1), row(2, Some(1)));
        log.mark(1, true);
        assert_eq!(read_all(&log), [0, 1]);
    }

    #[test]
    fn compaction_keeps_the_last_of_each_key_and_lets_tombstones_go_after_a_while() {
        let mut log = Partition::default();
        for (key, value) in [(1, Some(1)), (2, Some(1)), (1, Some(2)), (2, None), (3, Some(1))] {
            log.append(None, row(key, value));
        }
        log.append(Some(1), row(3, Some(2)));
        log.mark(1, false);
        log.append(None, row(1, Some(3)));
        assert_eq!(log.compact(10, 100, 1), (4, 0));
        assert_eq!(read_all(&log), [2, 3, 4, 7], "the last one is left alone");
        assert_eq!(log.compact(109, 100, 1), (0, 0));
        assert_eq!(log.compact(110, 100, 1), (1, 1));
    }

    #[test]
    fn what_is_deleted_is_out_of_range() {
        let mut log = Partition::default();
        (0..3).for_each(|key| _ = log.append(None, row(key, None)));
        assert_eq!(log.delete_before(2), 2);
        assert!(log.read(&mut 1).is_err());
        assert_eq!(read_all(&log), [2]);
    }
}
