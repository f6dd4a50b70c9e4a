//! Events in cohorts, and how often each user and item came.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;

use crate::counting::Tally;
use crate::random::Random;
use crate::topic::Event;

/// Of so many events one is bad, one is sent again, and one has an id by which that would be noticed.
const GARBAGE_SHARE: usize = 100;
const REPEATS_SHARE: usize = 50;
const IDS_SHARE: usize = 4;
/// What is sent again is one of so many latest events with ids: fewer than weir remembers of a single user.
const LATEST: usize = 16;
/// Users and items of a cohort, and of those who are there from the beginning to the end.
const USERS: usize = 400;
const ITEMS: usize = 150;
/// The name of the cohort that is closed last.
const ALWAYS: &str = "always";

/// Makes events and counts them; clones share the counts.
#[derive(Clone, Debug)]
pub struct Stream(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    random: Random,
    partitions: usize,
    tally: Tally,
    cohort: usize,
    made: u64,
    garbage: u64,
    repeats: u64,
    latest: VecDeque<Event>,
}

impl Stream {
    /// A stream for a topic of so many partitions.
    #[must_use]
    pub fn new(random: Random, partitions: usize) -> Self {
        let (tally, latest) = (Tally::default(), VecDeque::new());
        Self(Arc::new(Mutex::new(State {
            random,
            partitions,
            tally,
            cohort: 0,
            made: 0,
            garbage: 0,
            repeats: 0,
            latest,
        })))
    }

    /// The next event: of a user of the cohort or of one who is always there; sometimes one that came before; and, one in a
    /// hundred, no event at all.
    #[must_use]
    pub fn event(&self) -> Event {
        self.state().event()
    }

    /// No more events of the cohort from here on; the next one begins. Returns how many events were made so far.
    #[must_use]
    pub fn close_cohort(&self) -> u64 {
        let mut state = self.state();
        state.cohort += 1;
        state.made
    }

    /// Whether no more events of this user or item will come.
    #[must_use]
    pub fn is_closed(&self, id: &str) -> bool {
        let cohort = id.split_once('-').and_then(|(cohort, _)| cohort.parse::<usize>().ok());
        cohort.is_some_and(|cohort| cohort < self.state().cohort)
    }

    /// Whether this user or item is of the cohort that was closed last.
    #[must_use]
    pub fn is_latest(&self, id: &str) -> bool {
        let cohort = id.split_once('-').and_then(|(cohort, _)| cohort.parse::<usize>().ok());
        cohort.is_some_and(|cohort| cohort + 1 == self.state().cohort)
    }

    /// What has been made so far, without what was bad or came before.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.state().tally.clone()
    }

    /// Bad events made so far.
    #[must_use]
    pub fn garbage(&self) -> u64 {
        self.state().garbage
    }

    /// Events made so far that had come before.
    #[must_use]
    pub fn repeats(&self) -> u64 {
        self.state().repeats
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn event(&mut self) -> Event {
        self.made += 1;
        if self.random.below(GARBAGE_SHARE) == 0 {
            return self.bad();
        }
        if self.random.below(REPEATS_SHARE) == 0 && !self.latest.is_empty() {
            self.repeats += 1;
            return self.latest[self.random.below(self.latest.len())].clone();
        }
        let cohort = if self.random.below(2) == 0 { ALWAYS.to_owned() } else { self.cohort.to_string() };
        let user = format!("{cohort}-user-{}", self.random.skewed(USERS));
        let item = format!("{cohort}-item-{}", self.random.skewed(ITEMS));
        self.tally.add(&user, &item);
        if self.random.below(IDS_SHARE) > 0 {
            return Event::keyed(&user, &json!({"user": user, "item": item, "rating": 1}));
        }
        let event = Event::keyed(&user, &json!({"user": user, "item": item, "rating": 1, "id": self.made}));
        self.latest.push_back(event.clone());
        if self.latest.len() > LATEST {
            self.latest.pop_front();
        }
        event
    }

    fn bad(&mut self) -> Event {
        self.garbage += 1;
        let kinds: [&[u8]; 6] =
            [b"", b"no event", &[0xff; 64], b"{\"user\": \"u\"", b"{\"user\": 7.5, \"item\": 1}", b"{\"user\": \"u\"}"];
        Event::raw(self.random.below(self.partitions) as u32, kinds[self.random.below(kinds.len())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_counted_and_a_closed_cohort_stays_as_it_is() {
        let stream = Stream::new(Random::new(5), 4);
        let make = |events: usize| (0..events).for_each(|_| drop(stream.event()));
        make(3_000);
        assert_eq!(stream.close_cohort(), 3_000);
        let closed =
            |tally: Tally| -> Vec<_> { tally.users.into_iter().filter(|(id, _)| stream.is_closed(id)).collect() };
        let first = closed(stream.tally());
        assert!(first.len() > USERS / 2 && first.iter().all(|(id, _)| id.starts_with("0-user-")), "{first:?}");
        make(3_000);
        assert_eq!(closed(stream.tally()), first);
        let counted: u64 = stream.tally().users.values().sum();
        assert_eq!(counted + stream.garbage() + stream.repeats(), 6_000);
        for some in [stream.garbage(), stream.repeats()] {
            assert!((20..240).contains(&some), "{some}");
        }
        assert!(!stream.is_closed("always-user-1") && !stream.is_closed("1-item-1") && stream.is_closed("0-item-1"));
    }
}
