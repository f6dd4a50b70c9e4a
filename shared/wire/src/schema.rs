//! JSON Schemas (draft 2020-12) of the events that weir reads and writes, for producers and readers in other languages.
//!
//! Of events as they are without a field mapping. The files are in `schemas`; tests hold them against the parsers, which
//! refuse a little more than a schema can say (each file's description lists what).

/// Value of a record of the ratings topic, and of the events of `POST /v1/ratings`.
pub const RATINGS: &str = include_str!("../schemas/ratings.json");

/// Value of a record of the messages topic, and of the events of `POST /v1/messages`.
pub const MESSAGES: &str = include_str!("../schemas/messages.json");

/// Value of a record of the topic of scored messages.
pub const SCORED_MESSAGES: &str = include_str!("../schemas/messages.scored.json");

/// Value of a record of the topic of predicted ratings.
pub const PREDICTED_RATINGS: &str = include_str!("../schemas/ratings.predicted.json");

/// Value of a record of the control topic.
pub const MODELS: &str = include_str!("../schemas/weir.models.json");

/// Value of a record of the catalogue's topic.
pub const ITEMS: &str = include_str!("../schemas/items.json");

/// Every schema, by the name that its topic has by default.
#[must_use]
pub fn all() -> [(&'static str, &'static str); 6] {
    [
        ("ratings", RATINGS),
        ("items", ITEMS),
        ("messages", MESSAGES),
        ("messages.scored", SCORED_MESSAGES),
        ("ratings.predicted", PREDICTED_RATINGS),
        ("weir.models", MODELS),
    ]
}
