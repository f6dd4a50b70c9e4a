//! Where the next item of a user stood in the order of all items before it was learned.

use super::lists::discount;

/// Ranks beyond which recall is told.
pub const DEPTHS: [usize; 6] = [1, 5, 10, 20, 50, 100];

/// What ranks came to. Each event has one item to be found; one that was not in the order at all (never seen before) has no rank and
/// counts as not found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranks {
    count: u64,
    reciprocal: f64,
    gain: f64,
    found: [u64; DEPTHS.len()],
    found_at_k: u64,
}

impl Ranks {
    /// Counts an event whose item stood at `rank`, counted from 1, with lists of `k` items.
    pub fn add(&mut self, rank: Option<usize>, k: usize) {
        self.count += 1;
        let Some(rank) = rank else { return };
        self.reciprocal += 1.0 / rank as f64;
        if rank <= k {
            self.gain += discount(rank);
            self.found_at_k += 1;
        }
        for (found, depth) in self.found.iter_mut().zip(DEPTHS) {
            *found += u64::from(rank <= depth);
        }
    }

    /// All of both.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.reciprocal += other.reciprocal;
        self.gain += other.gain;
        self.found_at_k += other.found_at_k;
        for (found, others) in self.found.iter_mut().zip(other.found) {
            *found += others;
        }
    }

    /// Events counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Mean of 1 / rank; NaN of no events, as all of these.
    #[must_use]
    pub fn mrr(&self) -> f64 {
        self.reciprocal / self.count as f64
    }

    /// Mean discounted gain of lists of `k`: 1 / log2(rank + 1), 0 beyond the list. With one item to be found the best possible is 1,
    /// so it is the NDCG too.
    #[must_use]
    pub fn ndcg(&self) -> f64 {
        self.gain / self.count as f64
    }

    /// Part of the events whose item was in the list of `k`.
    #[must_use]
    pub fn recall(&self) -> f64 {
        self.found_at_k as f64 / self.count as f64
    }

    /// The same for lists of other lengths: (length, recall).
    pub fn recalls(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        DEPTHS.into_iter().zip(self.found.map(|found| found as f64 / self.count as f64))
    }
}

/// The rank of `item` among the items that `is_candidate` allows, by their scores: 1 more than the number of those that stand
/// higher; of equal scores those with smaller numbers. None if it is no candidate itself.
#[must_use]
pub fn rank(scores: &[f32], item: usize, is_candidate: impl Fn(usize) -> bool) -> Option<usize> {
    let own = *scores.get(item).filter(|_| is_candidate(item))?;
    let higher = |(other, score): (usize, &f32)| {
        (*score > own || (*score == own && other < item)) && other != item && is_candidate(other)
    };
    Some(1 + scores.iter().enumerate().filter(|candidate| higher(*candidate)).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_counted_among_candidates_and_ties_go_by_number() {
        let scores = [0.5, 2.0, 0.5, 1.0, 0.5];
        let all = |_: usize| true;
        assert_eq!([0, 1, 2, 3, 4].map(|item| rank(&scores, item, all)), [3, 1, 4, 2, 5].map(Some));
        assert_eq!(rank(&scores, 4, |item| item != 1 && item != 0), Some(3));
        assert_eq!(rank(&scores, 4, |item| item != 4), None);
        assert_eq!(rank(&scores, 9, all), None);
    }

    #[test]
    fn means_are_those_worked_out_by_hand() {
        let mut ranks = Ranks::default();
        for rank in [Some(1), Some(3), Some(40), None] {
            ranks.add(rank, 10);
        }
        assert_eq!(ranks.count(), 4);
        assert!((ranks.mrr() - (1.0 + 1.0 / 3.0 + 1.0 / 40.0) / 4.0).abs() < 1e-12);
        assert!((ranks.ndcg() - 1.5 / 4.0).abs() < 1e-12);
        assert!((ranks.recall() - 0.5).abs() < 1e-12);
        assert_eq!(ranks.recalls().map(|(_, recall)| recall).collect::<Vec<_>>(), [0.25, 0.5, 0.5, 0.5, 0.75, 0.75]);
        let mut twice = ranks.clone();
        twice.merge(&ranks);
        assert_eq!((twice.count(), twice.mrr()), (8, ranks.mrr()));
        assert!(Ranks::default().mrr().is_nan());
    }
}
