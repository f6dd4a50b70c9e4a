//! What events of every kind have in common: ids, the fields of a JSON object as raw text, single values, refusals.

pub(crate) mod object;
mod reject;
pub(crate) mod scalar;

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap};

pub use reject::{Reason, Reject};

/// An id: 1 to [`crate::MAX_ID_BYTES`] bytes of UTF-8.
pub type Id<'a> = Cow<'a, str>;

/// Key and value of a record that says what an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The id that keeps events which belong together in one partition: a rating's user, a message's own.
    pub key: Vec<u8>,
    /// JSON, or `None` to forget what the key names.
    pub payload: Option<Vec<u8>>,
}

/// The fields of one kind of event.
pub(crate) trait Fields<const N: usize> {
    /// Their names in JSON; a field's place in this list is its place everywhere.
    const NAMES: [&'static str; N];

    /// What a record without a value forgets.
    const FORGOTTEN: &'static str;

    /// Place of the field `name`, [`OTHER`] if events of this kind have none of that name. A `match` for each kind: this
    /// runs for every key of every event.
    fn place(name: &str) -> u8;
}

/// The place of what is no field.
pub(crate) const OTHER: u8 = u8::MAX;

/// The raw JSON text of each field that is there.
pub(crate) type RawFields<'a, const N: usize> = [Option<&'a str>; N];

/// The text of a payload of at most `most` bytes.
pub(crate) fn text(payload: &[u8], most: usize) -> Result<&str, Reject> {
    if payload.len() > most {
        let detail = format!("the value has {} bytes, at most {most} are read", payload.len());
        return Err(Reject::whole(Reason::TooLarge, detail));
    }
    str::from_utf8(payload).map_err(|error| {
        Reject::whole(Reason::InvalidUtf8, format!("byte {} of the value is not UTF-8", error.valid_up_to()))
    })
}

/// The id that a record without a value forgets.
pub(crate) fn forgotten<F: Fields<N>, const N: usize>(key: Option<&[u8]>) -> Result<Id<'_>, Reject> {
    let missing = || {
        let detail = format!("a record needs a value, or a key to forget that {}", F::FORGOTTEN);
        Reject::new(Reason::MissingField, "key", detail)
    };
    scalar::id_from_key(key.ok_or_else(missing)?, F::FORGOTTEN)
}

/// The same text without a borrow.
pub(crate) fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

/// Writes a field that may be absent.
pub(crate) fn optional_entry<M: SerializeMap>(
    map: &mut M,
    name: &'static str,
    value: Option<&impl Serialize>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(name, value))
}
