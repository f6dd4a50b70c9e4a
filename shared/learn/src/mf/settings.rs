//! Hyper-parameters and their limits.

use super::FACTORS;
use crate::error::{Error, in_range};

/// The hyper-parameters as somebody wrote them; [`Settings::try_from`] checks them.
///
/// The defaults suit ratings of 1 to 5 stars and of 0 to 10 alike. Progressive RMSE with them, in time order (running mean; biases
/// only; with 16 factors): `MovieTweetings` 100K 1.879; 1.592; 1.588 · `MovieLens` latest-small 1.043; .860; .852 · `MovieLens`
/// 100K 1.126; .945; .933. For a much wider scale, rate and first factor grow with the root of the scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HyperParameters {
    /// Factors of a user or item, 0 (biases only) to 1024.
    pub factors: usize,
    /// `AdaGrad`'s rate of the factors, 0 to 10.
    pub factor_rate: f32,
    /// Where the sums of squared gradients begin: the larger, the slower the first steps. 1e-6 to 1e6.
    pub initial_sum: f32,
    /// The least step of a user's bias, 0 to 1: 0 is a plain average, larger follows change faster.
    pub user_bias_floor: f32,
    /// The least step of an item's bias, 0 to 1. Above 0, batches that learn side by side from the same rows drive the biases of popular
    /// items apart, further with each round, as soon as a batch has about 1 / (floor · batches) ratings of one item.
    pub item_bias_floor: f32,
    /// The first step of a bias is 1 / this, 1 to 1000.
    pub bias_offset: f32,
    /// Pull of the factors to 0, 0 to 1.
    pub regularisation: f32,
    /// Standard deviation of the initial factors, 0 to 10.
    pub initial_sd: f32,
    /// Where a user's first factor begins, 0 to 10.
    pub initial_user_factor: f32,
}

impl Default for HyperParameters {
    fn default() -> Self {
        Self {
            factors: 16,
            factor_rate: 0.4,
            initial_sum: 1.0,
            user_bias_floor: 0.06,
            item_bias_floor: 0.0,
            bias_offset: 5.0,
            regularisation: 0.01,
            initial_sd: 0.03,
            initial_user_factor: 0.35,
        }
    }
}

crate::error::checked_settings!(check);

/// Which values are allowed.
fn check(values: HyperParameters) -> Result<(), Error> {
    in_range("factors", values.factors as f64, 0.0, 1024.0)?;
    in_range("factor_rate", values.factor_rate.into(), 0.0, 10.0)?;
    in_range("initial_sum", values.initial_sum.into(), 1e-6, 1e6)?;
    in_range("user_bias_floor", values.user_bias_floor.into(), 0.0, 1.0)?;
    in_range("item_bias_floor", values.item_bias_floor.into(), 0.0, 1.0)?;
    in_range("bias_offset", values.bias_offset.into(), 1.0, 1000.0)?;
    in_range("regularisation", values.regularisation.into(), 0.0, 1.0)?;
    in_range("initial_sd", values.initial_sd.into(), 0.0, 10.0)?;
    in_range("initial_user_factor", values.initial_user_factor.into(), 0.0, 10.0)?;
    Ok(())
}

impl Settings {
    /// Values of a row.
    #[must_use]
    pub fn width(&self) -> usize {
        FACTORS + self.0.factors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_allowed() {
        let settings = Settings::try_from(HyperParameters::default());
        assert_eq!(settings.map(|settings| settings.width()), Ok(19));
    }

    #[test]
    fn refusals_quote_the_value() {
        let check = |values: HyperParameters, expected: &str| {
            let message = Settings::try_from(values).map_err(|error| error.to_string());
            assert_eq!(message, Err(expected.to_owned()));
        };
        let values = HyperParameters::default();
        check(HyperParameters { factors: 1025, ..values }, "factors must be a number from 0 to 1024, not 1025");
        check(HyperParameters { factor_rate: -1.0, ..values }, "factor_rate must be a number from 0 to 10, not -1");
        check(
            HyperParameters { initial_sum: 0.0, ..values },
            "initial_sum must be a number from 0.000001 to 1000000, not 0",
        );
        check(HyperParameters { bias_offset: 0.5, ..values }, "bias_offset must be a number from 1 to 1000, not 0.5");
        check(HyperParameters { initial_sd: f32::NAN, ..values }, "initial_sd must be a number from 0 to 10, not NaN");
        let infinite = HyperParameters { regularisation: f32::INFINITY, ..values };
        check(infinite, "regularisation must be a number from 0 to 1, not inf");
    }
}
