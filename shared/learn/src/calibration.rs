//! Margins as probabilities, fitted while they come: Platt's scaling, learned by `AdaGrad` on one small row.
//!
//! p = 1 / (1 + e^-(slope·margin + offset)). The margins to learn from are those of **before** learning their examples: of
//! what a model has learned already it is far too sure. A row is `[squared_gradient_sum, slope, offset]`, and everything in it
//! adds.
//!
//! Source: Platt, "Probabilistic Outputs for Support Vector Machines", 1999; Duchi, Hazan, Singer, "Adaptive Subgradient
//! Methods", JMLR 12 (2011).

use crate::passive_aggressive::{Label, sigmoid};

/// Values of a row.
pub const WIDTH: usize = 3;
/// Where a row has the sum of its gradients' squared lengths.
pub const SQUARED_GRADIENT_SUM: usize = 0;
/// Where a row has the factor of the margin.
pub const SLOPE: usize = 1;
/// Where a row has what is added to it.
pub const OFFSET: usize = 2;

/// The row that nothing was learned on yet. Its slope is about what one comes to with features of unit norm.
pub const INITIAL: [f32; WIDTH] = [0.0, 4.0, 0.0];

/// Rate of the steps, which fall with the root of the gradients' sum.
const RATE: f32 = 1.0;
/// Where that sum begins, so that the first examples do not decide everything.
const INITIAL_SUM: f32 = 1.0;
/// Margins beyond this count as this: one of an absurd model must not throw the fit over.
const MOST: f32 = 10.0;

/// The probability of the positive class.
#[must_use]
pub fn probability(row: &[f32; WIDTH], margin: f32) -> f32 {
    sigmoid(row[SLOPE] * margin.clamp(-MOST, MOST) + row[OFFSET])
}

/// Learns that an example had this margin (before it was learned) and this label; a margin that is NaN is left out.
pub fn learn(row: &mut [f32; WIDTH], margin: f32, label: Label) {
    learn_weighted(row, margin, label, 1.0);
}

/// The same of an example that counts `weight` times.
pub fn learn_weighted(row: &mut [f32; WIDTH], margin: f32, label: Label, weight: f32) {
    if margin.is_nan() {
        return;
    }
    let margin = margin.clamp(-MOST, MOST);
    let target = if label == Label::Positive { 1.0 } else { 0.0 };
    let error = weight * (target - probability(row, margin));
    row[SQUARED_GRADIENT_SUM] += error * error * (margin * margin + 1.0);
    let step = RATE / (INITIAL_SUM + row[SQUARED_GRADIENT_SUM]).sqrt();
    row[SLOPE] += step * error * margin;
    row[OFFSET] += step * error;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_example_moves_the_row_as_worked_out_by_hand() {
        let mut row = [3.0, 0.0, 0.0];
        // p = 1/2, so the error is 1/2, the gradient (1/2)·(2, 1), its square 1.25, the step 1 / √5.25.
        learn(&mut row, 2.0, Label::Positive);
        let step = 1.0 / 5.25_f32.sqrt();
        for (found, expected) in row.iter().zip([4.25, step, step / 2.0]) {
            assert!((found - expected).abs() < 1e-6, "{row:?}");
        }
        let before = row;
        learn(&mut row, f32::NAN, Label::Negative);
        assert_eq!(row, before);
    }

    #[test]
    fn the_true_frequencies_are_found() {
        // Of margins of 1 three in four are positive, of margins of -1 one in ten: slope·1 + offset = ln 3, -slope + offset = -ln 9.
        let mut row = INITIAL;
        for turn in 0..40_000_u32 {
            let positive = |is: bool| if is { Label::Positive } else { Label::Negative };
            learn(&mut row, 1.0, positive(turn % 4 != 0));
            learn(&mut row, -1.0, positive(turn % 10 == 0));
        }
        assert!((probability(&row, 1.0) - 0.75).abs() < 0.02, "{row:?}");
        assert!((probability(&row, -1.0) - 0.1).abs() < 0.02, "{row:?}");
    }

    proptest! {
        #[test]
        fn no_margin_throws_it_over(examples in prop::collection::vec((any::<f32>(), any::<bool>()), 0..200)) {
            let mut row = INITIAL;
            for (margin, positive) in examples {
                learn(&mut row, margin, if positive { Label::Positive } else { Label::Negative });
                prop_assert!(row.iter().all(|value| value.is_finite()));
            }
            prop_assert!((0.0..=1.0).contains(&probability(&row, 0.3)));
        }
    }
}
