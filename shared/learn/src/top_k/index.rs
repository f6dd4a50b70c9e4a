//! The best k of all items by p·q + w·s, exactly, while items change.
//!
//! An item has factors q, which may be of any sign, and features s, whose weights w are never below 0 (a bias, what is popular). Items lie in
//! blocks, within a block value by value, so that one step of a scan is the same sum for all items of a block side by side. Each block knows
//! the greatest length of its factors and the greatest of each feature: by Cauchy and Schwarz no item of it can have more than |p|·|q| + w·s
//! of these. Blocks are visited in the order of that bound until it falls below the worst of the k best. When the index is built anew, items
//! that are alike in that bound are put into the same blocks.
//!
//! A change is made in place, and only ever raises its block's bounds: so an answer reflects every change that was made before it, and is
//! exact at any time; only its speed falls until the next rebuild, which comes by itself after as many changes as there are items.

use nohash_hasher::IntMap;

use super::TopK;

/// Items of a block: eight registers of eight lanes.
const BLOCK: usize = 64;
/// What bounds are raised by, so that rounding never hides an item: far more than sums of a thousand products can be off by.
const SLACK: f32 = 1e-4;

/// What is asked for: the factors and the weights of the features, at or above 0.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// As many as items have factors.
    pub factors: &'a [f32],
    /// As many as items have features.
    pub weights: &'a [f32],
}

/// An index of items with so many factors and features.
#[derive(Clone, Debug)]
pub struct Index {
    factors: usize,
    features: usize,
    blocks: Vec<Block>,
    places: IntMap<u64, u32>,
    free: Vec<u32>,
    changes: usize,
}

#[derive(Clone, Debug)]
struct Block {
    /// Key of each item, 0 where there is none.
    keys: [u64; BLOCK],
    /// Value by value, factors first, each of all items.
    columns: Vec<[f32; BLOCK]>,
    longest: f32,
    greatest: Vec<f32>,
}

impl Block {
    fn new(factors: usize, features: usize) -> Self {
        let columns = vec![[0.0; BLOCK]; factors + features];
        Self { keys: [0; BLOCK], columns, longest: 0.0, greatest: vec![f32::NEG_INFINITY; features] }
    }

    fn put(&mut self, lane: usize, key: u64, factors: &[f32], features: &[f32]) {
        self.keys[lane] = key;
        for (column, value) in self.columns.iter_mut().zip(factors.iter().chain(features)) {
            column[lane] = *value;
        }
        // A comparison that NaN does not pass would hide the item; a bound of NaN hides nothing.
        let length = length(factors);
        self.longest = if length <= self.longest { self.longest } else { length };
        self.raise(0, features);
    }

    fn put_features(&mut self, lane: usize, factors: usize, first: usize, features: &[f32]) {
        for (column, value) in self.columns.iter_mut().skip(factors + first).zip(features) {
            column[lane] = *value;
        }
        self.raise(first, features);
    }

    fn raise(&mut self, first: usize, features: &[f32]) {
        for (greatest, feature) in self.greatest.iter_mut().skip(first).zip(features) {
            *greatest = if feature <= greatest { *greatest } else { *feature };
        }
    }

    fn bound(&self, length: f32, weights: &[f32]) -> f32 {
        let by_factors = length * self.longest * (1.0 + SLACK);
        let by_features = weights.iter().zip(&self.greatest).map(|(weight, greatest)| {
            let product = weight * greatest;
            // A weight of 0 times a block without items is no number, and bounds nothing.
            if *weight == 0.0 { 0.0 } else { product + SLACK * product.abs() }
        });
        by_factors + by_features.sum::<f32>() + SLACK * SLACK
    }

    fn scores(&self, query: Query<'_>) -> [f32; BLOCK] {
        let mut scores = [0.0; BLOCK];
        for (value, column) in query.factors.iter().chain(query.weights).zip(&self.columns) {
            for (score, other) in scores.iter_mut().zip(column) {
                *score += value * other;
            }
        }
        scores
    }
}

fn length(values: &[f32]) -> f32 {
    values.iter().map(|value| value * value).sum::<f32>().sqrt()
}

impl Index {
    /// Without items.
    #[must_use]
    pub fn new(factors: usize, features: usize) -> Self {
        Self { factors, features, blocks: Vec::new(), places: IntMap::default(), free: Vec::new(), changes: 0 }
    }

    /// Number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Factors of each item.
    #[must_use]
    pub fn factors(&self) -> usize {
        self.factors
    }

    /// What no item has more than; -∞ where there are none.
    #[must_use]
    pub fn bound(&self, query: Query<'_>) -> f32 {
        let length = length(query.factors);
        let bounds = self.blocks.iter().map(|block| block.bound(length, query.weights));
        bounds.fold(f32::NEG_INFINITY, |highest, bound| if bound <= highest { highest } else { bound })
    }

    /// Takes an item in, or its new values over. Key 0 is none.
    pub fn put(&mut self, key: u64, factors: &[f32], features: &[f32]) {
        if key == 0 {
            return;
        }
        let place = self.places.get(&key).copied().unwrap_or_else(|| self.allocate(key));
        self.blocks[place as usize / BLOCK].put(place as usize % BLOCK, key, factors, features);
        self.count_change();
    }

    fn count_change(&mut self) {
        self.changes += 1;
        if self.changes > self.len().max(BLOCK) {
            self.rebuild();
        }
    }

    /// Sets an item's features from one on, if it is there.
    pub fn put_features(&mut self, key: u64, first: usize, features: &[f32]) {
        let Some(place) = self.places.get(&key).map(|place| *place as usize) else { return };
        self.blocks[place / BLOCK].put_features(place % BLOCK, self.factors, first, features);
        self.count_change();
    }

    /// Takes an item out.
    pub fn remove(&mut self, key: u64) {
        if let Some(place) = self.places.remove(&key) {
            self.blocks[place as usize / BLOCK].keys[place as usize % BLOCK] = 0;
            self.free.push(place);
        }
    }

    fn allocate(&mut self, key: u64) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            let first = (self.blocks.len() * BLOCK) as u32;
            self.blocks.push(Block::new(self.factors, self.features));
            self.free.extend((first + 1..first + BLOCK as u32).rev());
            first
        });
        self.places.insert(key, place);
        place
    }

    /// Puts items that are alike in what bounds them into the same blocks.
    pub fn rebuild(&mut self) {
        let mut items: Vec<(f32, u64)> = self.places.iter().map(|(key, place)| (self.size(*place), *key)).collect();
        items.sort_unstable_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        let mut next = Self::new(self.factors, self.features);
        let mut values = vec![0.0; self.factors + self.features];
        for (_, key) in items {
            if let Some(place) = self.places.get(&key) {
                self.read(*place, &mut values);
                let (factors, features) = values.split_at(self.factors);
                let place = next.allocate(key) as usize;
                next.blocks[place / BLOCK].put(place % BLOCK, key, factors, features);
            }
        }
        *self = next;
    }

    /// What an item can have at most, about: of queries whose factors and weights are about as large as one another.
    fn size(&self, place: u32) -> f32 {
        let mut values = vec![0.0; self.factors + self.features];
        self.read(place, &mut values);
        let (factors, features) = values.split_at(self.factors);
        length(factors) + features.iter().sum::<f32>()
    }

    fn read(&self, place: u32, values: &mut [f32]) {
        let block = &self.blocks[place as usize / BLOCK];
        for (value, column) in values.iter_mut().zip(&block.columns) {
            *value = column[place as usize % BLOCK];
        }
    }

    /// The score of one item; none if it is not there.
    #[must_use]
    pub fn score(&self, query: Query<'_>, key: u64) -> Option<f32> {
        let place = *self.places.get(&key)? as usize;
        let columns = &self.blocks[place / BLOCK].columns;
        let values = query.factors.iter().chain(query.weights).zip(columns);
        // Added up in the order of the blocks' sums, so that both are the same to the last bit.
        Some(values.fold(0.0, |sum, (value, column)| sum + value * column[place % BLOCK]))
    }

    /// Offers to `top` the items that `takes` takes; it is asked only about those that would be chosen. What is in `top` already counts: of
    /// what cannot be chosen beside it nothing is looked at.
    pub fn offer(&self, query: Query<'_>, top: &mut TopK, takes: impl Fn(u64) -> bool) {
        let length = length(query.factors);
        let bound = |(place, block): (usize, &Block)| (block.bound(length, query.weights), place as u32);
        let mut bounds: Vec<(f32, u32)> = self.blocks.iter().enumerate().map(bound).collect();
        bounds.sort_unstable_by(|one, other| highest_first(one.0, other.0));
        for (bound, place) in bounds {
            if top.worst().is_some_and(|worst| bound < worst) {
                return;
            }
            let block = &self.blocks[place as usize];
            let scores = block.scores(query);
            for (key, score) in block.keys.iter().zip(scores) {
                if *key != 0 && top.would_take(*key, score) && takes(*key) {
                    top.offer(*key, score);
                }
            }
        }
    }
}

/// The order of bounds. NaN, which bounds nothing, is the highest.
fn highest_first(one: f32, other: f32) -> std::cmp::Ordering {
    let above_all = |bound: f32| if bound.is_nan() { f32::INFINITY } else { bound };
    above_all(other).total_cmp(&above_all(one))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn best(index: &Index, query: Query<'_>, k: usize, takes: impl Fn(u64) -> bool) -> Vec<(u64, f32)> {
        let mut top = TopK::new(k);
        index.offer(query, &mut top, takes);
        top.into_sorted().into_iter().map(|scored| (scored.key, scored.score)).collect()
    }

    #[test]
    fn items_come_and_go_and_change_in_place() {
        let mut index = Index::new(2, 1);
        let query = Query { factors: &[1.0, -1.0], weights: &[0.5] };
        for key in 1..=200 {
            index.put(key, &[key as f32, 0.0], &[0.0]);
        }
        index.put(0, &[1e9, 0.0], &[0.0]);
        assert_eq!(best(&index, query, 2, |_| true), [(200, 200.0), (199, 199.0)]);
        index.put(7, &[0.0, -300.0], &[2.0]);
        index.remove(200);
        index.remove(500);
        assert_eq!(best(&index, query, 2, |_| true), [(7, 301.0), (199, 199.0)]);
        assert_eq!(best(&index, query, 2, |key| key != 7 && key % 2 == 0), [(198, 198.0), (196, 196.0)]);
        assert_eq!((index.len(), index.score(query, 7), index.score(query, 200)), (199, Some(301.0), None));
        assert_eq!(best(&Index::new(2, 1), query, 2, |_| true), []);
        assert_eq!(Index::new(2, 1).bound(query), f32::NEG_INFINITY);
        assert!((301.0..600.0).contains(&index.bound(query)));
    }

    #[test]
    fn what_was_offered_before_counts() {
        let mut index = Index::new(1, 0);
        (1..=100).for_each(|key| index.put(key, &[key as f32], &[]));
        let query = Query { factors: &[1.0], weights: &[] };
        let mut top = TopK::new(2);
        top.offer(999, 99.5);
        index.offer(query, &mut top, |_| true);
        assert_eq!(top.into_sorted().iter().map(|scored| scored.key).collect::<Vec<_>>(), [100, 999]);
    }

    /// Values of few kinds, so that ties are common.
    fn value() -> impl Strategy<Value = f32> {
        prop_oneof![(-2_i8..3).prop_map(f32::from), -1e3_f32..1e3, Just(0.0)]
    }

    proptest! {
        #[test]
        fn the_best_are_those_of_a_full_sort_whatever_was_changed(
            changes in prop::collection::vec((1_u64..150, prop::array::uniform3(value()), prop::array::uniform2(value()), 0_u8..8), 0..400),
            factors in prop::array::uniform3(value()),
            weights in prop::array::uniform2(0.0_f32..3.0),
            k in 0_usize..40,
            left_out in 0_u64..5,
        ) {
            let mut index = Index::new(3, 2);
            let mut items = std::collections::BTreeMap::<u64, Vec<f32>>::new();
            for (number, (key, factors, features, kind)) in changes.iter().enumerate() {
                if *kind == 0 {
                    index.remove(*key);
                    items.remove(key);
                } else if *kind == 1 {
                    index.put_features(*key, 1, &features[..1]);
                    if let Some(values) = items.get_mut(key) {
                        values[4] = features[0];
                    }
                } else {
                    index.put(*key, factors, features);
                    items.insert(*key, [&factors[..], features].concat());
                }
                if number == 200 {
                    index.rebuild();
                }
            }
            let takes = |key: u64| key % 5 != left_out;
            let query: Vec<f32> = factors.iter().chain(&weights).copied().collect();
            let score = |values: &[f32]| query.iter().zip(values).fold(0.0_f32, |sum, (one, other)| sum + one * other);
            let mut expected: Vec<(u64, f32)> = items.iter().map(|(key, values)| (*key, score(values))).collect();
            expected.retain(|(key, _)| takes(*key));
            expected.sort_by(|one, other| other.1.partial_cmp(&one.1).unwrap().then(one.0.cmp(&other.0)));
            expected.truncate(k);
            let query = Query { factors: &factors, weights: &weights };
            prop_assert_eq!(best(&index, query, k, takes), expected);
            prop_assert_eq!(index.len(), items.len());
        }
    }
}
