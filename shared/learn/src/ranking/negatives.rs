//! Which items nobody chose: some of those that others chose lately, drawn once per batch and shared by all of its events.
//!
//! By default every item of the last events is as likely as any other, however often it occurred. Where they are drawn by how often, a
//! popular item is drawn as often as it is chosen, and that it is popular is not learned. Where the items are taken that nobody has
//! turned to for longest (RAISGD), what has gone out of fashion sinks first. For the same
//! reason a small batch's own items do not suffice: on `MovieTweetings` with batches of 8, NDCG@10 falls from .10 to .01.

use std::collections::{VecDeque, hash_map::Entry};

use nohash_hasher::IntMap;

use crate::noise::{Noise, mix};

/// How items are drawn out of those of the last events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// Each item as likely as any other.
    #[default]
    Uniform,
    /// By how many of the events have it.
    Popularity,
    /// Those whose last event is the longest ago, without chance (Vinagre, Jorge, Gama, "Collaborative filtering with recency-based
    /// negative feedback", SAC 2015).
    LeastRecent,
}

/// Tells the numbers of draws from those of initial rows.
const NOISE: u8 = 4;

/// The random numbers of one batch: the same for the same seed and coordinates for ever, so that a batch that is learned
/// again after a crash draws as it did before.
#[derive(Clone, Debug)]
pub struct Draws(Noise);

impl Draws {
    /// Of the batch with these coordinates, such as its source partition and first position.
    #[must_use]
    pub fn new(seed: u64, coordinates: &[u64]) -> Self {
        let fold = |folded: u64, coordinate: &u64| mix(folded.wrapping_add(1)) ^ mix(*coordinate);
        Self(Noise::new(seed, NOISE, coordinates.iter().fold(0, fold)))
    }

    /// The next uniform number.
    pub fn number(&mut self) -> u64 {
        self.0.next()
    }
}

/// The items of the last events.
#[derive(Clone, Debug)]
pub struct RecentItems {
    window: usize,
    events: VecDeque<u64>,
    /// Each item once, in any order.
    items: Vec<u64>,
    // Keys are hashes already: an identity hasher is enough.
    places: IntMap<u64, Place>,
}

/// Where an item is in the list of items, and how many events have it.
#[derive(Clone, Copy, Debug)]
struct Place {
    index: usize,
    events: usize,
}

impl RecentItems {
    /// Of the last `window` events, or those of the last batch if they are more.
    #[must_use]
    pub fn new(window: usize) -> Self {
        Self { window, events: VecDeque::new(), items: Vec::new(), places: IntMap::default() }
    }

    /// Takes in the items of a batch's events, and lets go of what is too old.
    pub fn add_batch(&mut self, items: &[u64]) {
        if items.len() >= self.window {
            // Nothing of what was before would be left; to forget it all at once is cheaper.
            self.forget_all();
        }
        for &item in items {
            self.add(item);
        }
        while self.events.len() > self.window.max(items.len()) {
            self.forget_oldest();
        }
    }

    /// Forgets everything.
    pub fn forget_all(&mut self) {
        self.events.clear();
        self.items.clear();
        self.places.clear();
    }

    fn add(&mut self, item: u64) {
        self.events.push_back(item);
        match self.places.entry(item) {
            Entry::Occupied(mut place) => place.get_mut().events += 1,
            Entry::Vacant(place) => {
                place.insert(Place { index: self.items.len(), events: 1 });
                self.items.push(item);
            }
        }
    }

    fn forget_oldest(&mut self) {
        let Some(item) = self.events.pop_front() else { return };
        let Some(place) = self.places.get_mut(&item) else { return };
        place.events -= 1;
        if place.events > 0 {
            return;
        }
        let index = place.index;
        self.places.remove(&item);
        self.items.swap_remove(index);
        if let Some(moved) = self.items.get(index).and_then(|moved| self.places.get_mut(moved)) {
            moved.index = index;
        }
    }

    /// Appends items for a batch to share: `wanted` drawn ones, or all if there are no more than that. `random` gives uniform numbers.
    pub fn draw(&self, source: Source, wanted: usize, mut random: impl FnMut() -> u64, drawn: &mut Vec<u64>) {
        match source {
            _ if wanted >= self.items.len() => drawn.extend_from_slice(&self.items),
            Source::Uniform => drawn.extend((0..wanted).filter_map(|_| pick(&self.items, random()))),
            Source::Popularity => drawn.extend((0..wanted).filter_map(|_| self.pick_event(random()))),
            Source::LeastRecent => self.least_recent(wanted, drawn),
        }
    }

    /// The item of one of the events.
    fn pick_event(&self, random: u64) -> Option<u64> {
        let index = (u128::from(random) * self.events.len() as u128) >> 64;
        self.events.get(index as usize).copied()
    }

    /// Appends the items whose last event is the longest ago, the last one first.
    fn least_recent(&self, wanted: usize, drawn: &mut Vec<u64>) {
        let mut later: IntMap<u64, usize> = self.places.iter().map(|(item, place)| (*item, place.events)).collect();
        let is_last = |item: &&u64| {
            let events = later.entry(**item).or_default();
            *events = events.saturating_sub(1);
            *events == 0
        };
        drawn.extend(self.events.iter().filter(is_last).take(wanted));
    }
}

/// One of these, by a uniform random number.
#[must_use]
pub fn pick<T: Copy>(of: &[T], random: u64) -> Option<T> {
    let index = (u128::from(random) * of.len() as u128) >> 64;
    of.get(index as usize).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn all(recent: &RecentItems) -> BTreeSet<u64> {
        let mut drawn = Vec::new();
        recent.draw(Source::Uniform, usize::MAX, || 0, &mut drawn);
        assert_eq!(drawn.len(), drawn.iter().collect::<BTreeSet<_>>().len(), "an item twice in {drawn:?}");
        drawn.into_iter().collect()
    }

    #[test]
    fn popular_items_are_as_likely_as_others() {
        let mut recent = RecentItems::new(100);
        let events: Vec<u64> = (0..100).map(|event| if event < 90 { 7 } else { event }).collect();
        recent.add_batch(&events);
        let (mut counter, mut drawn) = (0, Vec::new());
        for _ in 0..1000 {
            let random = || {
                counter += 1;
                mix(counter)
            };
            recent.draw(Source::Uniform, 4, random, &mut drawn);
        }
        let sevens = drawn.iter().filter(|item| **item == 7).count();
        assert_eq!(drawn.len(), 4000);
        // One of eleven: 364 of 4000, give or take five standard deviations.
        assert!((270..=460).contains(&sevens), "{sevens}");
    }

    #[test]
    fn items_are_drawn_by_how_often_they_came_or_by_how_long_ago() {
        let mut recent = RecentItems::new(100);
        recent.add_batch(&[5, 7, 7, 9, 5, 8]);
        let draw = |source, wanted, random: &[u64]| {
            let (mut drawn, mut random) = (Vec::new(), random.iter().copied());
            recent.draw(source, wanted, || random.next().unwrap_or_default(), &mut drawn);
            drawn
        };
        // Sixths of the whole range fall on the events in order.
        let sixths: Vec<u64> = (0..3).map(|sixth| u64::MAX / 6 * (2 * sixth) + 9).collect();
        assert_eq!(draw(Source::Popularity, 3, &sixths), [5, 7, 5]);
        assert_eq!(draw(Source::LeastRecent, 3, &[]), [7, 9, 5]);
        for source in [Source::Uniform, Source::Popularity, Source::LeastRecent] {
            assert_eq!(draw(source, 4, &[]).into_iter().collect::<BTreeSet<_>>(), [5, 7, 8, 9].into(), "{source:?}");
        }
    }

    /// These numbers decide what is learned from a batch that is read again: if this fails, a re-run draws otherwise.
    #[test]
    fn draws_are_the_same_for_ever_and_unlike_those_of_other_batches() {
        let first = |seed, coordinates: &[u64]| Draws::new(seed, coordinates).number();
        assert_eq!(first(1, &[2, 0, 300]), 0x90e5_e48a_46a9_fb35);
        let others = [(2, [2, 0, 300]), (1, [3, 0, 300]), (1, [2, 1, 300]), (1, [2, 0, 301]), (1, [300, 0, 2])];
        assert!(others.iter().all(|(seed, coordinates)| first(*seed, coordinates) != first(1, &[2, 0, 300])));
        let mut draws = Draws::new(1, &[2, 0, 300]);
        assert_ne!(draws.number(), draws.number());
    }

    #[test]
    fn picks_reach_both_ends() {
        assert_eq!(pick(&[1, 2, 3], 0), Some(1));
        assert_eq!(pick(&[1, 2, 3], u64::MAX), Some(3));
        assert_eq!(pick::<u64>(&[], 5), None);
    }

    proptest! {
        #[test]
        fn the_items_are_those_of_the_last_events(
            batches in prop::collection::vec(prop::collection::vec(0_u64..12, 0..20), 1..20),
            window in 1_usize..25,
        ) {
            let mut recent = RecentItems::new(window);
            let mut events: Vec<u64> = Vec::new();
            for batch in batches {
                let last = window.max(batch.len());
                recent.add_batch(&batch);
                // What was let go of once does not come back with a larger batch.
                let kept = events.len().saturating_add(batch.len()).saturating_sub(last);
                events.extend(batch);
                events.drain(..kept);
                prop_assert_eq!(all(&recent), events.iter().copied().collect());
            }
        }
    }
}
