//! How good a list of recommendations is, given what its user turned out to want.

/// What one list came to. All values are from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ListQuality {
    /// Σ 1 / log2(rank + 1) over the relevant items in the list, over that of the best possible list.
    pub ndcg: f64,
    /// Share of the list that is relevant; a list that is shorter than `k` counts as `k`.
    pub precision: f64,
    /// Share of what is relevant that is in the list.
    pub recall: f64,
    /// Mean of the precision at each relevant item of the list, over min(k, relevant items).
    pub average_precision: f64,
    /// 1 / the rank of the first relevant item, 0 if there is none.
    pub reciprocal_rank: f64,
}

impl ListQuality {
    /// Of a list, best first, cut at `k`, for somebody for whom `relevant_items` items are relevant: those for which
    /// `is_relevant` holds. Zero if nothing is relevant.
    pub fn of<T: Copy>(list: &[T], k: usize, relevant_items: usize, is_relevant: impl Fn(T) -> bool) -> Self {
        if relevant_items == 0 || k == 0 {
            return Self::default();
        }
        let (mut hits, mut gain, mut precisions, mut reciprocal_rank) = (0.0, 0.0, 0.0, 0.0);
        for (place, _) in list.iter().take(k).enumerate().filter(|(_, item)| is_relevant(**item)) {
            hits += 1.0;
            gain += discount(place + 1);
            precisions += hits / (place + 1) as f64;
            if reciprocal_rank == 0.0 {
                reciprocal_rank = 1.0 / (place + 1) as f64;
            }
        }
        let best = relevant_items.min(k);
        Self {
            ndcg: gain / (1..=best).map(discount).sum::<f64>(),
            precision: hits / k as f64,
            recall: hits / relevant_items as f64,
            average_precision: precisions / best as f64,
            reciprocal_rank,
        }
    }
}

/// What a relevant item at this rank, counted from 1, is worth: 1 / log2(rank + 1).
#[must_use]
pub fn discount(rank: usize) -> f64 {
    1.0 / (rank as f64 + 1.0).log2()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(list: &[u32], k: usize, relevant: &[u32], expected: [f64; 5]) {
        let found = ListQuality::of(list, k, relevant.len(), |item| relevant.contains(&item));
        let values = [found.ndcg, found.precision, found.recall, found.average_precision, found.reciprocal_rank];
        let close = values.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-9);
        assert!(close, "{list:?} {relevant:?}: {values:?}, not {expected:?}");
    }

    #[test]
    fn lists_are_worth_what_was_worked_out_by_hand() {
        let third = 1.0 / 3.0_f64.log2();
        check(&[1, 2, 3], 3, &[2], [third, 1.0 / 3.0, 1.0, 0.5, 0.5]);
        // Hits at 1 and 3 of three relevant items: 1 + 1/2 over 1 + 1/log2(3) + 1/2; precisions 1 and 2/3.
        check(&[5, 9, 7], 3, &[5, 7, 8], [1.5 / (1.5 + third), 2.0 / 3.0, 2.0 / 3.0, 5.0 / 9.0, 1.0]);
        check(&[1, 2], 2, &[1, 2, 3, 4], [1.0, 1.0, 0.5, 1.0, 1.0]);
        check(&[1], 10, &[1], [1.0, 0.1, 1.0, 1.0, 1.0]);
        check(&[1, 2, 3], 2, &[3], [0.0; 5]);
        check(&[], 10, &[3], [0.0; 5]);
        check(&[1], 10, &[], [0.0; 5]);
        check(&[1], 0, &[1], [0.0; 5]);
    }

    proptest! {
        #[test]
        fn values_are_shares_and_rise_when_a_relevant_item_moves_up(
            order in Just((0_u32..20).collect::<Vec<_>>()).prop_shuffle(), relevant in 1_u32..20, k in 1_usize..25,
        ) {
            let quality = |list: &[u32]| ListQuality::of(list, k, relevant as usize, |item| item < relevant);
            let found = quality(&order);
            for value in [found.ndcg, found.precision, found.recall, found.average_precision, found.reciprocal_rank] {
                prop_assert!((0.0..=1.0 + 1e-9).contains(&value), "{found:?}");
            }
            let mut best = order;
            best.sort_unstable();
            let best = quality(&best);
            prop_assert!((best.ndcg - 1.0).abs() < 1e-9 && best.average_precision >= found.average_precision - 1e-9);
        }
    }
}
