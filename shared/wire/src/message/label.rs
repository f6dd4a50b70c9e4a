//! What a message is said to be.

use serde::{Deserialize, Serialize};

use crate::event::{Reason, Reject, scalar};

/// The class of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// Unwanted.
    Spam,
    /// Wanted.
    Ham,
}

impl Label {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Spam, Self::Ham];

    /// The label's name in JSON: `spam` or `ham`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spam => "spam",
            Self::Ham => "ham",
        }
    }

    /// The label of this name, exactly.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.as_str() == name)
    }
}

/// The field `label`: `None` if it is absent or null.
pub(super) fn optional(raw: Option<&str>) -> Result<Option<Label>, Reject> {
    let Some(raw) = raw else { return Ok(None) };
    match scalar::Kind::of(raw) {
        scalar::Kind::Null => Ok(None),
        scalar::Kind::String => {
            let name = scalar::text("label", raw)?;
            let unknown = || {
                let detail = format!("is \"{}\", a label is \"spam\" or \"ham\"", scalar::Shown(&name));
                Reject::new(Reason::UnknownLabel, "label", detail)
            };
            Label::named(&name).ok_or_else(unknown).map(Some)
        }
        other => Err(scalar::wrong_type("label", "\"spam\" or \"ham\"", other)),
    }
}
