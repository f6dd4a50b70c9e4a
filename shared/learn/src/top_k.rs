//! The k best of many, exactly.

pub mod index;

use std::{borrow::Cow, cmp::Ordering, collections::BinaryHeap};

use ndarray::ArrayView2;

/// A key and its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// Key of the row.
    pub key: u64,
    /// Its score, never NaN.
    pub score: f32,
}

impl Scored {
    /// Best first: the higher score, of equal ones the smaller key. -0 equals 0.
    fn rank(&self, other: &Self) -> Ordering {
        let by_score = other.score.partial_cmp(&self.score).unwrap_or(Ordering::Equal);
        by_score.then(self.key.cmp(&other.key))
    }
}

/// In the heap the worst of the chosen is on top, to be the first to go.
#[derive(Clone, Copy, Debug)]
struct Worst(Scored);

impl Ord for Worst {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.rank(&other.0)
    }
}

impl PartialOrd for Worst {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Worst {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Worst {}

/// Chooses the `k` largest scores out of all that are offered; of equal scores those with smaller keys win, so the choice
/// does not depend on the order of offers. NaN is never chosen.
#[derive(Clone, Debug)]
pub struct TopK {
    k: usize,
    chosen: BinaryHeap<Worst>,
}

impl TopK {
    /// For the best `k`. Room is made as it is needed, not for `k` at once.
    #[must_use]
    pub fn new(k: usize) -> Self {
        Self { k, chosen: BinaryHeap::new() }
    }

    /// Whether a row with this key and score would be chosen as things stand; cheap, for whoever has a dearer test to
    /// apply.
    #[must_use]
    pub fn would_take(&self, key: u64, score: f32) -> bool {
        let offered = Scored { key, score };
        !score.is_nan()
            && (self.chosen.len() < self.k
                || self.chosen.peek().is_some_and(|worst| offered.rank(&worst.0) == Ordering::Less))
    }

    /// The score of the worst of the chosen, once there are `k`: of what has less nothing is chosen any more. Infinite for a `k` of 0.
    #[must_use]
    pub fn worst(&self) -> Option<f32> {
        match self.chosen.peek() {
            Some(worst) => (self.chosen.len() >= self.k).then_some(worst.0.score),
            None => (self.k == 0).then_some(f32::INFINITY),
        }
    }

    /// Offers a row. Each key should be offered once.
    pub fn offer(&mut self, key: u64, score: f32) {
        if !self.would_take(key, score) {
            return;
        }
        if self.chosen.len() == self.k {
            self.chosen.pop();
        }
        self.chosen.push(Worst(Scored { key, score }));
    }

    /// The chosen, best first.
    #[must_use]
    pub fn into_sorted(self) -> Vec<Scored> {
        self.chosen.into_sorted_vec().into_iter().map(|worst| worst.0).collect()
    }
}

/// Offers every row of a matrix (one row per key) by its `score`, leaving out key 0 (an empty slot) and the keys that `skip`
/// names; `skip` is asked only about rows that would be chosen.
///
/// Rows may lie apart (a part of wider rows, as `slice_axis` gives it). Where the values of a row do not lie side by side,
/// as in a matrix by columns, each row is copied first.
pub fn scan(
    top: &mut TopK,
    keys: &[u64],
    rows: &ArrayView2<'_, f32>,
    score: impl Fn(&[f32]) -> f32,
    skip: impl Fn(u64) -> bool,
) {
    for (key, row) in keys.iter().zip(rows.outer_iter()) {
        let row = row.to_slice().map_or_else(|| Cow::Owned(row.to_vec()), Cow::Borrowed);
        let score = score(&row);
        if *key != 0 && top.would_take(*key, score) && !skip(*key) {
            top.offer(*key, score);
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Axis, ShapeBuilder, Slice};
    use proptest::prelude::*;

    use super::*;

    fn choose(k: usize, offers: &[(u64, f32)]) -> Vec<(u64, f32)> {
        let mut top = TopK::new(k);
        for (key, score) in offers {
            top.offer(*key, *score);
        }
        top.into_sorted().into_iter().map(|scored| (scored.key, scored.score)).collect()
    }

    #[test]
    fn best_first_and_smaller_keys_before_larger_ones() {
        let offers = [(5, 1.0), (9, 3.0), (2, 1.0), (7, f32::NAN), (1, -1.0), (4, 1.0)];
        assert_eq!(choose(3, &offers), [(9, 3.0), (2, 1.0), (4, 1.0)]);
        assert_eq!(choose(0, &offers), []);
        assert_eq!(choose(9, &offers), [(9, 3.0), (2, 1.0), (4, 1.0), (5, 1.0), (1, -1.0)]);
        assert_eq!(choose(1, &[(2, 0.0), (1, -0.0)]), [(1, 0.0)]);
        assert_eq!(choose(1, &[(2, f32::NEG_INFINITY)]), [(2, f32::NEG_INFINITY)]);
        // The room is for what is offered, not for what is asked.
        assert_eq!(choose(usize::MAX, &offers).len(), 5);
    }

    #[test]
    fn a_scan_reads_a_part_of_each_row_and_leaves_out_what_it_is_told() {
        let rows = Array2::from_shape_fn((5, 4), |(row, column)| (row * 10 + column) as f32);
        let mut top = TopK::new(3);
        let score = |row: &[f32]| row.iter().sum::<f32>();
        scan(&mut top, &[11, 12, 13, 0, 15], &rows.slice_axis(Axis(1), Slice::from(2..)), score, |key| key == 13);
        let chosen: Vec<_> = top.into_sorted().into_iter().map(|scored| (scored.key, scored.score)).collect();
        assert_eq!(chosen, [(15, 85.0), (12, 25.0), (11, 5.0)]);
    }

    #[test]
    fn a_matrix_by_columns_is_scanned_by_rows_too() {
        let by_columns = Array2::from_shape_vec((2, 2).f(), vec![1.0, 2.0, 30.0, 40.0]).unwrap();
        let mut top = TopK::new(1);
        scan(&mut top, &[1, 2], &by_columns.view(), |row| row[0] + row[1], |_| false);
        assert_eq!(top.into_sorted(), [Scored { key: 2, score: 42.0 }]);
    }

    proptest! {
        #[test]
        fn the_choice_is_the_beginning_of_the_sorted_whole(
            scores in prop::collection::vec(prop_oneof![(-3_i8..3).prop_map(f32::from), any::<f32>()], 0..80),
            k in 0_usize..100,
        ) {
            let offers: Vec<(u64, f32)> = scores.iter().enumerate().map(|(place, score)| (place as u64, *score)).collect();
            let mut sorted: Vec<_> = offers.iter().copied().filter(|(_, score)| !score.is_nan()).collect();
            sorted.sort_by(|left, right| right.1.partial_cmp(&left.1).unwrap().then(left.0.cmp(&right.0)));
            sorted.truncate(k);
            prop_assert_eq!(choose(k, &offers), sorted.clone());
            let backwards: Vec<_> = offers.into_iter().rev().collect();
            prop_assert_eq!(choose(k, &backwards), sorted);
        }
    }
}
