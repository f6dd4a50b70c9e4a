//! What a worker knows of one source partition.

use std::collections::VecDeque;

use super::WorkerSettings;
use crate::{Batch, Partitioner, Position, PullLimiter, Schema, Workspace, cache::Cache};

pub(super) struct Source<E> {
    /// Where the next batch has to begin.
    pub(super) expected: Position,
    /// What a pull must see: the committed position at take-over, and every push to a row that was evicted since.
    at_least: Option<Position>,
    pub(super) limiter: PullLimiter,
    pub(super) pending: VecDeque<Pending<E>>,
    pub(super) caches: Vec<Option<Cache>>,
    applied: Vec<Option<Position>>,
    batches: u64,
}

/// A batch whose rows are not all there, or that waits for one before it.
pub(super) struct Pending<E> {
    pub(super) number: u64,
    pub(super) batch: Batch<E>,
    pub(super) work: Workspace,
    pub(super) outstanding: usize,
    /// What its pulls must see, and what those must see that ask for all that was pushed before it.
    pub(super) sees: Sees,
    /// Whether it was asked what more it needs.
    pub(super) asked_more: bool,
}

/// How much pulls must see.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sees {
    pub(super) at_least: Option<Position>,
    pub(super) latest: Option<Position>,
}

impl<E> Source<E> {
    pub(super) fn new(schema: &dyn Schema, settings: &WorkerSettings, position: Position, taught: bool) -> Self {
        let caches = schema.tables().iter().map(|spec| spec.cached.then(|| Cache::new(spec.width))).collect();
        Self {
            expected: position,
            at_least: taught.then_some(position),
            limiter: PullLimiter::new(settings.limits),
            pending: VecDeque::new(),
            caches,
            applied: vec![None; settings.partitioner.shards() as usize],
            batches: 0,
        }
    }

    pub(super) fn begin(&mut self, next: Position, events: usize) -> u64 {
        self.expected = next;
        self.limiter.started(events);
        self.batches += 1;
        self.batches
    }

    /// What pulls of the next batch must see. Where one batch pulls at a time, that is all that was pushed before it: then
    /// it does not matter how the events are cut into batches.
    pub(super) fn sees(&self, settings: &WorkerSettings) -> Sees {
        let latest = if self.batches == 0 { self.at_least } else { Some(self.expected) };
        Sees { at_least: if settings.limits.in_flight == 1 { latest } else { self.at_least }, latest }
    }

    pub(super) fn applied(&mut self, shard: u32, position: Option<Position>) {
        let Some(known) = self.applied.get_mut(shard as usize) else { return };
        // A shard that restarted may answer from an earlier state than it did before; what it had applied is in the
        // log, and pulls ask for at least that.
        *known = (*known).max(position);
        if let Some(everywhere) = self.applied.iter().copied().min().flatten() {
            self.limiter.applied(everywhere);
        }
    }

    pub(super) fn evict(&mut self, capacity: usize, partitioner: Partitioner) {
        for cache in self.caches.iter_mut().flatten() {
            if cache.len() > capacity {
                self.at_least = self.at_least.max(cache.evict(capacity, partitioner, &self.applied));
            }
        }
    }

    pub(super) fn cached_rows(&self) -> usize {
        self.caches.iter().flatten().map(Cache::len).sum()
    }
}
