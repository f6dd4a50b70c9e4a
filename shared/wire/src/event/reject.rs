//! Why an event was refused.

use std::fmt;

/// The closed list of reasons: label of a metric, header of the rejected record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Not JSON, or cut.
    UndecodableJson,
    /// Bytes that are not UTF-8.
    InvalidUtf8,
    /// JSON, but a field (or the whole) is of another type.
    WrongType,
    /// A field that every event needs is not there.
    MissingField,
    /// A field is there twice, so that readers may disagree on which one counts.
    DuplicateField,
    /// An id without a character.
    EmptyId,
    /// An id of more than [`crate::MAX_ID_BYTES`] bytes.
    LongId,
    /// A number that is not finite, absurd, or out of its field's range.
    BadNumber,
    /// A label that is neither `spam` nor `ham`, or not one of those that a mapping knows.
    UnknownLabel,
    /// A kind of event that a mapping does not know.
    UnknownEvent,
    /// A payload of more bytes than its kind of event is read with.
    TooLarge,
    /// A label for a message that is not remembered, or not any more.
    UnknownId,
}

impl Reason {
    /// Every reason, for metrics that start at 0.
    pub const ALL: [Self; 12] = [
        Self::UndecodableJson,
        Self::InvalidUtf8,
        Self::WrongType,
        Self::MissingField,
        Self::DuplicateField,
        Self::EmptyId,
        Self::LongId,
        Self::BadNumber,
        Self::UnknownLabel,
        Self::UnknownEvent,
        Self::TooLarge,
        Self::UnknownId,
    ];

    /// The reason's name in headers, metrics and REST problems.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UndecodableJson => "undecodable_json",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::WrongType => "wrong_type",
            Self::MissingField => "missing_field",
            Self::DuplicateField => "duplicate_field",
            Self::EmptyId => "empty_id",
            Self::LongId => "long_id",
            Self::BadNumber => "bad_number",
            Self::UnknownLabel => "unknown_label",
            Self::UnknownEvent => "unknown_event",
            Self::TooLarge => "too_large",
            Self::UnknownId => "unknown_id",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A refused event: `rating: must be a number, not a string (wrong_type)`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{detail} ({reason})", Prefix(*field))]
pub struct Reject {
    /// The reason's class.
    pub reason: Reason,
    /// The field that is wrong; `None` if it is the record as a whole.
    pub field: Option<&'static str>,
    /// What is wrong and what would be right. Short, and never quotes more than a few characters of the input.
    pub detail: String,
}

impl Reject {
    /// What is wrong with a field.
    #[must_use]
    pub fn new(reason: Reason, field: &'static str, detail: impl Into<String>) -> Self {
        Self { reason, field: Some(field), detail: detail.into() }
    }

    pub(crate) fn whole(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, field: None, detail: detail.into() }
    }
}

/// The field before the message, if one is to blame.
struct Prefix(Option<&'static str>);

impl fmt::Display for Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |field| write!(formatter, "{field}: "))
    }
}
