//! The shard's state machine: committed pushes in, in log order; pulls answered; barriers out.
//!
//! A driver hands it what it reads from the push log and asks it for what to publish. An error means that the log
//! itself is torn: no restart repairs that.

mod held;
mod restored;

use std::{collections::BTreeMap, sync::Arc};

use held::Held;
pub use restored::Restored;

use crate::{
    LetGo, Part, Position, Pull, PullSection, ROW_UNNAMED, Reply, ReplySection, Schema, ServerLogic, ServerOutput,
    ShardRows, SourceRange,
};

/// How far one source partition is applied on a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// The next event that the shard has not seen.
    pub next: Position,
    /// Parts already applied of the push that begins at `next`.
    pub parts_done: u16,
}

/// The state of a shard in one record: with the rows published up to it, it is all that there is to restore.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Barrier {
    /// The push log's next offset.
    pub push_next: u64,
    /// Source partitions.
    pub sources: BTreeMap<u32, SourceState>,
}

/// A push does not continue what the shard has: events are missing or there twice, in the log itself.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "push log is torn at shard {shard}, offset {offset}: source partition {source_partition} continues at {found:?} part \
     {part}, expected {expected:?}; no restart can repair this log, train a new generation from the input topic"
)]
pub struct Torn {
    /// The shard.
    pub shard: u32,
    /// Offset of the push.
    pub offset: u64,
    /// The source partition whose position does not fit.
    pub source_partition: u32,
    /// Where the push begins.
    pub found: Position,
    /// Which part of its push it is.
    pub part: u16,
    /// What the shard has.
    pub expected: SourceState,
}

/// What became of a pull.
#[derive(Debug, PartialEq, Eq)]
pub enum PullAnswer {
    /// The reply.
    Ready(Reply),
    /// It is held until its position is applied.
    Held,
    /// Too many are held already; the worker will ask again.
    Refused,
}

/// One shard of one model.
pub struct Shard<S: ServerLogic> {
    number: u32,
    logic: S,
    rows: ShardRows,
    barrier: Barrier,
    outputs: Vec<ServerOutput>,
    moved: bool,
    held: Held,
    let_go: Vec<LetGo>,
}

impl<S: ServerLogic> Shard<S> {
    /// An empty shard that holds back at most `max_held` pulls, each for at most `held_ms` milliseconds.
    pub fn new(number: u32, logic: S, schema: Arc<dyn Schema>, max_held: usize, held_ms: u64) -> Self {
        let rows = ShardRows::new(schema);
        let held = Held::new(max_held, held_ms);
        let (barrier, outputs, let_go) = (Barrier::default(), Vec::new(), Vec::new());
        Self { number, logic, rows, barrier, outputs, moved: false, held, let_go }
    }

    /// The rows, for reading.
    #[must_use]
    pub fn rows(&self) -> &ShardRows {
        &self.rows
    }

    /// The rows, when the shard is needed no longer.
    #[must_use]
    pub fn into_rows(self) -> ShardRows {
        self.rows
    }

    /// The rows, for restoring them from a store or a changelog.
    pub fn rows_mut(&mut self) -> &mut ShardRows {
        &mut self.rows
    }

    /// Takes a barrier over that was read with the rows up to it.
    pub fn restore(&mut self, barrier: Barrier) {
        self.barrier = barrier;
        self.moved = false;
    }

    /// Where the shard stands: what the next barrier will say.
    #[must_use]
    pub fn barrier(&self) -> &Barrier {
        &self.barrier
    }

    /// How far a source partition is applied.
    #[must_use]
    pub fn applied(&self, source: u32) -> Option<Position> {
        self.barrier.sources.get(&source).map(|state| state.next)
    }

    /// Applies one part of a committed push that was read at `offset`.
    ///
    /// # Errors
    /// If it leaves a gap or overlaps with what is applied. Nothing is changed then.
    pub fn apply(
        &mut self,
        offset: u64,
        (part_number, parts): (u16, u16),
        ranges: &[SourceRange],
        part: &Part,
    ) -> Result<(), Torn> {
        for range in ranges {
            self.check(offset, part_number, range)?;
        }
        for section in &part.sections {
            self.logic.apply(&mut self.rows, section, &mut self.outputs);
        }
        for (table, key, name) in &part.names {
            self.rows.name(*table, *key, name);
        }
        let last = part_number + 1 >= parts;
        for range in ranges {
            let state = if last {
                SourceState { next: range.next, parts_done: 0 }
            } else {
                SourceState { next: range.first, parts_done: part_number + 1 }
            };
            self.barrier.sources.insert(range.source, state);
        }
        self.skip_to(offset + 1);
        Ok(())
    }

    /// Notes that the push log is read up to `next`, whatever was there.
    pub fn skip_to(&mut self, next: u64) {
        self.barrier.push_next = self.barrier.push_next.max(next);
        self.moved = true;
    }

    fn check(&self, offset: u64, part: u16, range: &SourceRange) -> Result<(), Torn> {
        // A source partition that the shard never heard of begins wherever its log began.
        let unknown = SourceState { next: range.first, parts_done: 0 };
        let expected = *self.barrier.sources.get(&range.source).unwrap_or(&unknown);
        if expected.next == range.first && expected.parts_done == part && range.first <= range.next {
            return Ok(());
        }
        let (shard, source_partition, found) = (self.number, range.source, range.first);
        Err(Torn { shard, offset, source_partition, found, part, expected })
    }

    /// Answers a pull, or holds it until its position is applied.
    pub fn on_pull(&mut self, pull: Pull, now_ms: u64) -> PullAnswer {
        if pull.at_least <= self.applied(pull.source) {
            return PullAnswer::Ready(self.reply(pull));
        }
        if self.held.hold(pull, now_ms) { PullAnswer::Held } else { PullAnswer::Refused }
    }

    /// Answers held pulls whose position is applied by now, and lets go of those that waited too long: whoever still
    /// needs one asks again.
    pub fn release(&mut self, now_ms: u64) -> Vec<Reply> {
        let sources = &self.barrier.sources;
        let ready =
            self.held.release(now_ms, |pull| pull.at_least <= sources.get(&pull.source).map(|state| state.next));
        ready.into_iter().map(|pull| self.reply(pull)).collect()
    }

    fn reply(&self, pull: Pull) -> Reply {
        let sections = pull.sections.into_iter().map(|PullSection { table, keys }| {
            let width = self.rows.table(table).map_or(0, crate::RowTable::width);
            let mut words = Vec::with_capacity(width * keys.len());
            let read = |&key| if self.rows.read(table, key, &mut words) { ROW_UNNAMED } else { 0 };
            let flags = keys.iter().map(read).collect();
            ReplySection { table, keys, words, flags }
        });
        let (sections, applied) = (sections.collect(), self.applied(pull.source));
        Reply {
            request: pull.request,
            shard: self.number,
            source: pull.source,
            reply_to: pull.reply_to,
            applied,
            sections,
        }
    }

    /// Whether anything has happened since the last publication.
    #[must_use]
    pub fn has_news(&self) -> bool {
        self.moved
    }

    /// Rows and outputs waiting to be published.
    #[must_use]
    pub fn unpublished(&self) -> usize {
        self.rows.dirty() + self.outputs.len()
    }

    /// Takes what is to be published with the barrier as it is now: outputs, and by table the changed and deleted keys.
    /// If the publication fails, [`Self::publish_failed`] puts it back.
    pub fn take_publication(&mut self) -> Publication {
        self.moved = false;
        // A push that is applied in part has said only part of what it knows of its rows.
        if self.barrier.sources.values().all(|state| state.parts_done == 0) {
            self.logic.sweep(&mut self.rows, &mut self.let_go);
        }
        let ids: Vec<u8> = self.rows.tables().map(|(id, _)| id).collect();
        let take = |id: u8| self.rows.table_mut(id).map(crate::RowTable::take_changes).unwrap_or_default();
        let tables = ids.into_iter().map(take).collect();
        Publication { tables, outputs: std::mem::take(&mut self.outputs), barrier: self.barrier.clone() }
    }

    /// What was let go since this was asked before.
    pub fn take_let_go(&mut self) -> Vec<LetGo> {
        std::mem::take(&mut self.let_go)
    }

    /// Puts a publication back that was not committed.
    pub fn publish_failed(&mut self, publication: Publication) {
        self.moved = true;
        for (id, (changed, deleted)) in publication.tables.iter().enumerate() {
            if let Some(table) = self.rows.table_mut(id as u8) {
                table.restore_changes(changed, deleted);
            }
        }
        let later = std::mem::replace(&mut self.outputs, publication.outputs);
        self.outputs.extend(later);
    }
}

/// What one transaction of a shard publishes.
#[derive(Debug, PartialEq, Eq)]
pub struct Publication {
    /// By table: keys of changed rows, keys of deleted rows.
    pub tables: Vec<(Vec<u64>, Vec<u64>)>,
    /// The model's outputs.
    pub outputs: Vec<ServerOutput>,
    /// The state that the rows have with this publication.
    pub barrier: Barrier,
}

#[cfg(test)]
mod tests;
