//! Logistic regression by `AdaGrad`: each feature's steps fall with the gradients that it has had.
//!
//! A feature's row is `[weight, squares]`: the weight, and the sum of its gradients' squares. Both **add**.
//!
//! Source: Duchi, Hazan, Singer, "Adaptive Subgradient Methods", JMLR 12 (2011), equation 1 with the diagonal of G: x - η·g / √(δ + Σ g²).

use crate::{
    error::{Error, in_range},
    ftrl,
    passive_aggressive::Label,
};

/// Values of a feature's row.
pub const WIDTH: usize = 2;
/// Where a row has the weight.
pub const WEIGHT: usize = 0;
/// Where it has the sum of the gradients' squares.
pub const SQUARES: usize = 1;

/// The hyper-parameters as somebody wrote them; [`Settings::try_from`] checks them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HyperParameters {
    /// The paper's η, 1e-4 to 1e3.
    pub rate: f32,
    /// The paper's δ, 1e-12 to 1e3: where the sum of squares begins. Features of unit norm have small gradients, so it must be small.
    pub initial_sum: f32,
    /// How far a probability may be off and still teach nothing, 0 to 0.5. Of what is known well enough more examples would only slow
    /// the steps of what is not.
    pub tolerance: f32,
}

impl Default for HyperParameters {
    fn default() -> Self {
        Self { rate: 1.0, initial_sum: 5e-4, tolerance: 0.05 }
    }
}

crate::error::checked_settings!(check);

/// Which values are allowed.
fn check(values: HyperParameters) -> Result<(), Error> {
    in_range("rate", values.rate.into(), 1e-4, 1e3)?;
    in_range("initial_sum", values.initial_sum.into(), 1e-12, 1e3)?;
    in_range("tolerance", values.tolerance.into(), 0.0, 0.5)?;
    Ok(())
}

/// The rate of a feature whose gradients' squares sum to this: η / √(δ + Σ g²).
#[must_use]
pub fn rate(settings: &Settings, squares: f32) -> f32 {
    settings.0.rate / (settings.0.initial_sum + squares.max(0.0)).sqrt()
}

/// The gradient of the log loss by each weight, times `weight`; 0 where the probability is off by no more than is tolerated.
#[must_use]
pub fn gradient(settings: &Settings, margin: f32, value: f32, label: Label, weight: f32) -> f32 {
    let gradient = ftrl::gradient(margin, 1.0, label, 1.0);
    if gradient.abs() < settings.0.tolerance { 0.0 } else { gradient * value * weight }
}

/// Learns a gradient on the rows of its features; it counts towards its own rate.
pub fn learn(settings: &Settings, rows: &mut [f32], gradient: f32) {
    let square = gradient * gradient;
    for row in rows.chunks_exact_mut(WIDTH) {
        row[SQUARES] += square;
        row[WEIGHT] -= rate(settings, row[SQUARES]) * gradient;
    }
}

/// Takes a gradient back at the rate of today.
pub fn take_back(settings: &Settings, rows: &mut [f32], gradient: f32) {
    for row in rows.chunks_exact_mut(WIDTH) {
        row[WEIGHT] += rate(settings, row[SQUARES]) * gradient;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: &[f32], expected: &[f32]) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found}, not {expected}");
        }
    }

    #[test]
    fn one_gradient_moves_its_row_as_worked_out_by_hand() {
        let settings = Settings::try_from(HyperParameters { rate: 2.0, initial_sum: 4.0, tolerance: 0.0 }).unwrap();
        // 4 + 5 + 4² = 25, so the rate is 2 / 5.
        let mut rows = [0.3, 5.0];
        learn(&settings, &mut rows, 4.0);
        check(&rows, &[0.3 - 1.6, 21.0]);
        take_back(&settings, &mut rows, 4.0);
        check(&rows, &[0.3, 21.0]);
    }

    #[test]
    fn what_is_known_well_enough_teaches_nothing() {
        let settings = Settings::try_from(HyperParameters { tolerance: 0.25, ..HyperParameters::default() }).unwrap();
        // ln 3 is a probability of 3/4, ln 4 one of 4/5.
        assert!((gradient(&settings, 2.999_f32.ln(), 0.5, Label::Positive, 2.0) + 0.25).abs() < 1e-3);
        assert_eq!(gradient(&settings, 4.0_f32.ln(), 0.5, Label::Positive, 2.0), 0.0);
        assert!((gradient(&settings, 4.0_f32.ln(), 0.5, Label::Negative, 2.0) - 0.8).abs() < 1e-6);
    }

    #[test]
    fn refusals_quote_the_value() {
        let refused = Settings::try_from(HyperParameters { initial_sum: f32::NAN, ..HyperParameters::default() });
        assert!(refused.unwrap_err().to_string().starts_with("initial_sum must be a number from"));
    }
}
