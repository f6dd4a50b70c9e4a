//! The formulas of [`super::learn`], one number at a time.

/// Step of a bias whose user or item has had `count` ratings: max(1 / (count + offset), floor).
///
/// The first part makes the bias an average of what was seen, pulled to 0 as by `offset` - 1 ratings more; the floor
/// keeps it able to follow change.
#[must_use]
pub fn bias_step(count: f32, offset: f32, floor: f32) -> f32 {
    (1.0 / (count + offset)).max(floor)
}

/// Step of a bias for a rating that counts as `weight` of them: max(weight / (count + offset + weight - 1),
/// min(weight · floor, 1)), which is [`bias_step`] for a weight of 1.
///
/// The first part is the step of an average that takes the rating in `weight` times at once; neither overshoots.
#[must_use]
pub fn weighted_bias_step(count: f32, weight: f32, offset: f32, floor: f32) -> f32 {
    // In this order a weight of 1 rounds as if there were none.
    (weight / (count + offset + (weight - 1.0))).max((weight * floor).min(1.0))
}

/// |g|² of the gradient g = error · other - regularisation · own, from the products of the two vectors:
/// error²·|other|² - 2·error·regularisation·(own·other) + regularisation²·|own|².
#[must_use]
pub fn squared_gradient(error: f32, regularisation: f32, other_other: f32, own_other: f32, own_own: f32) -> f32 {
    let squared = error * error * other_other - 2.0 * error * regularisation * own_other
        + regularisation * regularisation * own_own;
    // Rounding may leave a little less than nothing.
    squared.max(0.0)
}

/// `AdaGrad`'s step: rate / √(initial sum + sum so far, this gradient included).
#[must_use]
pub fn factor_step(rate: f32, initial_sum: f32, sum: f32) -> f32 {
    rate / (initial_sum + sum).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: f32, expected: f32) {
        assert!((found - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{found}, not {expected}");
    }

    #[test]
    fn bias_steps_fall_to_the_floor() {
        check(bias_step(0.0, 5.0, 0.05), 0.2);
        check(bias_step(5.0, 5.0, 0.05), 0.1);
        check(bias_step(14.0, 5.0, 0.05), 1.0 / 19.0);
        check(bias_step(15.0, 5.0, 0.05), 0.05);
        check(bias_step(1e9, 5.0, 0.05), 0.05);
    }

    #[test]
    fn weighted_bias_steps_are_those_of_repeated_averages() {
        for count in [0.0, 1.0, 7.5, 1e6] {
            assert_eq!(weighted_bias_step(count, 1.0, 5.0, 0.05), bias_step(count, 5.0, 0.05), "{count}");
        }
        // An average of 4 zeros and a 1 that counts three times is 3/7.
        check(weighted_bias_step(0.0, 3.0, 5.0, 0.0), 3.0 / 7.0);
        check(weighted_bias_step(1e9, 3.0, 5.0, 0.05), 0.15);
        check(weighted_bias_step(1e9, 1000.0, 5.0, 0.05), 1.0);
        check(weighted_bias_step(0.0, 0.5, 5.0, 0.0), 0.5 / 4.5);
    }

    #[test]
    fn squared_gradient_is_that_of_the_vector() {
        // own = (1, 2), other = (3, -1), error 2, regularisation 0.5: g = (6 - 0.5, -2 - 1), |g|² = 30.25 + 9.
        check(squared_gradient(2.0, 0.5, 10.0, 1.0, 5.0), 39.25);
        // Without regularisation e²·|other|²: 4 · 10.
        check(squared_gradient(2.0, 0.0, 10.0, 1.0, 5.0), 40.0);
        // error · other = regularisation · own: no gradient, and never less than none.
        check(squared_gradient(0.5, 0.5, 5.0, 5.0, 5.0), 0.0);
    }

    #[test]
    fn factor_steps_fall_with_the_root_of_the_sum() {
        check(factor_step(0.4, 1.0, 3.0), 0.2);
        check(factor_step(0.4, 1.0, 15.0), 0.1);
        check(factor_step(0.4, 4.0, 0.0), 0.2);
    }
}
