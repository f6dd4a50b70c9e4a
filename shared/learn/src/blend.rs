//! The order in which items are served: a weighted sum of what several models say, the weights learned from what users choose.
//!
//! The parts of an item for a user are logarithms where the model counts, so that what is learned is a conditional logit: the probability
//! that the user turns to this item and not to another is taken to be proportional to exp(Σ weight · part). One step raises the likelihood
//! of the item that was chosen among a few that were drawn, by `AdaGrad` with an accumulator per weight. Weights are never below 0: a part
//! that misleads is ignored and not followed backwards.
//!
//! A row is `[weights, sums of squared gradients]`, [`WIDTH`] values that add. What is read from it is held at 0 or above.
//!
//! Source: `McFadden`, "Conditional logit analysis of qualitative choice behavior", 1974.

use crate::error::{Error, in_range};
use crate::popularity;

/// Half-lives for which popularity is counted.
pub const WINDOWS: usize = 3;
/// Hours after which an event counts half, the shortest first.
pub const HALF_LIVES_HOURS: [f32; WINDOWS] = [12.0, 96.0, 720.0];
/// Parts of a score: that of the factors, those of neighbours, and popularity by window.
pub const PARTS: usize = 3 + WINDOWS;
/// Values of a row.
pub const WIDTH: usize = 2 * PARTS;
/// Where the parts of an item have what the factor model says.
pub const FACTORS: usize = 0;
/// Where they have what the user's last few items say: what usually comes next.
pub const TRANSITIONS: usize = 1;
/// Where they have what all the items say that are remembered of the user: what goes together.
pub const COMPANY: usize = 2;
/// Where popularity begins, the shortest window first.
pub const POPULARITY: usize = 3;

/// What one item has, by part, or how much each part counts.
pub type Parts = [f32; PARTS];

/// The hyper-parameters as somebody wrote them; [`Settings::try_from`] checks them.
///
/// The defaults were chosen on `MovieLens` 100K and latest-small and on `MovieTweetings` 100K together, so that all three do well; none is the
/// best that any one of them could have. In time order weights that are learned do better on each than those that are not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HyperParameters {
    /// The weights that learning begins with, 0 to 100. A weight of 0 turns its part off, and it is not learned.
    pub weights: Parts,
    /// `AdaGrad`'s rate, 0 to 10; with 0 the weights stay as they are.
    pub rate: f32,
    /// Where the sums of squared gradients begin, 1e-6 to 1e6.
    pub initial_sum: f32,
    /// The share of the events that the weights are learned from, 0 to 1.
    pub share: f32,
    /// Hours after which what a user's last few items say counts half ([`fresh`]), 0.01 to 1e6.
    pub fresh_hours: f32,
}

impl Default for HyperParameters {
    fn default() -> Self {
        Self {
            weights: [0.5, 1.8, 2.0, 1.2, 0.2, 0.05],
            rate: 0.01,
            initial_sum: 1.0,
            share: 0.0625,
            fresh_hours: 24.0,
        }
    }
}

crate::error::checked_settings!(check);

/// Which values are allowed.
fn check(values: HyperParameters) -> Result<(), Error> {
    for weight in values.weights {
        in_range("blend.weights", weight.into(), 0.0, 100.0)?;
    }
    in_range("blend.rate", values.rate.into(), 0.0, 10.0)?;
    in_range("blend.initial_sum", values.initial_sum.into(), 1e-6, 1e6)?;
    in_range("blend.share", values.share.into(), 0.0, 1.0)?;
    in_range("blend.fresh_hours", values.fresh_hours.into(), 0.01, 1e6)?;
    Ok(())
}

impl Settings {
    /// The row of which nothing was learned.
    #[must_use]
    pub fn initial(&self) -> [f32; WIDTH] {
        let mut row = [0.0; WIDTH];
        row[..PARTS].copy_from_slice(&self.0.weights);
        row
    }
}

/// The weights of a row.
#[must_use]
pub fn weights(row: &[f32; WIDTH]) -> Parts {
    std::array::from_fn(|part| row[part].max(0.0))
}

/// The weights of a row, of the parts that these settings do not turn off.
#[must_use]
pub fn weights_in_use(settings: &Settings, row: &[f32; WIDTH]) -> Parts {
    let weights = weights(row);
    std::array::from_fn(|part| if settings.0.weights[part] > 0.0 { weights[part] } else { 0.0 })
}

/// Whether the weights are learned from the event that this number was drawn for.
#[must_use]
pub fn learns(settings: &Settings, number: u64) -> bool {
    settings.0.rate > 0.0 && ((number >> 40) as f32) < settings.0.share * (1_u32 << 24) as f32
}

/// What an item with these parts is worth.
#[must_use]
pub fn score(weights: &Parts, parts: &Parts) -> f32 {
    weights.iter().zip(parts).map(|(weight, part)| weight * part).sum()
}

/// Items drawn beside each one that was chosen.
pub const DRAWN: usize = 16;

/// How much an affinity must be to count.
const AFFINITY: f32 = 0.02;
/// How many events must be to count.
const COUNT: f32 = 10.0;

/// The part of an affinity ([`crate::neighbours::affinity`]): ln(1 + affinity / 0.02).
#[must_use]
pub fn of_affinity(affinity: f32) -> f32 {
    if affinity > 0.0 { (affinity / AFFINITY).ln_1p() } else { 0.0 }
}

/// The part of a decayed number of events: ln(1 + count / 10). Fewer than about ten events say little of what is popular.
#[must_use]
pub fn of_count(count: f32) -> f32 {
    (count / COUNT).ln_1p()
}

/// How much of [`TRANSITIONS`] is left for a user whose last event was so long ago: 2^(-elapsed / half-life). What somebody did a minute
/// ago says what comes next; what they did last was a month ago says no more than the rest that they did.
#[must_use]
pub fn fresh(settings: &Settings, elapsed_hours: f32) -> f32 {
    popularity::decay(elapsed_hours.max(0.0), settings.0.fresh_hours)
}

/// Learns that an item with the parts `chosen` was turned to, and none of the `others`, from an event that counts as `weight`.
pub fn learn(settings: &Settings, weight: f32, chosen: &Parts, others: &[Parts], row: &mut [f32; WIDTH]) {
    let values = settings.values();
    let gradient = gradient(&weights(row), chosen, others);
    for (part, gradient) in gradient.into_iter().enumerate().filter(|(part, _)| values.weights[*part] > 0.0) {
        let gradient = weight * gradient;
        row[PARTS + part] += gradient * gradient;
        let step = values.rate / (values.initial_sum + row[PARTS + part]).sqrt();
        row[part] = (row[part] + step * gradient).max(0.0);
    }
}

/// The gradient of the log-likelihood: the parts of the chosen one less what is expected under the weights.
fn gradient(weights: &Parts, chosen: &Parts, others: &[Parts]) -> Parts {
    let all = || std::iter::once(chosen).chain(others);
    // Against the highest, so that no exponential leaves the range of f32.
    let highest = all().map(|parts| score(weights, parts)).fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut expected) = (0.0, [0.0; PARTS]);
    for parts in all() {
        let share = (score(weights, parts) - highest).exp();
        sum += share;
        expected.iter_mut().zip(parts).for_each(|(expected, part)| *expected += share * part);
    }
    std::array::from_fn(|part| chosen[part] - expected[part] / sum)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settings(change: impl FnOnce(&mut HyperParameters)) -> Settings {
        let mut values = HyperParameters::default();
        change(&mut values);
        Settings::try_from(values).unwrap()
    }

    #[test]
    fn one_choice_moves_the_weights_as_worked_out_by_hand() {
        let settings = settings(|values| (values.weights, values.rate) = ([1.0, 1.0, 0.0, 1.0, 1.0, 1.0], 0.5));
        let mut row = settings.initial();
        // Both stand at 1, so each is expected half the time: the gradient is half the difference.
        learn(&settings, 1.0, &[1.0, 0.0, 9.0, 0.0, 0.0, 0.0], &[[0.0, 1.0, 9.0, 0.0, 0.0, 0.0]], &mut row);
        let step = 0.5 / (1.0_f32 + 0.25).sqrt() * 0.5;
        assert_eq!(row[..PARTS], [1.0 + step, 1.0 - step, 0.0, 1.0, 1.0, 1.0]);
        assert_eq!(row[PARTS..], [0.25, 0.25, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn weights_end_at_zero_and_are_read_at_zero_or_above() {
        let settings = settings(|values| values.rate = 10.0);
        let mut row = settings.initial();
        learn(&settings, 1.0, &[0.0; PARTS], &[[5.0, 0.0, 0.0, 0.0, 0.0, 0.0]], &mut row);
        assert_eq!(row[FACTORS], 0.0);
        // Two that learned side by side may have pushed too far together.
        row[FACTORS] = -0.5;
        assert_eq!(weights(&row)[FACTORS], 0.0);
    }

    #[test]
    fn the_part_that_foretells_choices_wins() {
        let settings = settings(|values| values.rate = 0.1);
        let mut row = settings.initial();
        for event in 0..2_000_u32 {
            let noise = |salt: u32| (event.wrapping_mul(2_654_435_761).rotate_left(salt) >> 16) as f32 / 65_536.0;
            let parts = |signal: f32, salt| [signal, noise(salt), noise(salt + 3), 0.0, 0.0, 0.0];
            let others = [parts(noise(1) * 0.8, 2), parts(noise(5) * 0.8, 9), parts(noise(13) * 0.8, 17)];
            learn(&settings, 1.0, &parts(0.8, 21), &others, &mut row);
        }
        let weights = weights(&row);
        assert!(weights[FACTORS] > 3.0 && weights[TRANSITIONS] < 1.0, "{weights:?}");
    }

    #[test]
    fn parts_are_those_worked_out_by_hand() {
        let close = |found: f32, expected: f32| assert!((found - expected).abs() < 1e-6, "{found}, not {expected}");
        close(of_affinity(0.02), 2.0_f32.ln());
        close(of_count(30.0), 4.0_f32.ln());
        close(of_affinity(0.0) + of_count(0.0), 0.0);
        let settings = settings(|values| values.fresh_hours = 6.0);
        close(fresh(&settings, 12.0), 0.25);
        close(fresh(&settings, -5.0), 1.0);
        close(fresh(&settings, f32::INFINITY), 0.0);
    }

    #[test]
    fn a_share_of_the_events_teaches_the_weights_and_a_part_that_is_off_has_none() {
        let taught = |share, rate| {
            let settings = settings(|values| (values.share, values.rate) = (share, rate));
            (0..1_000).filter(|event| learns(&settings, crate::noise::mix(*event))).count()
        };
        assert_eq!((taught(0.0, 0.1), taught(1.0, 0.1), taught(1.0, 0.0)), (0, 1_000, 0));
        assert!((200..300).contains(&taught(0.25, 0.1)));
        let settings = settings(|values| values.weights[COMPANY] = 0.0);
        assert_eq!(weights_in_use(&settings, &[2.0; WIDTH]), [2.0, 2.0, 0.0, 2.0, 2.0, 2.0]);
    }

    #[test]
    fn refusals_quote_the_value() {
        let values = HyperParameters { weights: [1.0, 101.0, 1.0, 1.0, 1.0, 1.0], ..HyperParameters::default() };
        let message = Settings::try_from(values).map_err(|error| error.to_string());
        assert_eq!(message, Err("blend.weights must be a number from 0 to 100, not 101".to_owned()));
    }

    proptest! {
        #[test]
        fn rows_stay_finite_and_a_step_raises_the_likelihood(
            chosen in prop::array::uniform6(0.0_f32..20.0),
            others in prop::collection::vec(prop::array::uniform6(0.0_f32..20.0), 1..20),
        ) {
            let settings = settings(|values| values.rate = 1e-3);
            let mut row = settings.initial();
            let likelihood = |row: &[f32; WIDTH]| {
                let weights = weights(row);
                let own = f64::from(score(&weights, &chosen));
                -others.iter().map(|other| (f64::from(score(&weights, other)) - own).exp()).sum::<f64>().ln_1p()
            };
            let before = likelihood(&row);
            learn(&settings, 1.0, &chosen, &others, &mut row);
            prop_assert!(row.iter().all(|value| value.is_finite()));
            prop_assert!(likelihood(&row) >= before - 1e-3, "{before} {}", likelihood(&row));
        }
    }
}
