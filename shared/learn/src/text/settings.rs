//! Hyper-parameters of features and their limits.

use crate::error::{Error, in_range};

/// The hyper-parameters as somebody wrote them; [`Settings::try_from`] checks them. A model that learned with some knows nothing under
/// other slots or another seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HyperParameters {
    /// Seed of the features' hashes.
    pub seed: u64,
    /// The binary logarithm of the number of slots, 8 to 31.
    pub slot_bits: u32,
    /// Bytes of a text that are read, 64 to 2^24: of a longer one the first half of that and the last half.
    pub max_bytes: usize,
    /// Features of a text, 16 to 2^24: of more, those with the smallest slots are kept, which are the same for all texts.
    pub max_features: usize,
}

impl Default for HyperParameters {
    fn default() -> Self {
        Self { seed: 1, slot_bits: 22, max_bytes: 10_240, max_features: 8_192 }
    }
}

/// Checked hyper-parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings(HyperParameters);

impl TryFrom<HyperParameters> for Settings {
    type Error = Error;

    fn try_from(values: HyperParameters) -> Result<Self, Error> {
        let most = f64::from(1 << 24);
        in_range("slot_bits", values.slot_bits.into(), 8.0, 31.0)?;
        in_range("max_bytes", values.max_bytes as f64, 64.0, most)?;
        in_range("max_features", values.max_features as f64, 16.0, most)?;
        Ok(Self(values))
    }
}

impl Settings {
    /// All of them.
    #[must_use]
    pub fn values(&self) -> &HyperParameters {
        &self.0
    }

    /// Number of slots.
    #[must_use]
    pub fn slots(&self) -> u32 {
        1 << self.0.slot_bits
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
        check(HyperParameters { slot_bits: 32, ..values }, "slot_bits must be a number from 8 to 31, not 32");
        check(HyperParameters { max_bytes: 63, ..values }, "max_bytes must be a number from 64 to 16777216, not 63");
        check(
            HyperParameters { max_features: 0, ..values },
            "max_features must be a number from 16 to 16777216, not 0",
        );
        assert_eq!(Settings::try_from(values).map(|settings| settings.slots()), Ok(4_194_304));
    }
}
