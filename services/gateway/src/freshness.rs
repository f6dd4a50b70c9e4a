//! How fresh answers are, measured all the time: once a second the newest event of each input partition is looked up,
//! and the time is taken from its being written until answers contain it. `probe` looks it up; this is pure.

pub(crate) mod probe;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::view::Offsets;

/// Moves of the covered offsets that are remembered: an event may be covered before it is looked up.
const MOST_MOVES: usize = 512;
/// Events per partition that wait to be covered. Beyond that the newest are left out: the oldest says how late it is.
const MOST_WAITING: usize = 600;

/// Looked-up events, and when answers came to contain what.
#[derive(Debug, Default)]
pub(crate) struct Freshness {
    moves: VecDeque<(Instant, Offsets)>,
    /// By partition, in order: offset, and when it was written.
    waiting: Vec<VecDeque<(u64, Instant)>>,
}

impl Freshness {
    /// Answers cover these offsets, next to read by partition, from `now` on. Returns how long those events took that
    /// they contain now.
    pub(crate) fn covered(&mut self, offsets: &Offsets, now: Instant) -> Vec<Duration> {
        if self.moves.len() == MOST_MOVES {
            self.moves.pop_front();
        }
        self.moves.push_back((now, Offsets::clone(offsets)));
        let mut took = Vec::new();
        for (waiting, &next) in self.waiting.iter_mut().zip(offsets.iter()) {
            while let Some((_, written)) = waiting.front().filter(|(offset, _)| *offset < next) {
                took.push(now.saturating_duration_since(*written));
                waiting.pop_front();
            }
        }
        took
    }

    /// The event at `offset` of `partition` was written at `written`. Returns how long it took if answers contain it
    /// already and it is known since when.
    pub(crate) fn looked_up(&mut self, partition: u32, offset: u64, written: Instant) -> Option<Duration> {
        let index = partition as usize;
        let covers = |offsets: &Offsets| offsets.get(index).is_some_and(|next| *next > offset);
        if self.moves.back().is_some_and(|(_, offsets)| covers(offsets)) {
            let first = self.moves.iter().position(|(_, offsets)| covers(offsets))?;
            // What was covered by the oldest move that is remembered may have been so for long.
            return (first > 0).then(|| self.moves[first].0.saturating_duration_since(written));
        }
        if self.waiting.len() <= index {
            self.waiting.resize_with(index + 1, VecDeque::new);
        }
        let waiting = &mut self.waiting[index];
        if waiting.len() < MOST_WAITING && waiting.back().is_none_or(|(last, _)| *last < offset) {
            waiting.push_back((offset, written));
        }
        None
    }

    /// Age of the oldest event that was looked up and is not in answers yet; zero if there is none.
    pub(crate) fn oldest(&self, now: Instant) -> Duration {
        let written = self.waiting.iter().filter_map(|waiting| waiting.front()).map(|(_, written)| *written).min();
        written.map_or(Duration::ZERO, |written| now.saturating_duration_since(written))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(start: Instant, ms: u64) -> Instant {
        start + Duration::from_millis(ms)
    }

    #[test]
    fn an_event_takes_from_its_writing_until_it_is_covered_whichever_is_seen_first() {
        let (start, mut freshness) = (Instant::now(), Freshness::default());
        let ms = Duration::from_millis;
        assert_eq!(freshness.covered(&Offsets::from([5, 5]), at(start, 0)), []);
        assert_eq!(freshness.looked_up(1, 7, at(start, 10)), None);
        assert_eq!((freshness.oldest(at(start, 40)), freshness.oldest(start)), (ms(30), ms(0)));
        assert_eq!(freshness.covered(&Offsets::from([9, 7]), at(start, 50)), []);
        assert_eq!(freshness.covered(&Offsets::from([9, 8]), at(start, 60)), [ms(50)]);
        assert_eq!(freshness.oldest(at(start, 99)), ms(0));
        assert_eq!(freshness.looked_up(0, 8, at(start, 45)), Some(ms(5)), "covered since 50");
        assert_eq!(freshness.looked_up(0, 4, at(start, 0)), None, "covered for who knows how long");
        assert_eq!(freshness.looked_up(9, 0, at(start, 70)), None, "a partition that nothing is known of");
        assert_eq!(freshness.oldest(at(start, 80)), ms(10));
    }

    proptest! {
        /// What is remembered stays bounded, and every event is told of at most once.
        #[test]
        fn nothing_grows_and_nothing_counts_twice(steps in prop::collection::vec((any::<bool>(), 0_u64..3), 0..3_000)) {
            let (start, mut freshness) = (Instant::now(), Freshness::default());
            let (mut next, mut end, mut looked_up, mut told) = (0, 0, 0, 0);
            for (step, (is_move, by)) in steps.into_iter().enumerate() {
                let now = at(start, step as u64);
                if is_move {
                    next = (next + by).min(end);
                    told += freshness.covered(&Offsets::from([next]), now).len();
                } else if by > 0 {
                    end += by;
                    looked_up += 1;
                    told += usize::from(freshness.looked_up(0, end - 1, now).is_some());
                }
                prop_assert!(freshness.moves.len() <= MOST_MOVES);
                prop_assert!(freshness.waiting.iter().all(|waiting| waiting.len() <= MOST_WAITING));
                prop_assert!(told <= looked_up);
            }
        }
    }
}
