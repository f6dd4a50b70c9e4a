//! The recommender's items in the orders that lists are made from, kept up with every row.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;

use nohash_hasher::IntMap;
use weir_learn::ranking::{ITEM_BIAS, ITEM_FACTORS};
use weir_learn::top_k::index::Index;
use weir_learn::{blend, item_events, popularity};
use weir_ps::RowTable;

use super::popular::WINDOW;
use super::recommend::Taste;
use super::together::Together;

/// Steps of time in the shortest half-life: in one of them popularity falls by about a hundredth.
const STEPS: f32 = 64.0;

/// All orders.
pub(super) struct Orders {
    taste: Taste,
    /// By what ranks them for a user: factors, and as features the bias and how popular an item is by each window. Items without an id are
    /// not in it.
    ranked: Option<Index>,
    popular: BTreeSet<Popular>,
    /// By the time of their first event in milliseconds since 1970, the newest first, equal ones by key.
    newest: BTreeSet<(Reverse<u64>, u64)>,
    /// How popular items are, as features, at `hours`; those whose last event was later, at that.
    features: IntMap<u64, [f32; blend::WINDOWS]>,
    /// The time that popularity counts as of, in hours since 2000: that of the last event of all, down to a step. So lists are the same of the
    /// same rows, whenever and in whatever order they came, and a log of years ago is answered from as it was then.
    hours: f32,
    /// What it is to be when all rows at hand are taken in.
    next_hours: f32,
    together: Together,
}

/// An item's place among the popular ones, the most popular first.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Popular {
    order: f64,
    key: u64,
}

impl Eq for Popular {}

impl Ord for Popular {
    fn cmp(&self, other: &Self) -> Ordering {
        other.order.total_cmp(&self.order).then(self.key.cmp(&other.key))
    }
}

impl PartialOrd for Popular {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Orders {
    /// Of no items.
    pub(super) fn new(taste: Taste) -> Self {
        let together = Together::new(taste.neighbours);
        Self {
            taste,
            ranked: None,
            popular: BTreeSet::new(),
            newest: BTreeSet::new(),
            features: IntMap::default(),
            hours: f32::NEG_INFINITY,
            next_hours: f32::NEG_INFINITY,
            together,
        }
    }

    /// The row of an item with an id is this now.
    pub(super) fn put_item(&mut self, key: u64, row: &[u32]) {
        let (head, factors) = self.taste.parts.item_ranking(row).split_at(ITEM_FACTORS);
        // Every row is as wide as the first one.
        let ranked = self.ranked.get_or_insert_with(|| Index::new(factors.len(), 1 + blend::WINDOWS));
        let mut features = [head[ITEM_BIAS]; 1 + blend::WINDOWS];
        features[1..].copy_from_slice(&self.features.get(&key).copied().unwrap_or_default());
        ranked.put(key, factors, &features);
    }

    /// There is no such item any more.
    pub(super) fn remove_item(&mut self, key: u64) {
        if let Some(ranked) = &mut self.ranked {
            ranked.remove(key);
        }
    }

    /// How popular an item is has changed; each is none where there is no row.
    pub(super) fn popular(&mut self, key: u64, before: Option<&[u32]>, after: Option<&[u32]>) {
        if let Some(before) = self.place(key, before) {
            self.popular.remove(&before);
        }
        self.popular.extend(self.place(key, after));
        let first = |row: Option<&[u32]>| row.map(item_events::first).filter(|time| *time > 0);
        if first(before) != first(after) {
            first(before).map(|time| self.newest.remove(&(Reverse(time), key)));
            self.newest.extend(first(after).map(|time| (Reverse(time), key)));
        }
        match after {
            Some(row) => self.put_features(key, row),
            None => self.set_features(key, None),
        }
    }

    /// Brings popularity up to the last event. `rows` are all rows that say how popular an item is.
    pub(super) fn refresh(&mut self, rows: &RowTable) {
        if self.next_hours > self.hours {
            self.hours = self.next_hours;
            for (key, _, row) in rows.iter() {
                self.put_features(key, row);
            }
        }
    }

    /// The time that lists are as of, in hours since 2000.
    pub(super) fn hours(&self) -> f32 {
        self.hours
    }

    fn put_features(&mut self, key: u64, row: &[u32]) {
        let happened = item_events::popular(row, WINDOW)[popularity::HOURS];
        let half_lives = &self.taste.half_lives_hours;
        let step = half_lives.iter().copied().fold(f32::INFINITY, f32::min) / STEPS;
        self.next_hours = self.next_hours.max((happened / step).floor() * step);
        self.set_features(key, Some(item_events::parts(row, self.hours.max(happened), half_lives)));
    }

    fn set_features(&mut self, key: u64, features: Option<[f32; blend::WINDOWS]>) {
        match features {
            Some(features) => self.features.insert(key, features),
            None => self.features.remove(&key),
        };
        if let Some(ranked) = &mut self.ranked {
            ranked.put_features(key, 1, &features.unwrap_or_default());
        }
    }

    /// A chunk of what goes together is this now.
    pub(super) fn put_together(&mut self, key: u64, row: &[u32]) {
        self.together.put(key, row);
    }

    /// There is no such chunk of what goes together any more; it was this.
    pub(super) fn remove_together(&mut self, key: u64, before: Option<&[u32]>) {
        if let Some(before) = before {
            self.together.remove(key, before);
        }
    }

    /// What goes together.
    pub(super) fn together(&self) -> &Together {
        &self.together
    }

    fn place(&self, key: u64, row: Option<&[u32]>) -> Option<Popular> {
        let order = popularity::order(item_events::popular(row?, WINDOW), self.taste.half_lives_hours[WINDOW]);
        (order > f64::NEG_INFINITY).then_some(Popular { order, key })
    }

    /// The items that lists are made of; none before the first one.
    pub(super) fn index(&self) -> Option<&Index> {
        self.ranked.as_ref()
    }

    /// Keys of items and the times of their first events in milliseconds since 1970, the newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = (u64, u64)> {
        self.newest.iter().map(|(Reverse(time), key)| (*key, *time))
    }

    /// Keys of items, the most popular first, those with the smaller keys first of equal ones.
    pub(super) fn most_popular(&self) -> impl Iterator<Item = u64> {
        self.popular.iter().map(|popular| popular.key)
    }
}
