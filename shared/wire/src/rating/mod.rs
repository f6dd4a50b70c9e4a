//! Rating events: `{user, item, rating?, ts?, event?, id?}` as JSON, and tombstones.
//!
//! The same parser serves Kafka records and REST bodies. Strings are borrowed from the payload unless they have
//! escapes, integers as ids always; an event that is taken costs no allocation.

mod fields;
mod json;
mod mapping;

pub use json::{to_json, to_record};
pub use mapping::{EventType, MAX_WEIGHT, Meaning, RatingMapping, RatingSources, Unlisted, Weighted};

use crate::event::{self, RawFields, owned, scalar};
pub use crate::event::{Id, Reason, Record, Reject};
use fields::RatingFields;

/// Longest payload that is looked at: an event has some 100 bytes, with every field at its longest some 8 KiB.
pub const MAX_PAYLOAD_BYTES: usize = 64 * 1024;

/// Largest rating by magnitude; what lies beyond is a mistake of the producer and would ruin the rows it meets.
pub const MAX_RATING: f32 = 1e6;

/// What one record of a ratings topic says.
#[derive(Clone, Debug, PartialEq)]
pub enum RatingEvent<'a> {
    /// A user rated an item, or did something with it.
    Rated {
        /// Who.
        user: Id<'a>,
        /// What.
        item: Id<'a>,
        /// Finite and within ±[`MAX_RATING`]; `None` is implicit feedback.
        rating: Option<f32>,
        /// Milliseconds since 1970; `None` means the record's own time.
        ts: Option<i64>,
        /// Kind of the event, as the producer calls it.
        event: Option<Id<'a>>,
        /// Makes a repetition recognisable.
        id: Option<Id<'a>>,
    },
    /// `rating: null`: the item leaves the user's seen items.
    Removed {
        /// Who.
        user: Id<'a>,
        /// What.
        item: Id<'a>,
        /// Milliseconds since 1970; `None` means the record's own time.
        ts: Option<i64>,
        /// Kind of the event, as the producer calls it.
        event: Option<Id<'a>>,
        /// Makes a repetition recognisable.
        id: Option<Id<'a>>,
    },
    /// A key without a value: the user is to be forgotten.
    Forget {
        /// Who.
        user: Id<'a>,
    },
}

impl RatingEvent<'_> {
    /// The user, whatever the event.
    #[must_use]
    pub fn user(&self) -> &str {
        match self {
            Self::Rated { user, .. } | Self::Removed { user, .. } | Self::Forget { user } => user,
        }
    }

    /// The same event without a borrow of its payload.
    #[must_use]
    pub fn into_owned(self) -> RatingEvent<'static> {
        match self {
            Self::Rated { user, item, rating, ts, event, id } => RatingEvent::Rated {
                user: owned(user),
                item: owned(item),
                rating,
                ts,
                event: event.map(owned),
                id: id.map(owned),
            },
            Self::Removed { user, item, ts, event, id } => RatingEvent::Removed {
                user: owned(user),
                item: owned(item),
                ts,
                event: event.map(owned),
                id: id.map(owned),
            },
            Self::Forget { user } => RatingEvent::Forget { user: owned(user) },
        }
    }
}

/// Reads one record. With a payload the key does not matter: the ids in the payload count.
///
/// # Errors
/// A [`Reject`] that says which field is wrong, why, and what to do; arbitrary bytes are no more than that.
pub fn parse<'a>(key: Option<&'a [u8]>, payload: Option<&'a [u8]>) -> Result<RatingEvent<'a>, Reject> {
    let Some(payload) = payload else {
        return Ok(RatingEvent::Forget { user: event::forgotten::<RatingFields, _>(key)? });
    };
    let mut raw = [None; fields::COUNT];
    event::object::read::<RatingFields, _>(event::text(payload, MAX_PAYLOAD_BYTES)?, &mut raw)?;
    event(&raw)
}

/// The event that the fields make.
fn event<'a>(raw: &RawFields<'a, { fields::COUNT }>) -> Result<RatingEvent<'a>, Reject> {
    let [user, item, rating, ts, event, id] = *raw;
    let user = scalar::required_id("user", user)?;
    let item = scalar::required_id("item", item)?;
    let ts = scalar::optional_time("ts", ts)?;
    let event = scalar::optional_id("event", event)?;
    let id = scalar::optional_id("id", id)?;
    Ok(match rating.map(number_or_null).transpose()? {
        Some(None) => RatingEvent::Removed { user, item, ts, event, id },
        rating => RatingEvent::Rated { user, item, rating: rating.flatten(), ts, event, id },
    })
}

/// The field `rating`: `None` for null.
fn number_or_null(raw: &str) -> Result<Option<f32>, Reject> {
    match scalar::Kind::of(raw) {
        scalar::Kind::Null => Ok(None),
        scalar::Kind::Number => match raw.parse::<f32>() {
            Ok(rating) if rating.abs() <= MAX_RATING => Ok(Some(rating)),
            _ => Err(scalar::out_of_range("rating", raw, "a rating lies between -1000000 and 1000000")),
        },
        other => Err(scalar::wrong_type("rating", "a number, or null to remove the item", other)),
    }
}

#[cfg(test)]
mod tests;
