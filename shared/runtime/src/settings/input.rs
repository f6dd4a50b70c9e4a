//! How the events of the input topics are to be read: plain data, which the models turn into checked mappings.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The input topics' events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InputSettings {
    /// Events of the ratings topic.
    pub ratings: RatingInputSettings,
    /// Events of the messages topic.
    pub messages: MessageInputSettings,
}

/// Where a field of an event comes from.
///
/// As text: `/customer/id` is a JSON pointer (RFC 6901), `constant:shop` the same value in every event, `absent` says
/// that events do not have it. In a file `{ constant = "shop" }` does as well, and is the only way to say a number without quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldSource {
    /// A JSON pointer into the event.
    Pointer(String),
    /// The same value in every event, as text.
    Constant(String),
    /// Nowhere, even if there is a field of that name.
    Absent,
}

/// Where the fields of a rating are, and what the types of events mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RatingInputSettings {
    /// Who.
    pub user: FieldSource,
    /// What.
    pub item: FieldSource,
    /// How much the user likes it.
    pub rating: FieldSource,
    /// When, in milliseconds since 1970.
    pub ts: FieldSource,
    /// The event's type.
    pub event: FieldSource,
    /// What makes a repetition recognisable.
    pub id: FieldSource,
    /// What becomes of events whose type is not among `types`, if there are any.
    pub unlisted: UnlistedEvents,
    /// What events mean, by their type; without any, all are taken as they were sent.
    pub types: BTreeMap<String, EventTypeSettings>,
}

impl Default for RatingInputSettings {
    fn default() -> Self {
        let [user, item, rating, ts, event, id] =
            ["user", "item", "rating", "ts", "event", "id"].map(FieldSource::at_home);
        Self { user, item, rating, ts, event, id, unlisted: UnlistedEvents::Refuse, types: BTreeMap::new() }
    }
}

/// What the events of one type mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EventTypeSettings {
    /// What the user says with them; without one, `rating` if a rating is given here and `as_sent` otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<EventMeaning>,
    /// The rating of those that have none of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<f32>,
    /// How strongly each of them counts.
    pub weight: f32,
}

impl Default for EventTypeSettings {
    fn default() -> Self {
        Self { meaning: None, rating: None, weight: 1.0 }
    }
}

impl EventTypeSettings {
    /// What the user says with such an event.
    #[must_use]
    pub fn meaning(&self) -> EventMeaning {
        let by_rating = || if self.rating.is_some() { EventMeaning::Rating } else { EventMeaning::AsSent };
        self.meaning.unwrap_or_else(by_rating)
    }
}

/// What a user says with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventMeaning {
    /// The rating of its type, unless it has one of its own.
    Rating,
    /// Implicit feedback, whatever its rating.
    Implicit,
    /// The user does not want the item: the opposite of a choice, whatever its rating.
    Disliked,
    /// The item leaves the user's seen items.
    Removed,
    /// What its own rating says.
    AsSent,
    /// Nothing.
    Skip,
}

/// What becomes of events whose type is not listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnlistedEvents {
    /// They go to the rejected topic.
    Refuse,
    /// They are taken as they were sent.
    AsSent,
    /// They are passed over.
    Skip,
}

/// Where the fields of a message are, and what the values of its label mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MessageInputSettings {
    /// What names the message.
    pub id: FieldSource,
    /// What is scored.
    pub text: FieldSource,
    /// What the message is.
    pub label: FieldSource,
    /// When, in milliseconds since 1970.
    pub ts: FieldSource,
    /// Whose message it is.
    pub tenant: FieldSource,
    /// Media type of the text.
    pub content_type: FieldSource,
    /// Who sent it.
    pub sender: FieldSource,
    /// What the values of the label mean: one of `spam.labels`, or `none` where a value says nothing. Without any, they are
    /// those of `spam.labels`.
    pub labels: BTreeMap<String, String>,
}

impl Default for MessageInputSettings {
    fn default() -> Self {
        let [id, text, label, ts, tenant, content_type, sender] =
            ["id", "text", "label", "ts", "tenant", "content_type", "sender"].map(FieldSource::at_home);
        Self { id, text, label, ts, tenant, content_type, sender, labels: BTreeMap::new() }
    }
}

impl FieldSource {
    /// At the top of the event, under its own name.
    fn at_home(name: &str) -> Self {
        Self::Pointer(format!("/{name}"))
    }

    fn parse(text: &str) -> Result<Self, String> {
        if text == "absent" {
            return Ok(Self::Absent);
        }
        match text.strip_prefix("constant:") {
            Some(constant) => Ok(Self::Constant(constant.to_owned())),
            None if text.starts_with('/') => Ok(Self::Pointer(text.to_owned())),
            None => {
                Err(format!("\"{text}\" is neither a JSON pointer (as /customer/id) nor constant:VALUE nor absent"))
            }
        }
    }
}

impl fmt::Display for FieldSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pointer(pointer) => formatter.write_str(pointer),
            Self::Constant(text) => write!(formatter, "constant:{text}"),
            Self::Absent => formatter.write_str("absent"),
        }
    }
}

impl Serialize for FieldSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FieldSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldSourceVisitor)
    }
}

struct FieldSourceVisitor;

impl<'de> Visitor<'de> for FieldSourceVisitor {
    type Value = FieldSource;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON pointer (as /customer/id), constant:VALUE, { constant = VALUE } or absent")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<FieldSource, E> {
        FieldSource::parse(text).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FieldSource, A::Error> {
        match map.next_key::<String>()?.as_deref() {
            Some("constant") => {
                let Constant(constant) = map.next_value()?;
                match map.next_key::<String>()? {
                    None => Ok(FieldSource::Constant(constant)),
                    Some(more) => Err(de::Error::custom(format_args!("there is a {more} beside the constant"))),
                }
            }
            found => {
                let found = found.unwrap_or("nothing");
                Err(de::Error::custom(format_args!(
                    "a table here has only a constant, as {{ constant = 5 }}, not {found}"
                )))
            }
        }
    }
}

/// A single value as text, digits and all.
struct Constant(String);

impl<'de> Deserialize<'de> for Constant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Value {
            Text(String),
            Flag(bool),
            Integer(i64),
            Number(f64),
        }
        Ok(Self(match Value::deserialize(deserializer)? {
            Value::Text(text) => text,
            Value::Flag(flag) => flag.to_string(),
            Value::Integer(integer) => integer.to_string(),
            Value::Number(number) => number.to_string(),
        }))
    }
}

#[cfg(test)]
mod tests;
