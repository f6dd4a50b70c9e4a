//! Settings that make no sense.

/// A setting outside of its range; each message quotes the value.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A number that must lie in a range does not, or is NaN.
    #[error("{setting} must be a number from {from} to {to}, not {value}")]
    Range {
        /// Name of the setting.
        setting: &'static str,
        /// Smallest value allowed.
        from: f64,
        /// Largest value allowed.
        to: f64,
        /// The value given.
        value: f64,
    },
}

/// `value` if it lies within `from..=to`.
pub(crate) fn in_range(setting: &'static str, value: f64, from: f64, to: f64) -> Result<(), Error> {
    if (from..=to).contains(&value) { Ok(()) } else { Err(Error::Range { setting, from, to, value }) }
}

/// Makes `Settings` of a module's `HyperParameters`: those that the function `$check` has let through.
macro_rules! checked_settings {
    ($check:ident) => {
        /// Checked hyper-parameters.
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct Settings(HyperParameters);

        impl TryFrom<HyperParameters> for Settings {
            type Error = $crate::error::Error;

            fn try_from(values: HyperParameters) -> Result<Self, Self::Error> {
                $check(values)?;
                Ok(Self(values))
            }
        }

        impl Settings {
            /// All of them.
            #[must_use]
            pub fn values(&self) -> &HyperParameters {
                &self.0
            }
        }
    };
}
pub(crate) use checked_settings;
