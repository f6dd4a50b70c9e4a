//! How much a source partition may have under way.

use std::collections::VecDeque;

use crate::Position;

/// How much of one source partition may be on its way.
#[derive(Clone, Copy, Debug)]
pub struct PullLimits {
    /// Batches whose pulls are not all answered. With 1, a batch begins to be learned with all that the ones before it
    /// have pushed, however events are cut into batches.
    pub in_flight: usize,
    /// Batches that are learned but not yet known to be applied on every shard.
    pub unapplied: usize,
    /// Events of both, at most this part of what the source partition had before them: 8 for an eighth, 0 for no such
    /// bound. What is on its way is not seen by what is learned meanwhile; if that is much against what is known
    /// already, the sum of all that is learned overshoots, and a young model never recovers from it.
    pub history_share: u64,
}

/// Events that may be on their way however little is known.
const LEAST_EVENTS: u64 = 64;

/// Bounds one source partition's work, without ever blocking: it only says how many batches may start.
///
/// So it bounds staleness, and what a cache must hold on to.
#[derive(Debug)]
pub struct PullLimiter {
    limits: PullLimits,
    in_flight: VecDeque<usize>,
    unapplied: VecDeque<(Position, usize)>,
    events: usize,
}

impl PullLimiter {
    /// With nothing on its way.
    #[must_use]
    pub fn new(limits: PullLimits) -> Self {
        Self { limits, in_flight: VecDeque::new(), unapplied: VecDeque::new(), events: 0 }
    }

    /// How many more batches may start now, if the next one begins at `expected`.
    #[must_use]
    pub fn room(&self, expected: Position) -> usize {
        let bound = expected.sequence.checked_div(self.limits.history_share).map(|share| share.max(LEAST_EVENTS));
        if expected.pass == 0 && bound.is_some_and(|bound| self.events as u64 >= bound) {
            return 0;
        }
        let unapplied = self.limits.unapplied.saturating_sub(self.unapplied.len() + self.in_flight.len());
        let room = self.limits.in_flight.saturating_sub(self.in_flight.len()).min(unapplied);
        // Where events count, each batch has to be looked at before the next one.
        if bound.is_some() { room.min(1) } else { room }
    }

    /// What the next batch waits for, if it waits for shards only: then they must be asked how far they are.
    #[must_use]
    pub fn waits_for_shards(&self, expected: Position) -> Option<Position> {
        (self.in_flight.is_empty() && self.room(expected) == 0)
            .then(|| self.unapplied.front().map(|(next, _)| *next))?
    }

    /// A batch of so many events has started to pull.
    pub fn started(&mut self, events: usize) {
        self.in_flight.push_back(events);
        self.events += events;
    }

    /// The oldest batch is learned; it ends at `next`.
    pub fn learned(&mut self, next: Position) {
        let events = self.in_flight.pop_front().unwrap_or_default();
        self.unapplied.push_back((next, events));
    }

    /// Every shard has applied up to `position`.
    pub fn applied(&mut self, position: Position) {
        while let Some((_, events)) = self.unapplied.pop_front_if(|(next, _)| *next <= position) {
            self.events -= events;
        }
    }

    /// Batches whose pulls are not all answered.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Learned batches that are not known to be applied.
    #[must_use]
    pub fn unapplied(&self) -> usize {
        self.unapplied.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(in_flight: usize, unapplied: usize, history_share: u64) -> PullLimiter {
        PullLimiter::new(PullLimits { in_flight, unapplied, history_share })
    }

    #[test]
    fn both_bounds_of_batches_hold_and_release() {
        let (mut limiter, at) = (limiter(2, 3, 0), Position::online(99));
        assert_eq!(limiter.room(at), 2);
        limiter.started(5);
        limiter.started(5);
        assert_eq!(limiter.room(at), 0, "two are pulling");
        limiter.learned(Position::online(10));
        limiter.learned(Position::online(20));
        assert_eq!(limiter.room(at), 1, "two of three are unapplied");
        limiter.started(5);
        limiter.learned(Position::online(30));
        assert_eq!((limiter.room(at), limiter.waits_for_shards(at)), (0, Some(Position::online(10))));
        limiter.applied(Position::online(25));
        assert_eq!((limiter.room(at), limiter.unapplied(), limiter.waits_for_shards(at)), (2, 1, None));
    }

    #[test]
    fn little_is_on_its_way_while_little_is_known() {
        let mut limiter = limiter(3, 16, 8);
        assert_eq!(limiter.room(Position::online(0)), 1);
        limiter.started(64);
        assert_eq!(limiter.room(Position::online(64)), 0, "no more than the least");
        assert_eq!(limiter.waits_for_shards(Position::online(64)), None, "its own pulls come first");
        limiter.learned(Position::online(64));
        assert_eq!(limiter.waits_for_shards(Position::online(64)), Some(Position::online(64)));
        assert_eq!(limiter.room(Position::online(1_024)), 1, "with more behind it more may be on its way");
        limiter.applied(Position::online(64));
        assert_eq!(limiter.room(Position::online(64)), 1);
    }
}
