//! Rating events as JSON, for producers, and their serde form, for bodies that hold several.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use crate::event::optional_entry;

use super::{RatingEvent, Record, parse};

/// The record that [`parse`] reads back as `event`.
#[must_use]
pub fn to_record(event: &RatingEvent<'_>) -> Record {
    let payload = match event {
        RatingEvent::Forget { .. } => None,
        RatingEvent::Rated { .. } | RatingEvent::Removed { .. } => Some(to_json(event)),
    };
    Record { key: event.user().as_bytes().to_vec(), payload }
}

/// The event as JSON, with the fields that it has.
///
/// Empty for what has no JSON: a rating that is not finite, and [`RatingEvent::Forget`], which is a record without a
/// value ([`to_record`]).
#[must_use]
pub fn to_json(event: &RatingEvent<'_>) -> Vec<u8> {
    serde_json::to_vec(event).unwrap_or_default()
}

/// What `rating` is in the JSON.
enum Rating {
    Absent,
    Null,
    Value(f32),
}

impl Serialize for RatingEvent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (user, item, rating, ts, event, id) = match self {
            Self::Rated { user, item, rating, ts, event, id } => {
                (user, item, rating.map_or(Rating::Absent, Rating::Value), ts, event, id)
            }
            Self::Removed { user, item, ts, event, id } => (user, item, Rating::Null, ts, event, id),
            Self::Forget { .. } => return Err(S::Error::custom("to forget a user is a record without a value")),
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("user", user)?;
        map.serialize_entry("item", item)?;
        match rating {
            Rating::Absent => {}
            Rating::Null => map.serialize_entry("rating", &())?,
            Rating::Value(value) if value.is_finite() => map.serialize_entry("rating", &value)?,
            // serde_json would write null, which removes the item.
            Rating::Value(value) => return Err(S::Error::custom(format_args!("a rating cannot be {value}"))),
        }
        optional_entry(&mut map, "ts", ts.as_ref())?;
        optional_entry(&mut map, "event", event.as_ref())?;
        optional_entry(&mut map, "id", id.as_ref())?;
        map.end()
    }
}

/// From JSON only: the same parser and the same messages as for records.
impl<'de> Deserialize<'de> for RatingEvent<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        parse(None, Some(raw.get().as_bytes())).map(RatingEvent::into_owned).map_err(D::Error::custom)
    }
}
