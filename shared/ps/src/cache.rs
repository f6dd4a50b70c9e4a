//! The rows that a worker keeps between batches, per source partition.

use std::collections::VecDeque;

use nohash_hasher::IntMap;

use crate::{Partitioner, Position};

/// Cached rows of one table and one source partition.
///
/// Each cache belongs to one source partition and its batches are learned in order, so a row that an earlier batch has
/// asked for is there when a later one is learned. Where the input is keyed by what the table holds, the partition is
/// the row's only writer and the cache is exact.
///
/// Bound: `capacity` rows, plus those of the batches that are pulling or not yet known to be applied, which the pull
/// limiter bounds: a row is evicted only when no batch needs it and its last push is known to be applied.
#[derive(Debug)]
pub(crate) struct Cache {
    width: usize,
    index: IntMap<u64, u32>,
    entries: Vec<Entry>,
    words: Vec<u32>,
    free: Vec<u32>,
    queue: VecDeque<u32>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    key: u64,
    last_push: Option<Position>,
    refreshed_ms: u64,
    pins: u32,
    used: bool,
    unnamed: bool,
}

/// What a batch finds in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// It is there, or will be when the batch is learned.
    Hit,
    /// It is there, but older than allowed.
    Stale,
    /// It must be pulled.
    Miss,
}

impl Cache {
    pub(crate) fn new(width: usize) -> Self {
        Self {
            width,
            index: IntMap::default(),
            entries: Vec::new(),
            words: Vec::new(),
            free: Vec::new(),
            queue: VecDeque::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Looks `key` up for a batch and holds it until that batch calls [`Self::write`] for it.
    pub(crate) fn pin(&mut self, key: u64, now_ms: u64, max_age_ms: u64) -> Lookup {
        if let Some(&slot) = self.index.get(&key) {
            let entry = &mut self.entries[slot as usize];
            entry.pins += 1;
            entry.used = true;
            if now_ms.saturating_sub(entry.refreshed_ms) < max_age_ms {
                return Lookup::Hit;
            }
            entry.refreshed_ms = now_ms;
            return Lookup::Stale;
        }
        let slot = self.allocate();
        self.entries[slot as usize] = Entry { key, refreshed_ms: now_ms, pins: 1, used: true, ..Entry::default() };
        self.index.insert(key, slot);
        self.queue.push_back(slot);
        Lookup::Miss
    }

    /// The row of a pinned key and whether its shard lacks its name.
    pub(crate) fn read(&self, key: u64) -> Option<(&[u32], bool)> {
        let &slot = self.index.get(&key)?;
        let start = slot as usize * self.width;
        Some((&self.words[start..start + self.width], self.entries[slot as usize].unnamed))
    }

    /// Takes over what a batch made of a pinned row, and lets go of it. `pushed` is the end of the batch if it pushes
    /// to the row.
    pub(crate) fn write(&mut self, key: u64, row: &[u32], unnamed: bool, pushed: Option<Position>) {
        let Some(&slot) = self.index.get(&key) else { return };
        let start = slot as usize * self.width;
        self.words[start..start + self.width].copy_from_slice(row);
        let entry = &mut self.entries[slot as usize];
        entry.pins = entry.pins.saturating_sub(1);
        entry.unnamed = unnamed;
        entry.last_push = pushed.or(entry.last_push);
    }

    /// Evicts rows until at most `capacity` are left or none can go. Returns the latest push among the evicted: a pull
    /// for any of them must see at least that.
    pub(crate) fn evict(
        &mut self,
        capacity: usize,
        partitioner: Partitioner,
        applied: &[Option<Position>],
    ) -> Option<Position> {
        let mut latest = None;
        // Second chance: a row used since it was last looked at goes round once more.
        let mut looks = self.queue.len().min(2 * self.len().saturating_sub(capacity) + 64);
        while self.len() > capacity && looks > 0 {
            looks -= 1;
            let Some(slot) = self.queue.pop_front() else { break };
            let entry = self.entries[slot as usize];
            let is_applied = entry.last_push <= applied[partitioner.shard(entry.key) as usize];
            if entry.pins == 0 && !entry.used && is_applied {
                self.index.remove(&entry.key);
                self.free.push(slot);
                latest = latest.max(entry.last_push);
            } else {
                self.entries[slot as usize].used = false;
                self.queue.push_back(slot);
            }
        }
        latest
    }

    fn allocate(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry::default());
            self.words.resize(self.words.len() + self.width, 0);
            self.entries.len() as u32 - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE_SHARD: Partitioner = Partitioner::Hash { shards: 1 };
    const NO_AGE: u64 = u64::MAX;

    #[test]
    fn a_row_is_evicted_only_when_unpinned_and_applied() {
        let mut cache = Cache::new(1);
        let pushed = Position::online(10);
        assert_eq!(cache.pin(1, 0, NO_AGE), Lookup::Miss);
        assert_eq!(cache.evict(0, ONE_SHARD, &[None]), None);
        assert_eq!(cache.len(), 1, "pinned");
        cache.write(1, &[5], false, Some(pushed));
        cache.evict(0, ONE_SHARD, &[Some(Position::online(9))]);
        assert_eq!(cache.read(1), Some(([5].as_slice(), false)), "its push may not be applied");
        assert_eq!(cache.evict(0, ONE_SHARD, &[Some(pushed)]), Some(pushed));
        assert_eq!((cache.len(), cache.pin(1, 0, NO_AGE)), (0, Lookup::Miss));
    }

    #[test]
    fn later_batches_find_what_an_earlier_one_asked_for() {
        let mut cache = Cache::new(1);
        assert_eq!(cache.pin(1, 0, NO_AGE), Lookup::Miss);
        assert_eq!(cache.pin(1, 0, NO_AGE), Lookup::Hit);
        cache.write(1, &[1], true, None);
        cache.evict(0, ONE_SHARD, &[None]);
        assert_eq!(cache.read(1), Some(([1].as_slice(), true)), "the second batch still holds it");
    }

    #[test]
    fn an_old_row_is_asked_for_once() {
        let mut cache = Cache::new(1);
        cache.pin(1, 0, 100);
        assert_eq!(cache.pin(1, 99, 100), Lookup::Hit);
        assert_eq!(cache.pin(1, 100, 100), Lookup::Stale);
        assert_eq!(cache.pin(1, 101, 100), Lookup::Hit);
    }

    #[test]
    fn rows_in_use_outlive_rows_that_are_not() {
        let mut cache = Cache::new(1);
        for key in 0..100 {
            cache.pin(key, 0, NO_AGE);
            cache.write(key, &[key as u32], false, None);
        }
        cache.evict(50, ONE_SHARD, &[None]);
        cache.pin(7, 0, NO_AGE);
        cache.write(7, &[7], false, None);
        for _ in 0..4 {
            cache.evict(1, ONE_SHARD, &[None]);
        }
        assert_eq!((cache.len(), cache.read(7).is_some()), (1, true));
    }
}
