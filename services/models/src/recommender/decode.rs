//! From a rating's JSON to what the recommender learns from.

use weir_learn::popularity;
use weir_ps::{Batch, NameRef};
use weir_wire::rating::{RatingEvent, Reject};

use super::RecommenderModel;
use super::blending::Wanted;
use crate::{Decoder, Input, InputModel};

/// What happened between a user and an item.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Rated(f32),
    Implicit,
    Disliked,
    Removed,
    Forget,
}

impl Kind {
    /// Whether something is learned of its item.
    pub(super) fn teaches(self) -> bool {
        matches!(self, Self::Rated(_) | Self::Implicit | Self::Disliked)
    }
}

/// One event, ids hashed to keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecommenderEvent {
    pub(super) kind: Kind,
    /// As how many events it counts for popularity and in training; above 0.
    pub(super) weight: f32,
    pub(super) user: u64,
    pub(super) user_name: NameRef,
    pub(super) item: u64,
    pub(super) item_name: NameRef,
    /// Milliseconds since 1970, no later than the record's own time.
    pub(super) time_ms: u64,
    /// Its place in the source partition.
    pub(super) offset: u64,
    pub(super) hours: f32,
    /// The event's own id, hashed.
    pub(super) id: Option<u64>,
    pub(super) user_slot: u32,
    pub(super) item_slot: u32,
    pub(super) id_slot: u32,
    pub(super) last_slot: u32,
    pub(super) wanted: Wanted,
}

impl InputModel for RecommenderModel {
    type Decoder = Self;

    fn decoder(&self) -> Self {
        self.clone()
    }
}

impl Decoder<RecommenderEvent> for RecommenderModel {
    fn decode(&mut self, input: Input<'_>, batch: &mut Batch<RecommenderEvent>) -> Result<(), Reject> {
        // What the mapping passes over is no event of this model.
        let Some(weighted) = self.mapping.parse(input.key, input.payload)? else { return Ok(()) };
        let (user, item, kind, ts, id) = match weighted.event {
            RatingEvent::Rated { user, item, rating, ts, id, .. } => {
                let unrated = if weighted.disliked { Kind::Disliked } else { Kind::Implicit };
                (user, Some(item), rating.map_or(unrated, Kind::Rated), ts, id)
            }
            RatingEvent::Removed { user, item, ts, id, .. } => (user, Some(item), Kind::Removed, ts, id),
            RatingEvent::Forget { user } => (user, None, Kind::Forget, None, None),
        };
        // A time from the future would make its item the most popular one until then.
        let time_ms = ts.unwrap_or(input.timestamp_ms).min(input.timestamp_ms);
        let key = |id: &str| weir_wire::key(self.settings.hash_seed, id);
        batch.events.push(RecommenderEvent {
            kind,
            weight: weighted.weight,
            user: key(&user),
            user_name: batch.names.push(&user),
            item: item.as_deref().map_or(0, key),
            item_name: item.as_deref().map(|item| batch.names.push(item)).unwrap_or_default(),
            time_ms: time_ms.max(0) as u64,
            offset: input.offset,
            hours: popularity::hours(time_ms, input.timestamp_ms),
            id: id.as_deref().map(key),
            user_slot: 0,
            item_slot: 0,
            id_slot: 0,
            last_slot: 0,
            wanted: Wanted::default(),
        });
        Ok(())
    }
}
