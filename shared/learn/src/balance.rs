//! Classes of which there are very different numbers of labels.
//!
//! Of a hundred spam messages and one of ham, a classifier learns above all that everything is spam: whatever messages have in common
//! speaks for the class that has had more of them. So a message of the class that is ahead counts less once it is ahead by more
//! than a ratio, for the classifier and for the calibration, and no probability is surer than what has been seen of the other class allows.
//!
//! After 500 spam messages and 5 of ham of the SMS Spam Collection (`AdaGrad`), 41 % of other ham is taken for spam, none of it is rejected, and all
//! other spam is found (`cargo test -p weir-tests --test spam a_hundred -- --nocapture`). Without this, after 600 and 6, 94 % of the ham had a margin
//! above 0, with PA-I 99.8 %.
//!
//! Source of the bound: Laplace's rule of succession, (n + 1) / (n + 2).

use crate::error::{Error, in_range};

/// How far one class may be ahead, checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio(f32);

impl Default for Ratio {
    /// Far enough that ordinary streams, in which ham is several times as frequent, are learned as they come.
    fn default() -> Self {
        Self(10.0)
    }
}

impl TryFrom<f32> for Ratio {
    type Error = Error;

    /// From 1 to 1e6.
    fn try_from(ratio: f32) -> Result<Self, Error> {
        in_range("balance", ratio.into(), 1.0, 1e6)?;
        Ok(Self(ratio))
    }
}

impl Ratio {
    /// How much one more example counts of a class that has had `own`, where the others have had `other`: 1 until it is ahead
    /// by the ratio; beyond, at r times as many, 1 / r, so that it weighs no more than it would in a balanced stream.
    #[must_use]
    pub fn weight(self, own: u64, other: u64) -> f32 {
        let ahead = (own as f32 + 1.0) / (other as f32 + 1.0);
        if ahead <= self.0 { 1.0 } else { 1.0 / ahead }
    }

    /// Whether one of two classes is ahead by more than the ratio, so that margins of 0 say little.
    #[must_use]
    pub fn is_lopsided(self, one: u64, other: u64) -> bool {
        self.weight(one, other) < 1.0 || self.weight(other, one) < 1.0
    }
}

/// The most that a probability may be of which the opposite was seen `opposite` times: (n + 1) / (n + 2). Who has never seen
/// the opposite does not know more than that it is one of two.
#[must_use]
pub fn surest(opposite: u64) -> f32 {
    (opposite as f32 + 1.0) / (opposite as f32 + 2.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ratio(ratio: f32) -> Ratio {
        Ratio::try_from(ratio).unwrap()
    }

    #[test]
    fn weights_are_those_worked_out_by_hand() {
        // (19 + 1) / (1 + 1) = 10 is not beyond 10; 40 / 2 = 20; 400 / 2 = 200.
        assert_eq!(ratio(10.0).weight(19, 1), 1.0);
        assert_eq!(ratio(10.0).weight(39, 1), 0.05);
        assert_eq!(ratio(10.0).weight(399, 1), 0.005);
        assert_eq!(ratio(10.0).weight(1, 399), 1.0);
        assert!(ratio(10.0).is_lopsided(1, 399) && !ratio(10.0).is_lopsided(19, 1));
        assert_eq!((surest(0), surest(1), surest(98)), (0.5, 2.0 / 3.0, 0.99));
    }

    #[test]
    fn refusals_quote_the_value() {
        let refused = Ratio::try_from(0.5).unwrap_err().to_string();
        assert_eq!(refused, "balance must be a number from 1 to 1000000, not 0.5");
    }

    proptest! {
        #[test]
        fn only_the_class_that_is_ahead_counts_less(own in 0..1_000_000_u64, other in 0..1_000_000_u64, limit in 1.0_f32..1e4) {
            let weight = ratio(limit).weight(own, other);
            prop_assert!(weight > 0.0 && weight <= 1.0);
            prop_assert!(own > other || weight == 1.0);
            prop_assert!(ratio(limit).weight(own + 1_000, other) <= weight);
        }
    }
}
