//! What one choice teaches: the chosen item beside those that were drawn for it, under each [`Loss`].
//!
//! Of pairs (BPR) a step raises ln σ(score of the chosen - score of the drawn), one pair after the other. Of a list it raises ln of the
//! chosen item's share of Σ exp(score), all items at once with the scores from before. A list of two is a pair.
//!
//! Sources: Rendle, Freudenthaler, Gantner, Schmidt-Thieme, "BPR", UAI 2009, equations 3 and 4; Cao, Qin, Liu, Tsai, Li, "Learning to Rank:
//! From Pairwise Approach to Listwise Approach", ICML 2007 (`ListNet`, top one), over sampled items.

use super::{Settings, Target, learn_error, learn_weighted, score};

/// What learning makes smaller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loss {
    /// The squares of what scores are off their targets, 1 and 0.
    #[default]
    SquaredError,
    /// That a drawn item stands above the chosen one, pair by pair: BPR.
    Pairs,
    /// That the chosen item is not the first of its list.
    List,
}

/// The rows of one user and of any item, to be changed; an item is named by what the caller has its rows under.
pub trait Rows {
    /// What names an item.
    type Item: Copy;

    /// Calls `act` with the user's row and the item's ([`Settings::user_width`] and [`Settings::item_width`] values).
    fn with<T>(&mut self, item: Self::Item, act: impl FnOnce(&mut [f32], &mut [f32]) -> T) -> T;
}

/// Learns that the user chose this item and none of those `drawn`, from an event that counts as `weight`, above 0.
pub fn learn_choice<R: Rows>(
    settings: &Settings,
    weight: f32,
    rows: &mut R,
    chosen: R::Item,
    drawn: impl Iterator<Item = R::Item>,
) {
    match settings.values().loss {
        Loss::SquaredError => {
            let mut learn = |item, target| {
                rows.with(item, |user, item| learn_weighted(settings, target, weight, user, item));
            };
            learn(chosen, Target::Positive);
            drawn.for_each(|item| learn(item, Target::Negative));
        }
        Loss::Pairs => drawn.for_each(|item| learn_list(settings, weight, rows, &[chosen, item])),
        Loss::List => learn_list(settings, weight, rows, &std::iter::once(chosen).chain(drawn).collect::<Vec<_>>()),
    }
}

/// Learns that the first of these items was chosen out of all of them. Of one item alone nothing is learned.
fn learn_list<R: Rows>(settings: &Settings, weight: f32, rows: &mut R, items: &[R::Item]) {
    let mut errors: Vec<f32> = items.iter().map(|item| rows.with(*item, |user, item| score(user, item))).collect();
    to_errors(&mut errors);
    for (item, error) in items.iter().zip(errors) {
        rows.with(*item, |user, item| learn_error(settings, error, weight, user, item));
    }
}

/// Turns scores into how far each should rise: 1 - share of the first, -share of the others, where the share of an item is exp(score) / Σ
/// exp(score). Within ±1, and 0 together.
fn to_errors(scores: &mut [f32]) {
    // Against the highest, so that no exponential leaves the range of f32.
    let highest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for score in &mut *scores {
        *score = (*score - highest).exp();
    }
    let sum: f32 = scores.iter().sum();
    for (place, share) in scores.iter_mut().enumerate() {
        *share = if place == 0 { 1.0 } else { 0.0 } - *share / sum;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{HyperParameters, ITEM_BIAS, ITEM_FACTORS, USER_FACTORS};
    use super::*;

    /// One user and items by number.
    struct Memory {
        user: Vec<f32>,
        items: Vec<Vec<f32>>,
    }

    impl Rows for Memory {
        type Item = usize;

        fn with<T>(&mut self, item: usize, act: impl FnOnce(&mut [f32], &mut [f32]) -> T) -> T {
            act(&mut self.user, &mut self.items[item])
        }
    }

    impl Memory {
        fn score(&self, item: usize) -> f32 {
            score(&self.user, &self.items[item])
        }
    }

    fn settings(loss: Loss) -> Settings {
        let values = HyperParameters {
            factors: 1,
            factor_rate: 1.0,
            bias_rate: 0.5,
            initial_sum: 1.0,
            regularisation: 0.0,
            loss,
            ..HyperParameters::default()
        };
        Settings::try_from(values).unwrap()
    }

    /// A user of factor 1 and items of factor 0, so that all scores are the biases.
    fn memory(biases: &[f32]) -> Memory {
        Memory { user: vec![0.0, 0.0, 0.0, 1.0], items: biases.iter().map(|bias| vec![*bias, 0.0, 0.0]).collect() }
    }

    fn close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        let close = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-5);
        assert!(close, "{found:?}, not {expected:?}");
    }

    #[test]
    fn errors_are_shares_worked_out_by_hand() {
        // exp: 1, 3, 4 of 8.
        let mut scores = [0.0, 3.0_f32.ln(), 4.0_f32.ln()];
        to_errors(&mut scores);
        close(&scores, &[1.0 - 0.125, -0.375, -0.5]);
        let mut pair = [1000.0, -1000.0];
        to_errors(&mut pair);
        close(&pair, &[0.0, 0.0]);
    }

    #[test]
    fn a_pair_moves_as_worked_out_by_hand() {
        let mut memory = memory(&[0.0, 0.0]);
        learn_choice(&settings(Loss::Pairs), 1.0, &mut memory, 0, [1].into_iter());
        // Both stand at 0, so σ(0) = 0.5 is missing. An item's gradient is 0.5² · (1 of the user's factor + 1 of the bias) = 0.5, its step
        // 1 / √1.5. The user's is 0 by the first item, whose factor was 0, and by the second the same.
        let step = 1.0 / 1.5_f32.sqrt();
        close(&memory.items[0], &[0.25 * step, 0.5, 0.5 * step]);
        close(&memory.items[1], &[-0.25 * step, 0.5, -0.5 * step]);
        close(&memory.user, &[0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn a_list_shares_what_a_choice_takes_from_others() {
        let mut memory = memory(&[0.0, 3.0_f32.ln(), 4.0_f32.ln()]);
        learn_choice(&settings(Loss::List), 1.0, &mut memory, 0, [1, 2].into_iter());
        for (item, error) in memory.items.iter().zip([0.875, -0.375, -0.5_f32]) {
            let step = 1.0 / (1.0 + 2.0 * error * error).sqrt();
            close(&item[1..], &[2.0 * error * error, step * error]);
        }
    }

    #[test]
    fn squared_errors_are_learned_one_by_one() {
        let settings = settings(Loss::SquaredError);
        let (mut found, mut expected) = (memory(&[0.1, 0.4, 0.3]), memory(&[0.1, 0.4, 0.3]));
        learn_choice(&settings, 2.0, &mut found, 0, [2, 1].into_iter());
        for (item, target) in [(0, Target::Positive), (2, Target::Negative), (1, Target::Negative)] {
            expected.with(item, |user, item| learn_weighted(&settings, target, 2.0, user, item));
        }
        assert_eq!((found.user, found.items), (expected.user, expected.items));
    }

    #[test]
    fn nothing_is_learned_of_a_choice_without_others() {
        for loss in [Loss::Pairs, Loss::List] {
            let mut memory = memory(&[0.5]);
            learn_choice(&settings(loss), 1.0, &mut memory, 0, std::iter::empty());
            close(&memory.items[0], &[0.5, 0.0, 0.0]);
        }
    }

    proptest! {
        #[test]
        fn every_loss_brings_the_chosen_item_forward_and_keeps_rows_finite(
            loss in prop::sample::select(vec![Loss::SquaredError, Loss::Pairs, Loss::List]),
            biases in prop::collection::vec(0.0_f32..0.9, 2..8),
        ) {
            let mut memory = memory(&biases);
            let others = |memory: &Memory| (1..biases.len()).map(|item| memory.score(item)).sum::<f32>();
            let before = (memory.score(0), others(&memory));
            learn_choice(&settings(loss), 0.1, &mut memory, 0, 1..biases.len());
            prop_assert!(memory.score(0) >= before.0 && others(&memory) <= before.1);
            prop_assert!(memory.items.iter().flatten().chain(&memory.user).all(|value| value.is_finite()));
            prop_assert_eq!((memory.user.len(), memory.items[0].len()), (USER_FACTORS + 1, ITEM_FACTORS + 1));
            prop_assert!(memory.items[0][ITEM_BIAS] >= biases[0]);
        }
    }
}
