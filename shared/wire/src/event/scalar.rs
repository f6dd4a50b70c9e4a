//! Reads single values from their raw JSON text, and says in the field's own words what is wrong with them.

use std::borrow::Cow;
use std::fmt;

use super::{Id, Reason, Reject};
use crate::MAX_ID_BYTES;

type Raw<'a> = Option<&'a str>;

/// The JSON type of a raw value; its first byte decides, because the text is valid JSON already.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    String,
    Number,
    Null,
    Bool,
    Array,
    Object,
}

impl Kind {
    pub(crate) fn of(raw: &str) -> Self {
        match raw.as_bytes().first() {
            Some(b'"') => Self::String,
            Some(b'n') => Self::Null,
            Some(b't' | b'f') => Self::Bool,
            Some(b'[') => Self::Array,
            Some(b'{') => Self::Object,
            _ => Self::Number,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Number => "a number",
            Self::Null => "null",
            Self::Bool => "true or false",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// An id that every event needs.
pub(crate) fn required_id<'a>(field: &'static str, raw: Raw<'a>) -> Result<Id<'a>, Reject> {
    optional_id(field, raw)?.ok_or_else(|| Reject::new(Reason::MissingField, field, "is missing, every event needs it"))
}

/// An id that may be absent or null.
pub(crate) fn optional_id<'a>(field: &'static str, raw: Raw<'a>) -> Result<Option<Id<'a>>, Reject> {
    let Some(raw) = raw else { return Ok(None) };
    let id = match Kind::of(raw) {
        Kind::Null => return Ok(None),
        Kind::String => text(field, raw)?,
        Kind::Number => integer_id(field, raw)?,
        other => return Err(wrong_type(field, "a string or an integer", other)),
    };
    check_id(field, id).map(Some)
}

/// The id that a tombstone forgets, from the record's key; `what` it is.
pub(crate) fn id_from_key<'a>(key: &'a [u8], what: &str) -> Result<Id<'a>, Reject> {
    let id = str::from_utf8(key).map_err(|_| {
        Reject::new(Reason::InvalidUtf8, "key", format!("is not UTF-8, it must be the id of the {what} to forget"))
    })?;
    check_id("key", Cow::Borrowed(id))
}

/// Checks an id's length.
pub(crate) fn check_id<'a>(field: &'static str, id: Id<'a>) -> Result<Id<'a>, Reject> {
    match id.len() {
        0 => Err(Reject::new(Reason::EmptyId, field, "is empty, it needs at least one character")),
        1..=MAX_ID_BYTES => Ok(id),
        long => Err(Reject::new(Reason::LongId, field, format!("has {long} bytes, an id has at most {MAX_ID_BYTES}"))),
    }
}

/// Text of a JSON string: borrowed unless it has escapes.
pub(crate) fn text<'a>(field: &'static str, raw: &'a str) -> Result<Id<'a>, Reject> {
    match raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')) {
        Some(plain) if !plain.as_bytes().contains(&b'\\') => Ok(Cow::Borrowed(plain)),
        _ => serde_json::from_str(raw)
            .map(Cow::Owned)
            .map_err(|_| Reject::new(Reason::UndecodableJson, field, "has an escape that is no character")),
    }
}

/// Text of any length that may be absent or null.
pub(crate) fn optional_text<'a>(field: &'static str, raw: Raw<'a>) -> Result<Option<Cow<'a, str>>, Reject> {
    let Some(raw) = raw else { return Ok(None) };
    match Kind::of(raw) {
        Kind::Null => Ok(None),
        Kind::String => text(field, raw).map(Some),
        other => Err(wrong_type(field, "a string", other)),
    }
}

/// Text of any length that has to be there; `wanted` says what would be right.
pub(crate) fn text_only<'a>(field: &'static str, raw: &'a str, wanted: &str) -> Result<Cow<'a, str>, Reject> {
    match Kind::of(raw) {
        Kind::String => text(field, raw),
        other => Err(wrong_type(field, wanted, other)),
    }
}

/// An integer as its decimal string, digit for digit, however long.
fn integer_id<'a>(field: &'static str, raw: &'a str) -> Result<Id<'a>, Reject> {
    if !is_integer(raw) {
        return Err(Reject::new(Reason::WrongType, field, "is a number with a fraction or exponent, send a string"));
    }
    Ok(Cow::Borrowed(if raw == "-0" { "0" } else { raw }))
}

fn is_integer(raw: &str) -> bool {
    raw.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// A time in milliseconds since 1970 that may be absent or null.
pub(crate) fn optional_time(field: &'static str, raw: Raw<'_>) -> Result<Option<i64>, Reject> {
    let Some(raw) = raw else { return Ok(None) };
    match Kind::of(raw) {
        Kind::Null => Ok(None),
        Kind::Number => match raw.parse::<i64>() {
            Ok(time) => Ok(Some(time)),
            Err(_) => Err(out_of_range(field, raw, "a time is whole milliseconds since 1970 in 64 bits")),
        },
        other => Err(wrong_type(field, "an integer, milliseconds since 1970", other)),
    }
}

pub(crate) fn wrong_type(field: &'static str, wanted: &str, found: Kind) -> Reject {
    Reject::new(Reason::WrongType, field, format!("must be {wanted}, not {}", found.name()))
}

pub(crate) fn out_of_range(field: &'static str, raw: &str, rule: &str) -> Reject {
    Reject::new(Reason::BadNumber, field, format!("is {}, {rule}", Shown(raw)))
}

/// The beginning of what came in, for messages: bounded, and without what would disturb a terminal.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.chars();
        for character in rest.by_ref().take(24) {
            write!(formatter, "{}", character.escape_debug())?;
        }
        formatter.write_str(if rest.as_str().is_empty() { "" } else { "..." })
    }
}
