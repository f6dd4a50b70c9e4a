//! Where a worker begins with a source partition: at what is committed, which must be what every shard names.

use std::collections::{BTreeMap, BTreeSet};

use crate::Position;

/// The answers of shards to one question: what each has applied of the source partitions in question.
///
/// A worker asks through the push log, behind everything that was committed before. So the answers say what the
/// committed offsets say, or something is wrong that learning would make worse.
#[derive(Debug)]
pub struct PositionQuery {
    number: u64,
    shards: u32,
    answered: BTreeSet<u32>,
    named: BTreeMap<u32, Vec<Option<Position>>>,
}

/// Why a source partition cannot be taken over. No restart mends that.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TakeOverError {
    /// Each step writes to every shard, so their logs are torn.
    #[error(
        "the shards do not agree on how far partition {source_partition} is learned ({named:?}): the push log is torn, \
         begin a new generation from the input topic"
    )]
    Torn {
        /// The source partition.
        source_partition: u32,
        /// What each shard named, in the order of the answers.
        named: Vec<Option<Position>>,
    },
    /// The committed offset is not what the shards have learned.
    #[error(
        "partition {source_partition}: the group has committed offset {committed}, but the shards have learned {}; \
         somebody has reset the offset or deleted internal topics: set the offset back to that, or begin a new generation \
         from the input topic",
        .named.map_or("nothing".to_owned(), |position| format!("up to {}", position.sequence))
    )]
    Disagreement {
        /// The source partition.
        source_partition: u32,
        /// What the group has committed.
        committed: u64,
        /// What the shards name.
        named: Option<Position>,
    },
    /// Events were deleted before they were learned.
    #[error(
        "partition {source_partition} begins at offset {first}, but its events are learned only up to {next}: the {} \
         between are gone; give the topic a longer retention, and to go on without them either stop all workers and servers \
         and run `weir accept-loss`, or learn what is left under another prefix", first - next
    )]
    Gone {
        /// The source partition.
        source_partition: u32,
        /// The next event to learn.
        next: u64,
        /// The first event that is still there.
        first: u64,
    },
    /// More was learned than there is.
    #[error(
        "partition {source_partition} ends at offset {end}, but its events are learned up to {next}: this is another topic \
         than the one that was learned, or a part of it is lost; learn it under another prefix"
    )]
    TooShort {
        /// The source partition.
        source_partition: u32,
        /// The next event to learn.
        next: u64,
        /// Where the log ends.
        end: u64,
    },
}

impl PositionQuery {
    /// Question `number` for `sources` to all `shards`.
    #[must_use]
    pub fn new(number: u64, shards: u32, sources: &[u32]) -> Self {
        let named = sources.iter().map(|&source| (source, Vec::new())).collect();
        Self { number, shards, answered: BTreeSet::new(), named }
    }

    /// The question's number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The source partitions in question.
    #[must_use]
    pub fn sources(&self) -> Vec<u32> {
        self.named.keys().copied().collect()
    }

    /// Takes one shard's answer in; returns whether all have answered. A repeated one changes nothing.
    pub fn answer(&mut self, shard: u32, positions: &[(u32, Option<Position>)]) -> bool {
        if shard < self.shards && self.answered.insert(shard) {
            for (source, position) in positions {
                if let Some(named) = self.named.get_mut(source) {
                    named.push(*position);
                }
            }
        }
        self.answered.len() == self.shards as usize
    }

    /// Where to begin with `source`, of which the group has `committed` and the log has the offsets `first..end`, and
    /// whether shards know it up to there; at its first event where nobody has heard of it. Offsets expire, what shards
    /// name does not.
    ///
    /// # Errors
    /// The shards do not agree with one another, not with the group, or not with the log.
    pub fn start(
        &self,
        source: u32,
        committed: Option<u64>,
        log: std::ops::Range<u64>,
    ) -> Result<(Position, bool), TakeOverError> {
        let Some(named) = self.agreed(source, committed)? else { return Ok((Position::online(log.start), false)) };
        let (source_partition, next) = (source, named.sequence);
        if next < log.start {
            return Err(TakeOverError::Gone { source_partition, next, first: log.start });
        }
        if next > log.end {
            return Err(TakeOverError::TooShort { source_partition, next, end: log.end });
        }
        Ok((named, true))
    }

    fn agreed(&self, source: u32, committed: Option<u64>) -> Result<Option<Position>, TakeOverError> {
        let named = self.named.get(&source).map(Vec::as_slice).unwrap_or_default();
        let first = named.first().copied().flatten();
        if named.len() != self.shards as usize || named.iter().any(|other| *other != first) {
            return Err(TakeOverError::Torn { source_partition: source, named: named.to_vec() });
        }
        match committed {
            Some(committed) if first.map(|position| position.sequence) != Some(committed) => {
                Err(TakeOverError::Disagreement { source_partition: source, committed, named: first })
            }
            _ => Ok(first),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(answers: &[&[(u32, Option<u64>)]]) -> PositionQuery {
        let mut query = PositionQuery::new(1, answers.len() as u32, &[4, 5]);
        for (shard, answer) in answers.iter().enumerate() {
            let positions: Vec<_> = answer.iter().map(|(source, at)| (*source, at.map(Position::online))).collect();
            let complete = query.answer(shard as u32, &positions);
            assert_eq!(complete, shard + 1 == answers.len());
            query.answer(shard as u32, &[(4, Some(Position::online(99)))]);
        }
        query
    }

    #[test]
    fn shards_that_agree_name_the_start() {
        let query = query(&[&[(4, Some(7)), (5, None)], &[(4, Some(7)), (5, None)]]);
        assert_eq!(query.start(4, Some(7), 0..9), Ok((Position::online(7), true)));
        assert_eq!(query.start(4, None, 7..7), Ok((Position::online(7), true)), "the group's offset has expired");
        assert_eq!(query.start(5, None, 3..9), Ok((Position::online(3), false)), "nobody has heard of it");
    }

    #[test]
    fn an_offset_that_was_reset_is_refused() {
        let query = query(&[&[(4, Some(7)), (5, None)]]);
        for (source, committed) in [(4, 6), (4, 8), (5, 3)] {
            let error = query.start(source, Some(committed), 0..9).unwrap_err();
            assert!(matches!(error, TakeOverError::Disagreement { .. }), "{error}");
        }
    }

    #[test]
    fn a_log_that_does_not_reach_back_or_far_enough_is_refused() {
        let query = query(&[&[(4, Some(7)), (5, None)]]);
        let gone = query.start(4, Some(7), 9..12).unwrap_err();
        assert_eq!(gone, TakeOverError::Gone { source_partition: 4, next: 7, first: 9 });
        assert!(gone.to_string().contains("the 2 between are gone"), "{gone}");
        let short = query.start(4, None, 0..6).unwrap_err();
        assert_eq!(short, TakeOverError::TooShort { source_partition: 4, next: 7, end: 6 });
    }

    #[test]
    fn shards_that_do_not_agree_are_final() {
        for other in [&[(4, None), (5, None)], &[(4, Some(8)), (5, None)]] {
            let query = query(&[&[(4, Some(7)), (5, None)], other]);
            assert!(matches!(query.start(4, Some(7), 0..9), Err(TakeOverError::Torn { .. })), "{other:?}");
        }
    }
}
