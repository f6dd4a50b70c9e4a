//! Passive-Aggressive learning of one class: a centre that all examples lie around, within a radius.
//!
//! Source: Crammer et al. 2006, section 6, for a given radius.

use super::{Settings, step};

/// Euclidean distance.
#[must_use]
pub fn distance(centre: &[f32], example: &[f32]) -> f32 {
    centre.iter().zip(example).map(|(w, y)| (y - w) * (y - w)).sum::<f32>().sqrt()
}

/// max(0, distance - radius).
#[must_use]
pub fn loss(distance: f32, radius: f32) -> f32 {
    (distance - radius).max(0.0)
}

/// Moves the centre towards an example that lies beyond the radius: w += τ·(y - w) / |y - w|. Returns the loss from before.
pub fn learn(settings: &Settings, centre: &mut [f32], example: &[f32], radius: f32) -> f32 {
    let distance = distance(centre, example);
    let loss = loss(distance, radius);
    if loss > 0.0 {
        // The direction has length 1, which is the squared norm that the step is of.
        let share = step(settings, loss, 1.0) / distance;
        for (w, y) in centre.iter_mut().zip(example) {
            *w += share * (y - *w);
        }
    }
    loss
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::passive_aggressive::{HyperParameters, Variant};

    #[test]
    fn the_centre_moves_as_worked_out_by_hand() {
        // From (0, 0) to (3, 4) it is 5, beyond the radius of 1 the loss is 4; C = 0.5: steps 4, 0.5, 4 / (1 + 1).
        for (variant, step) in [(Variant::Pa, 4.0), (Variant::PaI, 0.5), (Variant::PaII, 2.0)] {
            let settings = Settings::try_from(HyperParameters { variant, aggressiveness: 0.5 }).unwrap();
            let mut centre = [0.0, 0.0];
            assert_eq!(learn(&settings, &mut centre, &[3.0, 4.0], 1.0), 4.0);
            for (found, expected) in centre.iter().zip([0.6 * step, 0.8 * step]) {
                assert!((found - expected).abs() < 1e-6, "{variant:?}: {centre:?}");
            }
        }
    }

    #[test]
    fn what_lies_within_the_radius_moves_nothing() {
        let mut centre = [1.0, 1.0];
        assert_eq!(learn(&Settings::default(), &mut centre, &[1.0, 1.5], 0.5), 0.0);
        assert_eq!(centre, [1.0, 1.0]);
        assert_eq!(learn(&Settings::default(), &mut centre, &[1.0, 1.0], 0.0), 0.0, "no direction, and no need of one");
    }
}
