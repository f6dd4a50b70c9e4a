//! Adaptive regularisation of weights: steps that are long where little is known yet and short where much is.
//!
//! A feature's row is `[weight, precision]`. The variance of its weight is 1 / (1 + precision), so that a row of zeros is a feature
//! of which nothing is known. Both values **add**: what several workers learned can be summed, which the paper's variances could not.
//!
//! Source: Crammer, Kulesza, Dredze, "Adaptive Regularization of Weight Vectors", NIPS 22 (2009), figure 1, with the diagonal of the matrix only:
//! its update of the inverse, Σ⁻¹ + x·xᵀ / r, has the diagonal that is kept here.

use crate::{
    error::{Error, in_range},
    passive_aggressive::{Label, hinge_loss},
};

/// Values of a feature's row.
pub const WIDTH: usize = 2;
/// Where a row has the weight.
pub const WEIGHT: usize = 0;
/// Where it has what is known beyond the precision of 1 that it begins with.
pub const PRECISION: usize = 1;

/// The hyper-parameters as somebody wrote them; [`Settings::try_from`] checks them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HyperParameters {
    /// The paper's r, 1e-4 to 1e4: how little one example is to be trusted. 0.1 suits clean labels, 10 noisy ones.
    pub regularisation: f32,
}

impl Default for HyperParameters {
    fn default() -> Self {
        Self { regularisation: 0.1 }
    }
}

crate::error::checked_settings!(check);

/// Which values are allowed.
fn check(values: HyperParameters) -> Result<(), Error> {
    in_range("regularisation", values.regularisation.into(), 1e-4, 1e4)?;
    Ok(())
}

/// The variance of a weight of this precision; what sums of several workers may have brought below 0 counts as 0.
#[must_use]
pub fn variance(precision: f32) -> f32 {
    1.0 / (1.0 + precision.max(0.0))
}

/// Step α = max(0, 1 - y·margin) / (v + r), with the margin's variance v = Σ σ·x².
#[must_use]
pub fn step(settings: &Settings, loss: f32, variance: f32) -> f32 {
    loss / (variance + settings.0.regularisation)
}

/// What an example with this margin teaches, times `weight`: α·y·value, which each feature takes times its variance.
#[must_use]
pub fn lesson(settings: &Settings, rows: &[f32], value: f32, margin: f32, label: Label, weight: f32) -> f32 {
    let loss = hinge_loss(margin, label);
    if loss == 0.0 {
        return 0.0;
    }
    let variances: f32 = rows.chunks_exact(WIDTH).map(|row| variance(row[PRECISION])).sum();
    weight * step(settings, loss, variances * value * value) * label.sign() * value
}

/// Learns a lesson of [`lesson`], if it is one, on the rows of its features.
pub fn learn(settings: &Settings, rows: &mut [f32], value: f32, lesson: f32) {
    if lesson == 0.0 {
        return;
    }
    let known = value * value / settings.0.regularisation;
    for row in rows.chunks_exact_mut(WIDTH) {
        row[WEIGHT] += lesson * variance(row[PRECISION]);
        row[PRECISION] += known;
    }
}

/// Takes a lesson back as far as the variances of today allow; what is known stays known.
pub fn take_back(rows: &mut [f32], lesson: f32) {
    for row in rows.chunks_exact_mut(WIDTH) {
        row[WEIGHT] -= lesson * variance(row[PRECISION]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settings(regularisation: f32) -> Settings {
        Settings::try_from(HyperParameters { regularisation }).unwrap()
    }

    #[test]
    fn one_example_moves_its_rows_as_worked_out_by_hand() {
        // Two features of value 1/2, variances 1 and 1/4: v = (1 + 1/4)/4 = 0.3125; margin 0.2 of a negative one: loss 1.2;
        // r = 0.2875 makes the step 1.2 / 0.6 = 2, the lesson -2 · 1/2 = -1.
        let (settings, mut rows) = (settings(0.2875), [0.3, 0.0, 0.1, 3.0]);
        let lesson = lesson(&settings, &rows, 0.5, 0.2, Label::Negative, 1.0);
        assert!((lesson + 1.0).abs() < 1e-6, "{lesson}");
        learn(&settings, &mut rows, 0.5, lesson);
        let known = 0.25 / 0.2875;
        for (found, expected) in rows.iter().zip([0.3 - 1.0, known, 0.1 - 0.25, 3.0 + known]) {
            assert!((found - expected).abs() < 1e-6, "{rows:?}");
        }
    }

    #[test]
    fn what_is_right_by_far_enough_teaches_nothing() {
        let mut rows = [2.0, 1.0];
        let lesson = lesson(&settings(0.1), &rows, 1.0, 2.0, Label::Positive, 1.0);
        learn(&settings(0.1), &mut rows, 1.0, lesson);
        assert_eq!((lesson, rows), (0.0, [2.0, 1.0]));
    }

    #[test]
    fn refusals_quote_the_value() {
        let refused = Settings::try_from(HyperParameters { regularisation: 0.0 }).map_err(|error| error.to_string());
        assert_eq!(refused, Err("regularisation must be a number from 0.0001 to 10000, not 0".to_owned()));
    }

    proptest! {
        /// The paper's other form of the same update: Σ - β·(Σx)·(Σx)ᵀ has this diagonal for one feature.
        #[test]
        fn precisions_say_what_the_papers_variances_say(before in 0.0_f32..50.0, value in 0.01_f32..1.0, r in 0.01_f32..10.0) {
            let sigma = variance(before);
            let beta = 1.0 / (sigma * value * value + r);
            let expected = sigma - beta * (sigma * value) * (sigma * value);
            let mut row = [0.0, before];
            learn(&settings(r), &mut row, value, 1.0);
            prop_assert!((variance(row[PRECISION]) - expected).abs() < 1e-4 * expected.max(1e-3));
        }

        #[test]
        fn a_lesson_brings_the_margin_nearer(
            rows in prop::collection::vec((-2.0_f32..2.0, 0.0_f32..9.0), 1..50), positive in any::<bool>(), r in 0.01_f32..10.0,
        ) {
            let mut rows: Vec<f32> = rows.into_iter().flat_map(|(weight, known)| [weight, known]).collect();
            let value = 1.0 / ((rows.len() / 2) as f32).sqrt();
            let margin = |rows: &[f32]| rows.chunks(2).map(|row| row[0]).sum::<f32>() * value;
            let (label, before) = (if positive { Label::Positive } else { Label::Negative }, margin(&rows));
            let lesson = lesson(&settings(r), &rows, value, before, label, 1.0);
            learn(&settings(r), &mut rows, value, lesson);
            let (was, is) = (hinge_loss(before, label), hinge_loss(margin(&rows), label));
            prop_assert!(is <= was + 1e-4 && (was == 0.0 || is >= -1e-4));
        }
    }
}
