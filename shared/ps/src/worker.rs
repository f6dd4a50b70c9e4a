//! The worker's state machine: batches in, pulls out, replies in, steps out.
//!
//! It knows nothing of how these travel. A driver hands it batches and replies with the time, sends what
//! [`Worker::take_pulls`] gives, and commits what [`Worker::take_step`] gives, all or nothing. Any error means that
//! the driver tears the worker down and starts a new one from what is committed.

mod request;
mod source;
mod step;

use std::{collections::BTreeMap, sync::Arc};

use nohash_hasher::IntMap;

pub use step::Step;

use crate::{
    Batch, Partitioner, Position, Pull, PullLimits, Pulls, Reply, RequestId, Schema, SourceRange, WorkerLogic,
    Workspace,
};
use request::{PullBuilder, Request};
use source::{Pending, Sees, Source};
use step::Finished;

/// Bounds of a worker.
#[derive(Clone, Copy, Debug)]
pub struct WorkerSettings {
    /// Where keys live.
    pub partitioner: Partitioner,
    /// What one source partition may have on its way.
    pub limits: PullLimits,
    /// Cached rows per table, shared by the source partitions.
    pub cached_rows: usize,
    /// Milliseconds after which a cached row is pulled anew; `u64::MAX` where the source partition is its only writer.
    pub cache_max_age_ms: u64,
    /// Milliseconds after which an unanswered pull is asked again.
    pub pull_timeout_ms: u64,
    /// Where its replies are awaited; shards send it back and do not look at it.
    pub reply_to: u32,
    /// Bytes that one push or reply may take.
    pub frame_bytes: usize,
}

/// What a worker has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerStats {
    /// Pulls asked, repeated ones not counted.
    pub asked: u64,
    /// Pulls asked again.
    pub asked_again: u64,
    /// Rows that were in the cache.
    pub hits: u64,
    /// Rows of cached tables that had to be pulled.
    pub misses: u64,
}

/// A reply that was awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// When its pull was first asked.
    pub asked_ms: u64,
    /// How many events of the source partition were read but not contained in its rows.
    pub behind: u64,
}

/// Why a worker cannot go on.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WorkerError {
    /// A batch does not begin where the one before ended.
    #[error("source partition {source_partition}: a batch begins at {found:?}, expected {expected:?}")]
    NotContinuous {
        /// The source partition.
        source_partition: u32,
        /// Where the next batch has to begin.
        expected: Position,
        /// Where it begins.
        found: Position,
    },
    /// A reply does not have the rows that were asked for.
    #[error("reply {request:?} of shard {shard} does not fit its pull")]
    BadReply {
        /// The pull.
        request: RequestId,
        /// Who answered.
        shard: u32,
    },
}

/// One worker of one model.
pub struct Worker<L: WorkerLogic> {
    logic: L,
    schema: Arc<dyn Schema>,
    settings: WorkerSettings,
    instance: u64,
    next_request: u64,
    sources: BTreeMap<u32, Source<L::Event>>,
    requests: IntMap<u64, Request>,
    outbox: Vec<Pull>,
    finished: Vec<Finished>,
    spare: Vec<Workspace>,
    stats: WorkerStats,
    now_ms: u64,
}

impl<L: WorkerLogic> Worker<L> {
    /// A worker without source partitions. `instance` is a number drawn at random by its process.
    pub fn new(logic: L, schema: Arc<dyn Schema>, settings: WorkerSettings, instance: u64) -> Self {
        Self {
            logic,
            schema,
            settings,
            instance,
            next_request: 0,
            sources: BTreeMap::new(),
            requests: IntMap::default(),
            outbox: Vec::new(),
            finished: Vec::new(),
            spare: Vec::new(),
            stats: WorkerStats::default(),
            now_ms: 0,
        }
    }

    /// Takes over a source partition at `position`, with a cold cache. `taught` says that shards may know this source
    /// partition up to there (its committed position, or the one that they named): then the first pulls ask for at
    /// least that.
    pub fn assign(&mut self, source: u32, position: Position, taught: bool) {
        self.revoke(source);
        self.sources.insert(source, Source::new(&*self.schema, &self.settings, position, taught));
    }

    /// Gives a source partition up: unfinished batches are dropped, finished ones stay in the next step.
    pub fn revoke(&mut self, source: u32) {
        self.sources.remove(&source);
        self.requests.retain(|_, request| request.pull.source != source);
        self.outbox.retain(|pull| pull.source != source);
    }

    /// The source partitions and where the next batch of each has to begin.
    pub fn sources(&self) -> impl Iterator<Item = (u32, Position)> {
        self.sources.iter().map(|(&source, state)| (source, state.expected))
    }

    /// How many more batches of `source` may start now.
    #[must_use]
    pub fn room(&self, source: u32) -> usize {
        self.sources.get(&source).map_or(0, |state| state.limiter.room(state.expected))
    }

    /// Batches that are pulling.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.sources.values().map(|state| state.limiter.in_flight()).sum()
    }

    /// Batches of `source` that are pulling.
    #[must_use]
    pub fn in_flight_of(&self, source: u32) -> usize {
        self.sources.get(&source).map_or(0, |state| state.limiter.in_flight())
    }

    /// Batches that are learned but not known to be applied everywhere.
    #[must_use]
    pub fn unapplied(&self) -> usize {
        self.sources.values().map(|state| state.limiter.unapplied()).sum()
    }

    /// Rows in the cache.
    #[must_use]
    pub fn cached_rows(&self) -> usize {
        self.sources.values().map(Source::cached_rows).sum()
    }

    /// What it has done so far.
    #[must_use]
    pub fn stats(&self) -> WorkerStats {
        self.stats
    }

    /// Starts a batch: names its rows and pulls those that are not cached. A batch of a source partition that was
    /// given up is dropped.
    ///
    /// # Errors
    /// If it does not begin where the one before ended.
    pub fn on_batch(&mut self, mut batch: Batch<L::Event>, now_ms: u64) -> Result<(), WorkerError> {
        self.now_ms = now_ms;
        let SourceRange { source, first, next } = batch.range;
        let share = self.settings.cached_rows / self.sources.len().max(1);
        let Some(state) = self.sources.get_mut(&source) else { return Ok(()) };
        if state.expected != first {
            return Err(WorkerError::NotContinuous {
                source_partition: source,
                expected: state.expected,
                found: first,
            });
        }
        let mut work = self.spare.pop().unwrap_or_else(|| Workspace::new(Arc::clone(&self.schema)));
        self.logic.on_recv(&mut batch, &mut Pulls(&mut work));
        let share = if self.logic.distrusts_kept_rows(&batch) { 0 } else { share };
        state.evict(share, self.settings.partitioner);
        let sees = state.sees(&self.settings);
        let number = state.begin(next, batch.events.len());
        state.pending.push_back(Pending { number, batch, work, outstanding: 0, sees, asked_more: false });
        let last = state.pending.len() - 1;
        self.ask(source, last, &vec![0; self.schema.tables().len()]);
        self.learn_ready(source);
        Ok(())
    }

    /// Pulls the rows that a pending batch has named in slots from `named` on, by table.
    fn ask(&mut self, source: u32, index: usize, named: &[usize]) {
        let Some(state) = self.sources.get_mut(&source) else { return };
        let Pending { number, work, outstanding, sees, .. } = &mut state.pending[index];
        let Sees { at_least, latest } = *sees;
        let mut builder = PullBuilder::new(&self.schema, &self.settings, at_least, latest);
        for (table, (slab, &first)) in work.slabs.iter_mut().zip(named).enumerate() {
            builder.add_table(table as u8, (slab, first), state.caches[table].as_mut(), self.now_ms);
        }
        self.stats.hits += builder.hits;
        self.stats.misses += builder.misses;
        for (mut pull, slots) in builder.finish(source) {
            *outstanding += 1;
            self.stats.asked += 1;
            pull.reply_to = self.settings.reply_to;
            pull.request = RequestId { instance: self.instance, number: self.next_request };
            self.outbox.push(pull.clone());
            self.requests.insert(self.next_request, Request::new(Some(*number), pull, slots, self.now_ms));
            self.next_request += 1;
        }
    }

    /// Takes a reply in; learns every batch that has all its rows now, in order. None if nobody awaited it.
    ///
    /// # Errors
    /// If it does not have the rows that were asked for.
    pub fn on_reply(&mut self, reply: &Reply) -> Result<Option<Answered>, WorkerError> {
        if reply.request.instance != self.instance {
            return Ok(None);
        }
        let Some(request) = self.requests.remove(&reply.request.number) else { return Ok(None) };
        let Some(state) = self.sources.get_mut(&request.pull.source) else { return Ok(None) };
        let behind = state.expected.sequence.saturating_sub(reply.applied.map_or(0, |applied| applied.sequence));
        let answered = Answered { asked_ms: request.first_asked_ms, behind };
        state.applied(reply.shard, reply.applied);
        let pending = request.batch.and_then(|number| state.pending.iter_mut().find(|p| p.number == number));
        if let Some(pending) = pending {
            let fits = request.fill(reply, &mut pending.work);
            pending.outstanding -= 1;
            if !fits {
                return Err(WorkerError::BadReply { request: reply.request, shard: reply.shard });
            }
        }
        self.learn_ready(request.pull.source);
        Ok(Some(answered))
    }

    /// Asks again what was not answered in time, and asks shards how far they are where only that holds a source
    /// partition back.
    pub fn tick(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        for request in self.requests.values_mut() {
            if request.is_overdue(now_ms, self.settings.pull_timeout_ms) {
                request.ask_again(now_ms);
                self.stats.asked_again += 1;
                self.outbox.push(request.pull.clone());
            }
        }
        let waiting: Vec<(u32, Position)> = self
            .sources
            .iter()
            .filter_map(|(&source, state)| Some((source, state.limiter.waits_for_shards(state.expected)?)))
            .filter(|(source, _)| !self.requests.values().any(|request| request.pull.source == *source))
            .collect();
        for (source, position) in waiting {
            self.probe(source, position, now_ms);
        }
    }

    /// Pulls to be sent now.
    pub fn take_pulls(&mut self) -> Vec<Pull> {
        std::mem::take(&mut self.outbox)
    }

    /// Whether there is something to commit.
    #[must_use]
    pub fn has_step(&self) -> bool {
        !self.finished.is_empty()
    }

    /// Takes the finished batches, up to about `max_bytes` of pushes but at least one, to be committed all or nothing.
    /// Only one step may be under way at a time.
    pub fn take_step(&mut self, max_bytes: usize) -> Option<Step> {
        let mut bytes = 0;
        let taken = self.finished.iter().take_while(|finished| {
            let fits = bytes < max_bytes;
            bytes += finished.bytes;
            fits
        });
        let taken = taken.count();
        (taken > 0).then(|| Step::new(self.finished.drain(..taken), self.settings.frame_bytes))
    }

    fn probe(&mut self, source: u32, position: Position, now_ms: u64) {
        for shard in 0..self.settings.partitioner.shards() {
            let request = RequestId { instance: self.instance, number: self.next_request };
            let reply_to = self.settings.reply_to;
            let pull = Pull { request, shard, source, at_least: Some(position), reply_to, sections: Vec::new() };
            self.next_request += 1;
            self.outbox.push(pull.clone());
            self.requests.insert(request.number, Request::new(None, pull, Vec::new(), now_ms));
        }
    }

    /// Whether the first pending batch has all its rows, those too that it names when it has seen the others.
    fn front_is_ready(&mut self, source: u32) -> bool {
        let Some(Source { pending, caches, .. }) = self.sources.get_mut(&source) else { return false };
        let Some(Pending { batch, work, outstanding, asked_more, .. }) = pending.front_mut() else { return false };
        if *outstanding == 0 && !*asked_more {
            *asked_more = true;
            work.fill_from(caches);
            let named: Vec<usize> = work.named().collect();
            self.logic.pull_more(batch, &mut Pulls(work));
            if work.named().ne(named.iter().copied()) {
                self.ask(source, 0, &named);
            }
        }
        let front = self.sources.get(&source).and_then(|state| state.pending.front());
        front.is_some_and(|pending| pending.outstanding == 0)
    }

    /// Learns the batches that have all their rows, in order.
    fn learn_ready(&mut self, source: u32) {
        while self.front_is_ready(source) {
            let Some(state) = self.sources.get_mut(&source) else { return };
            let Some(Pending { mut batch, mut work, .. }) = state.pending.pop_front() else { return };
            work.begin(&state.caches);
            self.logic.on_pull_recv(&mut batch, &mut work);
            let range = batch.range;
            let section_bytes = self.settings.frame_bytes / 2;
            let caches = &mut state.caches;
            let pushed = work.finish(self.settings.partitioner, section_bytes, &batch.names, caches, range.next);
            let mut outputs = batch.outputs;
            outputs.append(&mut work.outputs);
            let measures = std::mem::take(&mut work.measures);
            let learned = batch.events.len().saturating_sub(batch.repeated + work.refused);
            let events = (learned, batch.repeated);
            self.finished.push(Finished::new(range, events, pushed, outputs, measures));
            state.limiter.learned(range.next);
            work.clear();
            self.spare.push(work);
        }
    }
}

#[cfg(test)]
mod tests;
