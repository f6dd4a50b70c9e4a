//! What a message is said to be.

use std::fmt;

use serde::de::{Deserializer, Error as _};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::event::{Reason, Reject, scalar};

/// Longest name of a label in bytes.
pub const MAX_LABEL_BYTES: usize = 24;

/// The class of a message, by its name: 1 to [`MAX_LABEL_BYTES`] of the characters a-z, 0-9, `_` and `-`.
///
/// Which labels there are is a model's business; [`Label::ALL`] are those of a model that was told nothing else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// The name, and zeros.
    bytes: [u8; MAX_LABEL_BYTES],
}

impl Label {
    /// Unwanted.
    pub const SPAM: Self = Self { bytes: *b"spam\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" };
    /// Wanted.
    pub const HAM: Self = Self { bytes: *b"ham\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" };
    /// Both.
    pub const ALL: [Self; 2] = [Self::SPAM, Self::HAM];

    /// The label's name in JSON, such as `spam`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII is ever put in.
        str::from_utf8(&self.bytes).unwrap_or_default().trim_end_matches('\0')
    }

    /// The label of this name; none if no label can be called so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        if name.is_empty() || name.len() > MAX_LABEL_BYTES || !name.bytes().all(is_allowed) {
            return None;
        }
        let mut bytes = [0; MAX_LABEL_BYTES];
        bytes.iter_mut().zip(name.bytes()).for_each(|(place, byte)| *place = byte);
        Some(Self { bytes })
    }

    /// The one of these that is called so.
    #[must_use]
    pub fn among(labels: &[Self], name: &str) -> Option<Self> {
        labels.iter().copied().find(|label| label.as_str() == name)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::named(&name)
            .ok_or_else(|| D::Error::custom(format!("\"{}\" is no name of a label", scalar::Shown(&name))))
    }
}

/// The labels that there are, for the end of an error.
fn known(labels: &[Label]) -> String {
    labels.iter().map(|label| format!("\"{}\"", label.as_str())).collect::<Vec<_>>().join(" or ")
}

/// The field `label`, one of `labels`: `None` if it is absent or null.
pub(super) fn optional(raw: Option<&str>, labels: &[Label]) -> Result<Option<Label>, Reject> {
    let Some(raw) = raw else { return Ok(None) };
    match scalar::Kind::of(raw) {
        scalar::Kind::Null => Ok(None),
        scalar::Kind::String => {
            let name = scalar::text("label", raw)?;
            let unknown = || {
                let detail = format!("is \"{}\", a label is {}", scalar::Shown(&name), known(labels));
                Reject::new(Reason::UnknownLabel, "label", detail)
            };
            Label::among(labels, &name).ok_or_else(unknown).map(Some)
        }
        other => Err(scalar::wrong_type("label", &known(labels), other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_and_what_is_no_name_is_none() {
        for name in ["spam", "ham", "phishing", "news-letter_2", "abcdefghijklmnopqrstuvwx"] {
            let label = Label::named(name).unwrap();
            assert_eq!((label.as_str(), serde_json::to_string(&label).unwrap()), (name, format!("\"{name}\"")));
            assert_eq!(serde_json::from_str::<Label>(&format!("\"{name}\"")).unwrap(), label);
        }
        assert_eq!((Label::named("spam"), Label::named("ham")), (Some(Label::SPAM), Some(Label::HAM)));
        for name in ["", "Spam", "s p", "schön", "abcdefghijklmnopqrstuvwxy", "a\0"] {
            assert_eq!(Label::named(name), None, "{name}");
        }
    }
}
