//! Message events as JSON, for producers, and their serde form, for bodies that hold several.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::event::optional_entry;

use super::{MessageEvent, Record, parse};

/// The record that [`parse`] reads back as `event`.
#[must_use]
pub fn to_record(event: &MessageEvent<'_>) -> Record {
    let payload = match event {
        MessageEvent::Forget { .. } => None,
        MessageEvent::Message { .. } => Some(to_json(event)),
    };
    Record { key: event.id().as_bytes().to_vec(), payload }
}

/// The event as JSON, with the fields that it has.
///
/// Empty for what has no JSON: a message with neither text nor label, and [`MessageEvent::Forget`], which is a record
/// without a value ([`to_record`]).
#[must_use]
pub fn to_json(event: &MessageEvent<'_>) -> Vec<u8> {
    serde_json::to_vec(event).unwrap_or_default()
}

impl Serialize for MessageEvent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self::Message { id, text, label, ts, tenant, content_type, sender } = self else {
            return Err(S::Error::custom("to forget a message is a record without a value"));
        };
        if text.is_none() && label.is_none() {
            return Err(S::Error::custom("a message needs a text or a label"));
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", id)?;
        optional_entry(&mut map, "text", text.as_ref())?;
        optional_entry(&mut map, "label", label.as_ref())?;
        optional_entry(&mut map, "ts", ts.as_ref())?;
        optional_entry(&mut map, "tenant", tenant.as_ref())?;
        optional_entry(&mut map, "content_type", content_type.as_ref())?;
        optional_entry(&mut map, "sender", sender.as_ref())?;
        map.end()
    }
}

/// From JSON only: the same parser and the same messages as for records.
impl<'de> Deserialize<'de> for MessageEvent<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        parse(None, Some(raw.get().as_bytes())).map(MessageEvent::into_owned).map_err(D::Error::custom)
    }
}
