//! When a shard that is read back is whole.

/// How the barrier that was read last and the group's committed push offset stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// They agree, or there is no committed offset, or neither: the rows are those of the barrier.
    Whole,
    /// The barrier that belongs to the offset is not read yet: commit markers reach partitions one by one.
    Behind,
    /// The offset is older than the barrier: somebody has set it back.
    Ahead,
}

impl Restored {
    /// Compares the push offsets of a barrier and of the group.
    #[must_use]
    pub fn of(barrier: Option<u64>, committed: Option<u64>) -> Self {
        match (barrier, committed) {
            // Committed offsets may expire; the barrier says the same and does not.
            (_, None) => Self::Whole,
            (Some(barrier), Some(committed)) if barrier == committed => Self::Whole,
            (Some(barrier), Some(committed)) if barrier > committed => Self::Ahead,
            _ => Self::Behind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_barrier_and_an_offset_agree_wait_or_contradict() {
        for (barrier, committed, expected) in [
            (None, None, Restored::Whole),
            (Some(5), None, Restored::Whole),
            (Some(5), Some(5), Restored::Whole),
            (None, Some(5), Restored::Behind),
            (Some(4), Some(5), Restored::Behind),
            (Some(6), Some(5), Restored::Ahead),
        ] {
            assert_eq!(Restored::of(barrier, committed), expected, "{barrier:?} {committed:?}");
        }
    }
}
