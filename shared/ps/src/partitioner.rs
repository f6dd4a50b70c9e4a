//! Which shard a key lives on.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

/// How keys are spread over shards. Its name and shard count are part of every barrier and store, so that rows written
/// under one are never read under another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partitioner {
    /// Spreads keys evenly by a multiplicative hash, whatever their distribution.
    Hash {
        /// Number of shards, at least 1.
        shards: u32,
    },
    /// Cuts all 64-bit keys into ranges of equal size, one after the other. For keys that are hashes already, or whose
    /// neighbours should be together; keys that are small numbers would all be on shard 0.
    Range {
        /// Number of shards, at least 1.
        shards: u32,
    },
    /// Ranges with given bounds, for keys that are not hashes.
    Bounded(UpperBounds),
    /// A rule of a third party.
    Custom {
        /// The rule.
        custom: &'static CustomPartitioner,
        /// Number of shards, at least 1.
        shards: u32,
    },
}

/// The largest key of each shard but the last, which has all above them: one shard more than there are bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpperBounds(&'static [u64]);

/// A rule of a third party for where keys live.
#[derive(Clone, Copy, Debug)]
pub struct CustomPartitioner {
    /// The stable name that is stored with a model, after `custom:`. To be changed with the rule.
    pub name: &'static str,
    /// The shard of a key among so many shards: the same whenever it is asked. One out of range counts as the last
    /// shard, so that no mistake in a rule stops a worker or loses a row.
    pub shard: fn(key: u64, shards: u32) -> u32,
}

/// Two of one name are one: it is what models are told apart by, and functions have no identity to compare.
impl PartialEq for CustomPartitioner {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for CustomPartitioner {}

/// Upper bounds that do not rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("upper bounds of shards must rise: bound {index} is {bound}, not above the one before it")]
pub struct BoundsError {
    index: usize,
    bound: u64,
}

impl TryFrom<&'static [u64]> for UpperBounds {
    type Error = BoundsError;

    fn try_from(bounds: &'static [u64]) -> Result<Self, BoundsError> {
        match bounds.windows(2).position(|pair| pair[0] >= pair[1]) {
            None => Ok(Self(bounds)),
            Some(before) => Err(BoundsError { index: before + 1, bound: bounds[before + 1] }),
        }
    }
}

impl Partitioner {
    /// The shard of `key`, in `0..shards`.
    #[must_use]
    #[inline]
    pub fn shard(self, key: u64) -> u32 {
        match self {
            Self::Hash { shards } => {
                // Fibonacci hashing, then the high half scaled to the range: no division, and independent of the low
                // bits that the row index uses.
                let mixed = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
                ((mixed * u64::from(shards)) >> 32) as u32
            }
            Self::Range { shards } => ((u128::from(key) * u128::from(shards)) >> 64) as u32,
            Self::Bounded(UpperBounds(bounds)) => bounds.partition_point(|&bound| bound < key) as u32,
            Self::Custom { custom, shards } => (custom.shard)(key, shards).min(shards.saturating_sub(1)),
        }
    }

    /// Number of shards.
    #[must_use]
    pub fn shards(self) -> u32 {
        match self {
            Self::Hash { shards } | Self::Range { shards } | Self::Custom { shards, .. } => shards,
            Self::Bounded(UpperBounds(bounds)) => bounds.len() as u32 + 1,
        }
    }

    /// The stable name that is stored with a model's metadata. It names all that placement depends on besides the
    /// number of shards, bounds too.
    #[must_use]
    pub fn name(self) -> Cow<'static, str> {
        match self {
            Self::Hash { .. } => "hash".into(),
            Self::Range { .. } => "range".into(),
            Self::Bounded(UpperBounds(bounds)) => {
                let bounds: Vec<_> = bounds.iter().map(u64::to_string).collect();
                format!("range:{}", bounds.join(",")).into()
            }
            Self::Custom { custom, .. } => format!("custom:{}", custom.name).into(),
        }
    }
}
