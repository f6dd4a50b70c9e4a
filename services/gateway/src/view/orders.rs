//! The recommender's items in the orders that lists are made from, kept up with every row.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use weir_learn::popularity;
use weir_learn::ranking::{ITEM_BIAS, ITEM_FACTORS, USER_FACTORS};
use weir_learn::top_k::index::{Index, Query};
use weir_ps::words;

use super::recommend::Taste;

/// What multiplies an item's bias, its one feature.
const OF_BIAS: &[f32] = &[1.0];

/// Both orders.
pub(super) struct Orders {
    taste: Taste,
    /// By what ranks them for a user: factors, and the bias as a feature. Items without an id are not in it.
    ranked: Option<Index>,
    popular: BTreeSet<Popular>,
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
        Self { taste, ranked: None, popular: BTreeSet::new() }
    }

    /// The row of an item with an id is this now.
    pub(super) fn put_item(&mut self, key: u64, row: &[u32]) {
        let (head, factors) = self.taste.parts.item_ranking(row).split_at(ITEM_FACTORS);
        // Every row is as wide as the first one.
        let ranked = self.ranked.get_or_insert_with(|| Index::new(factors.len(), OF_BIAS.len()));
        ranked.put(key, factors, &head[ITEM_BIAS..=ITEM_BIAS]);
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
    }

    fn place(&self, key: u64, row: Option<&[u32]>) -> Option<Popular> {
        let order = popularity::order(*words::f32s(row?).as_array()?, self.taste.half_life_hours);
        (order > f64::NEG_INFINITY).then_some(Popular { order, key })
    }

    /// The items in the order in which they rank for whom, and the query by which; none before the first item.
    pub(super) fn ranked<'a>(&'a self, user_ranking: &'a [f32]) -> Option<(&'a Index, Query<'a>)> {
        let query = Query { factors: user_ranking.get(USER_FACTORS..)?, weights: OF_BIAS };
        Some((self.ranked.as_ref()?, query))
    }

    /// Keys of items, the most popular first, those with the smaller keys first of equal ones.
    pub(super) fn most_popular(&self) -> impl Iterator<Item = u64> {
        self.popular.iter().map(|popular| popular.key)
    }
}
