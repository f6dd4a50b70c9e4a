//! Logistic regression by FTRL-Proximal: follow the leader that all gradients so far point to, kept from moving far.
//!
//! A feature's row is `[z, n]`: the sum of its gradients, each less what keeps the weight where it was, and the sum of their squares.
//! Both **add**. The weight is computed from them when it is needed; with an L1 penalty it is exactly 0 for most features.
//!
//! Source: `McMahan` et al., "Ad Click Prediction: a View from the Trenches", KDD 2013, algorithm 1 (per-coordinate FTRL-Proximal).

use crate::{
    error::{Error, in_range},
    passive_aggressive::{Label, sigmoid},
};

/// Values of a feature's row.
pub const WIDTH: usize = 2;
/// Where a row has z.
pub const GRADIENTS: usize = 0;
/// Where it has n.
pub const SQUARES: usize = 1;

/// The hyper-parameters as somebody wrote them; [`Settings::try_from`] checks them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HyperParameters {
    /// The paper's α, 1e-4 to 1e3: the rate.
    pub rate: f32,
    /// The paper's β, 1e-6 to 1e3: holds back the first steps. Features of unit norm have small gradients, so it must be small.
    pub smoothing: f32,
    /// The paper's λ1, 0 to 1e3: weights that little speaks for are 0.
    pub l1: f32,
    /// The paper's λ2, 0 to 1e3: all weights are drawn to 0.
    pub l2: f32,
}

impl Default for HyperParameters {
    fn default() -> Self {
        Self { rate: 1.0, smoothing: 0.03, l1: 0.0, l2: 0.0 }
    }
}

crate::error::checked_settings!(check);

/// Which values are allowed.
fn check(values: HyperParameters) -> Result<(), Error> {
    in_range("rate", values.rate.into(), 1e-4, 1e3)?;
    in_range("smoothing", values.smoothing.into(), 1e-6, 1e3)?;
    in_range("l1", values.l1.into(), 0.0, 1e3)?;
    in_range("l2", values.l2.into(), 0.0, 1e3)?;
    Ok(())
}

/// The weight that a row stands for: 0 if |z| ≤ λ1, else -(z - sgn(z)·λ1) / ((β + √n) / α + λ2).
#[must_use]
pub fn weight(settings: &Settings, z: f32, n: f32) -> f32 {
    let HyperParameters { rate, smoothing, l1, l2 } = settings.0;
    if z.abs() <= l1 {
        return 0.0;
    }
    -(z - z.signum() * l1) / ((smoothing + n.max(0.0).sqrt()) / rate + l2)
}

/// The gradient of the log loss by each weight, times `weight`: (p - y)·value, with y 1 or 0.
#[must_use]
pub fn gradient(margin: f32, value: f32, label: Label, weight: f32) -> f32 {
    let truth = if label == Label::Positive { 1.0 } else { 0.0 };
    weight * (sigmoid(margin) - truth) * value
}

/// Learns a gradient on the rows of its features: σ = (√(n + g²) - √n) / α, z += g - σ·w, n += g².
pub fn learn(settings: &Settings, rows: &mut [f32], gradient: f32) {
    let square = gradient * gradient;
    for row in rows.chunks_exact_mut(WIDTH) {
        let (z, n) = (row[GRADIENTS], row[SQUARES].max(0.0));
        let sigma = ((n + square).sqrt() - n.sqrt()) / settings.0.rate;
        row[GRADIENTS] += gradient - sigma * weight(settings, z, n);
        row[SQUARES] += square;
    }
}

/// Takes a gradient back. The rates that it slowed stay slower.
pub fn take_back(rows: &mut [f32], gradient: f32) {
    for row in rows.chunks_exact_mut(WIDTH) {
        row[GRADIENTS] -= gradient;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(values: HyperParameters) -> Settings {
        Settings::try_from(values).unwrap()
    }

    fn check(found: f32, expected: f32) {
        assert!((found - expected).abs() < 1e-6, "{found}, not {expected}");
    }

    #[test]
    fn weights_are_those_of_the_paper() {
        let settings = settings(HyperParameters { rate: 0.5, smoothing: 1.0, l1: 0.25, l2: 2.0 });
        // (1 + √4) / 0.5 + 2 = 8.
        check(weight(&settings, 1.05, 4.0), -0.1);
        check(weight(&settings, -1.05, 4.0), 0.1);
        assert_eq!(weight(&settings, 0.25, 4.0), 0.0);
    }

    #[test]
    fn one_gradient_moves_its_row_as_worked_out_by_hand() {
        let settings = settings(HyperParameters { rate: 0.5, smoothing: 1.0, l1: 0.0, l2: 0.0 });
        // n = 9, g = 4: σ = (5 - 3) / 0.5 = 4; w = -(-1.6) / ((1 + 3) / 0.5) = 0.2; z = -1.6 + 4 - 4 · 0.2 = 1.6; n = 25.
        let mut rows = [-1.6, 9.0];
        learn(&settings, &mut rows, 4.0);
        check(rows[0], 1.6);
        check(rows[1], 25.0);
        take_back(&mut rows, 4.0);
        check(rows[0], -2.4);
    }

    #[test]
    fn gradients_are_what_the_probability_lacks() {
        check(gradient(0.0, 0.5, Label::Positive, 1.0), -0.25);
        check(gradient(3.0_f32.ln(), 1.0, Label::Negative, 2.0), 1.5);
    }

    #[test]
    fn two_classes_are_told_apart() {
        let settings = settings(HyperParameters::default());
        let mut rows = [[0.0; 4], [0.0; 4]];
        for turn in 0..200 {
            let (rows, label) = (&mut rows[turn % 2], [Label::Positive, Label::Negative][turn % 2]);
            let margin = rows.chunks(2).map(|row| weight(&settings, row[0], row[1])).sum::<f32>() * 0.5;
            learn(&settings, rows, gradient(margin, 0.5, label, 1.0));
        }
        let margins = rows.map(|rows| rows.chunks(2).map(|row| weight(&settings, row[0], row[1])).sum::<f32>() * 0.5);
        assert!(margins[0] > 2.0 && margins[1] < -2.0, "{margins:?}");
    }

    #[test]
    fn refusals_quote_the_value() {
        let refused = Settings::try_from(HyperParameters { rate: -1.0, ..HyperParameters::default() });
        assert_eq!(refused.unwrap_err().to_string(), "rate must be a number from 0.0001 to 1000, not -1");
    }
}
