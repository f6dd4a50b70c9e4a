//! Passive-Aggressive regression: numbers are predicted, and an error within a tolerance teaches nothing.
//!
//! Source: Crammer et al. 2006, section 5.

use super::{Settings, step};

/// The tolerant loss: max(0, |prediction - target| - epsilon), and 0 of what is NaN.
#[must_use]
pub fn loss(prediction: f32, target: f32, epsilon: f32) -> f32 {
    ((prediction - target).abs() - epsilon).max(0.0)
}

/// What is to be added to the weights of an example's features, as often as their values: sign(target - prediction)·τ.
#[must_use]
pub fn lesson(settings: &Settings, prediction: f32, target: f32, epsilon: f32, norm_squared: f32) -> f32 {
    let loss = loss(prediction, target, epsilon);
    if loss == 0.0 { 0.0 } else { (target - prediction).signum() * step(settings, loss, norm_squared) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::passive_aggressive::{HyperParameters, Variant};

    fn settings(variant: Variant) -> Settings {
        Settings::try_from(HyperParameters { variant, aggressiveness: 0.25 }).unwrap()
    }

    #[test]
    fn lessons_are_those_worked_out_by_hand() {
        // 2 predicted for 5, 0.5 tolerated: the loss is 2.5, |x|² = 4.
        for (variant, expected) in [(Variant::Pa, 0.625), (Variant::PaI, 0.25), (Variant::PaII, 2.5 / 6.0)] {
            assert!((lesson(&settings(variant), 2.0, 5.0, 0.5, 4.0) - expected).abs() < 1e-6);
            assert!((lesson(&settings(variant), 5.0, 2.0, 0.5, 4.0) + expected).abs() < 1e-6, "downwards");
        }
        assert_eq!(lesson(&settings(Variant::Pa), 2.0, 2.5, 0.5, 4.0), 0.0);
        assert_eq!(loss(f32::NAN, 1.0, 0.1), 0.0);
    }

    proptest! {
        #[test]
        fn pa_leaves_just_what_is_tolerated(weight in -5.0_f32..5.0, x in 0.1_f32..3.0, target in -9.0_f32..9.0, epsilon in 0.0_f32..1.0) {
            let after = weight + lesson(&settings(Variant::Pa), weight * x, target, epsilon, x * x) * x;
            prop_assert!(loss(after * x, target, epsilon) < 1e-3);
        }
    }
}
