//! The name of a generation: `g1`, `g2` and so on.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One generation of a model, by its number from 1 on. Text in topics, frames and answers: `g` and the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Generation(NonZeroU32);

/// A text that names no generation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:.40?} names no generation: write g and a number from 1 on, as in g2")]
pub struct NoGeneration(String);

impl Generation {
    /// The one that a model begins with.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// The one after this; none after the last that there are numbers for.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "g{}", self.0)
    }
}

impl FromStr for Generation {
    type Err = NoGeneration;

    fn from_str(text: &str) -> Result<Self, NoGeneration> {
        let number = text.strip_prefix('g').and_then(|digits| digits.parse().ok()).map(Self);
        // Each has one name only, or topics of one generation would go by two: no sign, no leading zero.
        number.filter(|generation| generation.to_string() == text).ok_or_else(|| NoGeneration(text.to_owned()))
    }
}

impl From<Generation> for String {
    fn from(generation: Generation) -> Self {
        generation.to_string()
    }
}

impl TryFrom<String> for Generation {
    type Error = NoGeneration;

    fn try_from(text: String) -> Result<Self, NoGeneration> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_has_one_name() {
        assert_eq!("g1".parse(), Ok(Generation::FIRST));
        let second = Generation::FIRST.next().unwrap();
        assert_eq!((second.to_string().as_str(), "g2".parse()), ("g2", Ok(second)));
        for text in ["", "g", "g0", "g01", "g+1", "G1", "1", "g-1", "g4294967296", "g1 ", "g٢"] {
            assert_eq!(text.parse::<Generation>(), Err(NoGeneration(text.to_owned())));
        }
        let last: Generation = "g4294967295".parse().unwrap();
        assert_eq!(last.next(), None);
        assert!(second < "g10".parse().unwrap(), "they are ordered by number, not by text");
    }
}
