//! Hyper-parameters and their limits.

use super::{ITEM_FACTORS, Loss, USER_FACTORS, negatives::Source};
use crate::error::{Error, in_range};

/// The hyper-parameters as somebody wrote them; [`Settings::try_from`] checks them.
///
/// The defaults on `MovieTweetings` 100K: of the choices among its last 20,000 events, NDCG@10 and recall@10 with batches of 32 .104 and
/// .186; of 2,048 .098 and .176; with 3 batches of 512 side by side .093 and .170, with 12 of 256 .079 and .156. Popularity
/// with half-lives of 7, 30 and 90 days comes to .099 and .185, .070 and .150, .053 and .123, without one to .043 and .098.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HyperParameters {
    /// Factors of a user or item, 0 (a popularity that is learned) to 1024.
    pub factors: usize,
    /// `AdaGrad`'s rate of the factors, 0 to 10.
    pub factor_rate: f32,
    /// `AdaGrad`'s rate of the items' biases, 0 to 10.
    pub bias_rate: f32,
    /// Where the sums of squared gradients begin: the larger, the slower the first steps. 1e-6 to 1e6.
    pub initial_sum: f32,
    /// Pull of the factors to 0, 0 to 1.
    pub regularisation: f32,
    /// Standard deviation of the initial factors, 0 to 10.
    pub initial_sd: f32,
    /// Where a user's first factor begins, 0 to 10.
    pub initial_user_factor: f32,
    /// Items drawn for each that was chosen, 1 to 100.
    pub negatives: usize,
    /// Out of the items of how many events they are drawn, 1 to 2^20; a larger batch's own are all used.
    pub window: usize,
    /// How they are drawn.
    pub source: Source,
    /// What learning makes smaller.
    pub loss: Loss,
}

impl Default for HyperParameters {
    fn default() -> Self {
        Self {
            factors: 16,
            factor_rate: 0.13,
            bias_rate: 0.02,
            initial_sum: 30.0,
            regularisation: 0.01,
            initial_sd: 0.03,
            initial_user_factor: 1.5,
            negatives: 4,
            window: 512,
            source: Source::Uniform,
            loss: Loss::SquaredError,
        }
    }
}

crate::error::checked_settings!(check);

/// Which values are allowed.
fn check(values: HyperParameters) -> Result<(), Error> {
    in_range("factors", values.factors as f64, 0.0, 1024.0)?;
    in_range("factor_rate", values.factor_rate.into(), 0.0, 10.0)?;
    in_range("bias_rate", values.bias_rate.into(), 0.0, 10.0)?;
    in_range("initial_sum", values.initial_sum.into(), 1e-6, 1e6)?;
    in_range("regularisation", values.regularisation.into(), 0.0, 1.0)?;
    in_range("initial_sd", values.initial_sd.into(), 0.0, 10.0)?;
    in_range("initial_user_factor", values.initial_user_factor.into(), 0.0, 10.0)?;
    in_range("negatives", values.negatives as f64, 1.0, 100.0)?;
    in_range("window", values.window as f64, 1.0, f64::from(1 << 20))?;
    Ok(())
}

impl Settings {
    /// Values of a user's row.
    #[must_use]
    pub fn user_width(&self) -> usize {
        USER_FACTORS + self.0.factors
    }

    /// Values of an item's row.
    #[must_use]
    pub fn item_width(&self) -> usize {
        ITEM_FACTORS + self.0.factors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_quote_the_value() {
        let check = |values: HyperParameters, expected: &str| {
            let message = Settings::try_from(values).map_err(|error| error.to_string());
            assert_eq!(message, Err(expected.to_owned()));
        };
        let values = HyperParameters::default();
        assert_eq!(Settings::try_from(values).map(|s| (s.user_width(), s.item_width())), Ok((19, 18)));
        check(HyperParameters { factors: 1025, ..values }, "factors must be a number from 0 to 1024, not 1025");
        check(HyperParameters { bias_rate: -1.0, ..values }, "bias_rate must be a number from 0 to 10, not -1");
        check(HyperParameters { negatives: 0, ..values }, "negatives must be a number from 1 to 100, not 0");
        check(HyperParameters { window: 0, ..values }, "window must be a number from 1 to 1048576, not 0");
    }
}
