//! Events as workers will read them: the same mapping, the same words of refusal.

use clap::ValueEnum;
use weir_models::{message_mapping, rating_mapping};
use weir_runtime::Settings;
use weir_wire::Reject;
use weir_wire::catalogue::{self, Details, ItemEvent};
use weir_wire::message::{MessageEvent, MessageMapping};
use weir_wire::rating::{RatingEvent, RatingMapping, Weighted};

/// What the events of a topic are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Users rate items, or do something with them
    Ratings,
    /// Texts to score or to learn from
    Messages,
    /// What items are called, where they belong and whether they may be shown
    Items,
}

impl Kind {
    /// The topic of such events.
    pub(crate) fn topic(self, settings: &Settings) -> &str {
        match self {
            Self::Ratings => &settings.topics.ratings,
            Self::Messages => &settings.topics.messages,
            Self::Items => &settings.topics.items,
        }
    }

    /// The section of the settings that says how they are read; none where nothing can be set.
    pub(crate) fn section(self) -> Option<&'static str> {
        match self {
            Self::Ratings => Some("input.ratings"),
            Self::Messages => Some("input.messages"),
            Self::Items => None,
        }
    }
}

/// Reads events of one kind.
pub(crate) enum EventReader {
    Ratings(RatingMapping),
    Messages(MessageMapping),
    Items,
}

/// An event that workers take.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The key that keeps what belongs together in one partition.
    pub(crate) key: Vec<u8>,
    /// What it says, in a word or two.
    pub(crate) says: &'static str,
}

impl EventReader {
    /// Under the mapping in force.
    pub(crate) fn new(kind: Kind, settings: &Settings) -> anyhow::Result<Self> {
        Ok(match kind {
            Kind::Ratings => Self::Ratings(rating_mapping(settings)?),
            Kind::Messages => Self::Messages(message_mapping(settings)?),
            Kind::Items => Self::Items,
        })
    }

    /// Reads a record; none if the mapping passes over it.
    ///
    /// # Errors
    /// Why a worker would refuse it.
    pub(crate) fn read(&self, key: Option<&[u8]>, payload: Option<&[u8]>) -> Result<Option<Taken>, Reject> {
        match self {
            Self::Ratings(mapping) => Ok(mapping.parse(key, payload)?.map(|weighted| rating(&weighted))),
            Self::Messages(mapping) => Ok(Some(message(&mapping.parse(key, payload)?))),
            Self::Items => Ok(Some(item(&catalogue::parse(key, payload)?))),
        }
    }
}

fn rating(Weighted { event, disliked, .. }: &Weighted<'_>) -> Taken {
    let says = match event {
        RatingEvent::Rated { .. } if *disliked => "disliked",
        RatingEvent::Rated { rating: Some(_), .. } => "rated",
        RatingEvent::Rated { rating: None, .. } => "implicit",
        RatingEvent::Removed { .. } => "removed",
        RatingEvent::Forget { .. } => "forget the user",
    };
    Taken { key: event.user().into(), says }
}

fn item(event: &ItemEvent<'_>) -> Taken {
    let says = match event {
        ItemEvent::Put { details: Details { hidden: true, .. }, .. } => "hidden item",
        ItemEvent::Put { .. } => "item",
        ItemEvent::Remove { .. } => "no longer in the catalogue",
    };
    Taken { key: event.item().into(), says }
}

fn message(event: &MessageEvent<'_>) -> Taken {
    let says = match event {
        MessageEvent::Message { label: None, .. } => "to be scored",
        MessageEvent::Message { text: None, .. } => "label for an earlier text",
        MessageEvent::Message { .. } => "text with label",
        MessageEvent::Forget { .. } => "forget the message",
    };
    Taken { key: event.id().into(), says }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_keyed_by_what_belongs_together() {
        let settings = Settings::default();
        let ratings = EventReader::new(Kind::Ratings, &settings).unwrap();
        let messages = EventReader::new(Kind::Messages, &settings).unwrap();
        let check = |reader: &EventReader, key: Option<&[u8]>, payload: Option<&str>, expected: (&str, &str)| {
            let taken = reader.read(key, payload.map(str::as_bytes)).unwrap().unwrap();
            assert_eq!((taken.key.as_slice(), taken.says), (expected.0.as_bytes(), expected.1));
        };
        check(&ratings, None, Some(r#"{"user":7,"item":"i","rating":1}"#), ("7", "rated"));
        check(&ratings, None, Some(r#"{"user":"u","item":"i"}"#), ("u", "implicit"));
        check(&ratings, None, Some(r#"{"user":"u","item":"i","rating":null}"#), ("u", "removed"));
        check(&ratings, Some(b"u"), None, ("u", "forget the user"));
        check(&messages, None, Some(r#"{"id":"m","text":"t"}"#), ("m", "to be scored"));
        check(&messages, None, Some(r#"{"id":"m","label":"ham"}"#), ("m", "label for an earlier text"));
        check(&messages, None, Some(r#"{"id":"m","text":"","label":"ham"}"#), ("m", "text with label"));
        let items = EventReader::new(Kind::Items, &settings).unwrap();
        check(&items, None, Some(r#"{"item":7,"title":"t"}"#), ("7", "item"));
        check(&items, Some(b"i"), Some(r#"{"hidden":true}"#), ("i", "hidden item"));
        check(&items, Some(b"i"), None, ("i", "no longer in the catalogue"));
        assert!(items.read(None, Some(b"{}")).is_err());
        assert!(ratings.read(None, Some(b"{}")).is_err());
    }
}
