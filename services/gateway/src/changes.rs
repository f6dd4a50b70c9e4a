//! From changelog records to changes of a view. Pure: bytes in, checked changes out, so that a view's lock is held
//! only while they are applied.

use std::ops::Range;

use weir_models::ExpectedLayout;
use weir_wire::Frame;
use weir_wire::frame::{BarrierValue, ChangelogKey, RowValue};

/// One change; ranges point into the [`Changes`] that it is part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// A row as it is now.
    Put { table: u8, key: u64, name: Option<Range<usize>>, words: Range<usize> },
    /// A row that is no more.
    Remove { table: u8, key: u64 },
    /// What a shard's rows contain by now: for each input partition the next event.
    Barrier { shard: u32, sources: Vec<(u32, u64)> },
}

/// The changes of one polled batch, in order; its memory is used again and again.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) list: Vec<Change>,
    words: Vec<u32>,
    names: String,
}

impl Changes {
    /// Forgets all changes and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.list.clear();
        self.words.clear();
        self.names.clear();
    }

    /// The words of a row.
    pub(crate) fn words(&self, range: &Range<usize>) -> &[u32] {
        self.words.get(range.clone()).unwrap_or_default()
    }

    /// The name of a row.
    pub(crate) fn name(&self, range: &Range<usize>) -> &str {
        self.names.get(range.clone()).unwrap_or_default()
    }

    fn put(&mut self, table: u8, key: u64, row: &RowValue<'_>) {
        let words = self.words.len();
        row.copy_words(&mut self.words);
        let name = row.name.map(|name| {
            let start = self.names.len();
            self.names.push_str(name);
            start..self.names.len()
        });
        self.list.push(Change::Put { table, key, name, words: words..self.words.len() });
    }
}

/// Why a record changes nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not ours; the name is a metric's label.
    #[error("not a record of this changelog: {0}")]
    Skipped(&'static str),
    /// Ours, but of another layout: nothing of this log may be used.
    #[error("{0}")]
    Layout(String),
}

use Refusal::Skipped;

/// Decodes the records of one model's changelog.
#[derive(Debug)]
pub(crate) struct Decoder {
    model: u32,
    expected: ExpectedLayout,
    /// The layout that was checked last: barriers repeat it byte for byte.
    checked: Vec<u8>,
}

impl Decoder {
    /// For the frames of `model` ([`weir_wire::topic::model_hash`]) under the layout that is expected.
    pub(crate) fn new(model: u32, expected: ExpectedLayout) -> Self {
        Self { model, expected, checked: Vec::new() }
    }

    /// Decodes one record read from `partition` and appends what it changes to `changes`.
    pub(crate) fn decode(
        &mut self,
        partition: u32,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        changes: &mut Changes,
    ) -> Result<(), Refusal> {
        let key = key.and_then(ChangelogKey::parse).ok_or(Skipped("key"))?;
        let frame = value.map(|value| self.frame(partition, value)).transpose()?;
        match (key, frame) {
            (ChangelogKey::Row { table, key }, Some(Frame::Row(row))) => self.put(table, key, &row, changes),
            (ChangelogKey::Row { table, .. }, None) if self.expected.width(table).is_none() => {
                Err(Skipped("unknown_table"))
            }
            (ChangelogKey::Row { table, key }, None) => {
                changes.list.push(Change::Remove { table, key });
                Ok(())
            }
            (ChangelogKey::Barrier, Some(Frame::Barrier(barrier))) => self.barrier(&barrier, changes),
            (ChangelogKey::Barrier, None) => Err(Skipped("barrier_without_value")),
            _ => Err(Skipped("other_kind")),
        }
    }

    fn frame<'a>(&self, partition: u32, value: &'a [u8]) -> Result<Frame<'a>, Refusal> {
        let frame = Frame::parse_for(self.model, value).map_err(|error| Skipped(error.as_str()))?;
        if frame.shard() != partition {
            return Err(Skipped("other_shard"));
        }
        Ok(frame)
    }

    fn put(&self, table: u8, key: u64, row: &RowValue<'_>, changes: &mut Changes) -> Result<(), Refusal> {
        match self.expected.width(table) {
            None => Err(Skipped("unknown_table")),
            Some(width) if width != row.words().len() => Err(Skipped("width")),
            Some(_) => {
                changes.put(table, key, row);
                Ok(())
            }
        }
    }

    fn barrier(&mut self, barrier: &BarrierValue<'_>, changes: &mut Changes) -> Result<(), Refusal> {
        if self.checked != barrier.layout_json {
            let layout = barrier.layout().map_err(|error| Refusal::Layout(error.to_string()))?;
            self.expected.check(&layout).map_err(Refusal::Layout)?;
            self.checked = barrier.layout_json.to_vec();
        }
        // Passes other than the online one count steps, not offsets.
        let online = barrier.positions().filter(|done| done.position.pass == 0);
        let sources = online.map(|done| (done.source, done.position.sequence)).collect();
        changes.list.push(Change::Barrier { shard: barrier.shard, sources });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
