//! How much of the input the rows cover: the least of what all shards' barriers say.

use std::collections::BTreeMap;
use std::sync::Arc;

/// By input partition the offset next to read that a model's rows cover.
pub(crate) type Offsets = Arc<[u64]>;

/// More partitions than a Kafka topic can have; a number beyond it is no partition.
const MOST_SOURCES: u32 = 1 << 20;

/// The barriers of all shards.
#[derive(Clone, Debug)]
pub(crate) struct Coverage {
    /// By shard, for each input partition the next event that is not contained.
    shards: Vec<BTreeMap<u32, u64>>,
    /// Input partitions that are there for certain, whether or not anything was read of them.
    partitions: u32,
}

impl Coverage {
    /// Of `shards` shards without a barrier, over an input of at least `partitions` partitions.
    pub(crate) fn new(shards: u32, partitions: u32) -> Self {
        Self { shards: vec![BTreeMap::new(); shards as usize], partitions: partitions.min(MOST_SOURCES) }
    }

    /// Takes a shard's newer barrier over.
    pub(crate) fn set(&mut self, shard: u32, sources: impl IntoIterator<Item = (u32, u64)>) {
        if let Some(known) = self.shards.get_mut(shard as usize) {
            *known = sources.into_iter().filter(|(source, _)| *source < MOST_SOURCES).collect();
        }
    }

    /// The offsets by partition. A shard that has no barrier, or has not heard of a partition, covers nothing of it.
    pub(crate) fn offsets(&self) -> Offsets {
        let last = self.shards.iter().filter_map(|sources| Some(*sources.last_key_value()?.0)).max();
        let partitions = self.partitions.max(last.map_or(0, |last| last + 1));
        (0..partitions).map(|partition| self.next(partition)).collect()
    }

    fn next(&self, partition: u32) -> u64 {
        self.shards.iter().map(|sources| sources.get(&partition).copied().unwrap_or(0)).min().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(partitions: u32, barriers: &[(u32, &[(u32, u64)])], expected: &[u64]) {
        let mut coverage = Coverage::new(2, partitions);
        for (shard, sources) in barriers {
            coverage.set(*shard, sources.iter().copied());
        }
        assert_eq!(*coverage.offsets(), *expected, "{barriers:?}");
    }

    #[test]
    fn the_least_of_all_shards_counts() {
        check(0, &[], &[]);
        check(2, &[], &[0, 0]);
        check(1, &[(0, &[(0, 7)])], &[0]);
        check(1, &[(0, &[(0, 7)]), (1, &[(0, 5)])], &[5]);
        check(1, &[(0, &[(0, 7)]), (1, &[(0, 5)]), (1, &[(0, 9)])], &[7]);
    }

    #[test]
    fn a_partition_that_a_shard_has_not_heard_of_is_not_covered() {
        check(1, &[(0, &[(0, 7), (2, 3)]), (1, &[(0, 7)])], &[7, 0, 0]);
    }

    #[test]
    fn numbers_that_are_no_shard_or_partition_are_left_out() {
        check(1, &[(9, &[(0, 7)]), (0, &[(u32::MAX, 7)])], &[0]);
    }
}
