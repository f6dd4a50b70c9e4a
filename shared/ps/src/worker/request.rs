//! Pulls under way.

use std::sync::Arc;

use super::WorkerSettings;
use crate::{
    Position, Pull, PullSection, ROW_UNNAMED, Reply, RequestId, Schema, Workspace,
    cache::{Cache, Lookup},
    workspace::{CACHED, LATEST, PULLED, Slab, UNNAMED},
};

/// A pull that is not answered yet.
pub(super) struct Request {
    /// The batch that needs it; none for a question how far the shard is.
    pub(super) batch: Option<u64>,
    pub(super) pull: Pull,
    /// The slots of the keys, section by section.
    pub(super) slots: Vec<u32>,
    pub(super) first_asked_ms: u64,
    asked_ms: u64,
    asked_again: u32,
}

impl Request {
    pub(super) fn new(batch: Option<u64>, pull: Pull, slots: Vec<u32>, now_ms: u64) -> Self {
        Self { batch, pull, slots, first_asked_ms: now_ms, asked_ms: now_ms, asked_again: 0 }
    }

    /// Each further time waits twice as long, up to 16 times: asking a shard that is behind must not keep it there.
    pub(super) fn is_overdue(&self, now_ms: u64, timeout_ms: u64) -> bool {
        now_ms.saturating_sub(self.asked_ms) >= timeout_ms << self.asked_again.min(4)
    }

    pub(super) fn ask_again(&mut self, now_ms: u64) {
        self.asked_ms = now_ms;
        self.asked_again += 1;
    }

    /// Copies the replied rows to their slots; false if they are not what was asked for.
    pub(super) fn fill(&self, reply: &Reply, work: &mut Workspace) -> bool {
        if reply.sections.len() != self.pull.sections.len() || reply.shard != self.pull.shard {
            return false;
        }
        let mut slots = self.slots.iter();
        for (asked, got) in self.pull.sections.iter().zip(&reply.sections) {
            let slab = &mut work.slabs[usize::from(asked.table)];
            let rows = asked.keys.len();
            if got.table != asked.table || got.flags.len() != rows || got.words.len() != rows * slab.width {
                return false;
            }
            for ((row, flags), &slot) in got.words.chunks_exact(slab.width).zip(&got.flags).zip(slots.by_ref()) {
                slab.row_mut(slot).copy_from_slice(row);
                if flags & ROW_UNNAMED != 0 {
                    slab.flags[slot as usize] |= UNNAMED;
                }
            }
        }
        true
    }
}

/// Sorts the rows that a batch has to pull by shard, in pulls whose replies stay below the frame limit.
pub(super) struct PullBuilder<'a> {
    schema: &'a Arc<dyn Schema>,
    settings: &'a WorkerSettings,
    open: Vec<Open>,
    done: Vec<(Pull, Vec<u32>)>,
    pub(super) hits: u64,
    pub(super) misses: u64,
}

struct Open {
    shard: u32,
    at_least: Option<Position>,
    sections: Vec<PullSection>,
    slots: Vec<u32>,
    bytes: usize,
}

impl Open {
    fn new(shard: u32, at_least: Option<Position>) -> Self {
        Self { shard, at_least, sections: Vec::new(), slots: Vec::new(), bytes: 0 }
    }

    fn close(&mut self) -> Option<(Pull, Vec<u32>)> {
        let full = std::mem::replace(self, Self::new(self.shard, self.at_least));
        let request = RequestId { instance: 0, number: 0 };
        let pull = Pull {
            request,
            shard: full.shard,
            source: 0,
            at_least: full.at_least,
            reply_to: 0,
            sections: full.sections,
        };
        (!full.slots.is_empty()).then_some((pull, full.slots))
    }
}

impl<'a> PullBuilder<'a> {
    pub(super) fn new(
        schema: &'a Arc<dyn Schema>,
        settings: &'a WorkerSettings,
        at_least: Option<Position>,
        latest: Option<Position>,
    ) -> Self {
        let shards = settings.partitioner.shards();
        // Fresh rows first, then rows that must show all that was pushed before this batch, as refreshed ones must.
        let open = (0..shards).map(|shard| Open::new(shard, at_least));
        let open = open.chain((0..shards).map(|shard| Open::new(shard, latest))).collect();
        Self { schema, settings, open, done: Vec::new(), hits: 0, misses: 0 }
    }

    /// Adds the rows that are named in slots from `first` on.
    pub(super) fn add_table(
        &mut self,
        table: u8,
        (slab, first): (&mut Slab, usize),
        mut cache: Option<&mut Cache>,
        now_ms: u64,
    ) {
        let max_age_ms = self.settings.cache_max_age_ms;
        for slot in first..slab.keys.len() {
            if slab.flags[slot] & PULLED == 0 {
                continue;
            }
            let key = slab.keys[slot];
            let found = cache.as_deref_mut().map_or(Lookup::Miss, |cache| cache.pin(key, now_ms, max_age_ms));
            if found == Lookup::Hit {
                self.hits += 1;
                slab.flags[slot] |= CACHED;
            } else {
                self.misses += u64::from(cache.is_some());
                let latest = found == Lookup::Stale || slab.flags[slot] & LATEST != 0;
                self.add(table, key, slot as u32, latest);
            }
        }
    }

    fn add(&mut self, table: u8, key: u64, slot: u32, latest: bool) {
        let width = self.schema.tables()[usize::from(table)].width;
        let shard = self.settings.partitioner.shard(key) as usize;
        let open = &mut self.open[shard + if latest { self.settings.partitioner.shards() as usize } else { 0 }];
        open.bytes += 9 + 4 * width;
        if open.bytes > self.settings.frame_bytes {
            self.done.extend(open.close());
            open.bytes = 9 + 4 * width;
        }
        match open.sections.last_mut() {
            Some(last) if last.table == table => last.keys.push(key),
            _ => open.sections.push(PullSection { table, keys: vec![key] }),
        }
        open.slots.push(slot);
    }

    pub(super) fn finish(mut self, source: u32) -> Vec<(Pull, Vec<u32>)> {
        self.done.extend(self.open.iter_mut().filter_map(Open::close));
        self.done.iter_mut().for_each(|(pull, _)| pull.source = source);
        self.done
    }
}
