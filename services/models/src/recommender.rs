//! The model `recommender`: ratings predicted by biased matrix factorisation, items ranked by a second one that learns
//! from choices, popularity for users who are not known yet, and the items that a user has seen.

mod blending;
mod bounds;
mod decode;
mod pairs;
mod predicted;
mod recent;
mod rows;
mod schema;
mod server;
mod trained;
mod worker;

use std::sync::Arc;

use weir_learn::item_events::HalfLives;
use weir_learn::ranking::positive;
use weir_learn::{blend, mf, neighbours, ranking};
use weir_ps::{Model, Schema};
use weir_wire::rating::RatingMapping;

pub use bounds::Bounds;
pub use decode::RecommenderEvent;
pub use pairs::{LastItems, Pair};
pub use predicted::Predictions;
pub use rows::RowParts;
pub use schema::RecommenderSchema;
pub use server::RecommenderServer;
pub use trained::{Learned, Past, trained};
pub use worker::RecommenderWorker;

/// Users' factor rows, a part for ratings and one for the ranking ([`RowParts`]), cached by workers.
pub const USERS: u8 = 0;
/// Items' factor rows, of the same two parts.
pub const ITEMS: u8 = 1;
/// The mean of all ratings: one row ([`weir_learn::GlobalMean`]) under [`MEAN_KEY`].
pub const MEAN: u8 = 2;
/// By user: events (`u64`), time of the last one in milliseconds since 1970 (`u64`).
pub const ACTIVITY: u8 = 3;
/// By item: how popular it is, its number of events, the first and the last ([`weir_learn::item_events`]).
pub const POPULARITY: u8 = 4;
/// By user: how many items were ever appended to the ones seen (`u64`), and a word that is 0.
pub const SEEN_HEADS: u8 = 5;
/// By user and chunk ([`weir_learn::seen::chunk_key`]): keys of 16 items seen.
pub const SEEN: u8 = 6;
/// By user: ids of the latest events, by which repeats are known ([`weir_ps::repeats`]).
pub const EVENT_IDS: u8 = 7;

/// By user: the last items, the last one first, and when that was ([`LastItems`]).
pub const LAST_ITEMS: u8 = 8;
/// By item and chunk ([`weir_learn::neighbours::chunk_key`]): items that users turned to before or after it.
pub const NEIGHBOURS: u8 = 9;
/// The weights of the parts that lists are put together from: one row ([`weir_learn::blend`]) under [`BLEND_KEY`].
pub const BLEND: u8 = 10;
/// Has no rows. What is pushed to it is added to [`POPULARITY`], whose rows workers pull and so cannot push to.
pub const ITEM_EVENTS: u8 = 11;
/// Has no rows. What is pushed to it are pairs that are counted in [`NEIGHBOURS`], under the same keys.
pub const PAIRS: u8 = 12;

/// The stream of ratings as they were predicted.
pub const PREDICTED: &str = "predicted";

/// The one key of the table [`MEAN`].
pub const MEAN_KEY: u64 = 1;

/// The one key of the table [`BLEND`].
pub const BLEND_KEY: u64 = 1;

/// What shapes the recommender's rows and learning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecommenderSettings {
    /// Hyper-parameters of the model that predicts ratings.
    pub factors: mf::Settings,
    /// Hyper-parameters of the model that puts items in order.
    pub ranking: ranking::Settings,
    /// Which events count as choices.
    pub positive: positive::Rule,
    /// Seed of the initial values.
    pub seed: u64,
    /// Seed of the hash from ids to keys.
    pub hash_seed: u64,
    /// Hours after which an event counts half for popularity, the shortest first.
    pub half_lives_hours: HalfLives,
    /// Which items go together.
    pub neighbours: neighbours::Settings,
    /// How lists are put together.
    pub blend: blend::Settings,
    /// Items remembered per user as seen.
    pub seen_items: u32,
    /// How many users and items a shard remembers, and for how long.
    pub bounds: Bounds,
}

/// The whole learner.
#[derive(Clone)]
pub struct RecommenderModel {
    settings: RecommenderSettings,
    schema: Arc<RecommenderSchema>,
    mapping: Arc<RatingMapping>,
    predictions: Option<Predictions>,
}

impl RecommenderModel {
    /// With these settings, for events as they are without a mapping.
    #[must_use]
    pub fn new(settings: RecommenderSettings) -> Self {
        Self {
            settings,
            schema: Arc::new(RecommenderSchema::new(&settings)),
            mapping: Arc::default(),
            predictions: None,
        }
    }

    /// The same for events that are read by this mapping.
    #[must_use]
    pub fn with_mapping(self, mapping: RatingMapping) -> Self {
        Self { mapping: Arc::new(mapping), ..self }
    }

    /// The same, putting out some of the ratings as they were predicted; the driver must know the stream [`PREDICTED`].
    #[must_use]
    pub fn with_predictions(self, predictions: Option<Predictions>) -> Self {
        Self { predictions, ..self }
    }
}

impl Model for RecommenderModel {
    type Worker = RecommenderWorker;
    type Server = RecommenderServer;

    fn schema(&self) -> Arc<dyn Schema> {
        Arc::clone(&self.schema) as Arc<dyn Schema>
    }

    fn worker(&self) -> RecommenderWorker {
        RecommenderWorker::new(self.settings, self.predictions.clone())
    }

    fn server(&self) -> RecommenderServer {
        RecommenderServer::new(self.settings)
    }
}

#[cfg(test)]
mod tests;
