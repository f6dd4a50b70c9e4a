//! Which shard a key lives on.

/// How keys are spread over shards. Its name and shard count are part of every barrier, so that rows written under
/// one are never read under another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partitioner {
    /// Spreads keys evenly by a multiplicative hash, whatever their distribution.
    Hash {
        /// Number of shards, at least 1.
        shards: u32,
    },
}

impl Partitioner {
    /// The shard of `key`, in `0..shards`.
    #[must_use]
    #[inline]
    pub fn shard(self, key: u64) -> u32 {
        let Self::Hash { shards } = self;
        // Fibonacci hashing, then the high half scaled to the range: no division, and independent of the low bits
        // that the row index uses.
        let mixed = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        ((mixed * u64::from(shards)) >> 32) as u32
    }

    /// Number of shards.
    #[must_use]
    pub fn shards(self) -> u32 {
        let Self::Hash { shards } = self;
        shards
    }

    /// The stable name that is stored with a model's metadata.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hash { .. } => "hash",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_spread_evenly_and_stay_in_range() {
        for shards in [1, 2, 3, 7, 64] {
            let partitioner = Partitioner::Hash { shards };
            let mut counts = vec![0_u32; shards as usize];
            for key in 0..10_000 {
                counts[partitioner.shard(key) as usize] += 1;
            }
            let fair = 10_000 / shards;
            assert!(counts.iter().all(|&count| count > fair / 2 && count < fair * 2), "{shards}: {counts:?}");
        }
    }

    #[test]
    fn placement_is_stable() {
        let shards: Vec<u32> =
            [1, 2, 3, u64::MAX, 0xDEAD_BEEF].map(|key| Partitioner::Hash { shards: 5 }.shard(key)).to_vec();
        assert_eq!(shards, [3, 1, 4, 1, 0]);
    }
}
