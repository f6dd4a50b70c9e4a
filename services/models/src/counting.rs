//! The counting learner on a ratings topic: every event that is not a tombstone counts.

use std::sync::Arc;

use weir_ps::{
    Batch, ByRule, Model, Schema,
    counting::{Counting, CountingEvent, CountingModel},
};
use weir_wire::rating::{RatingEvent, RatingMapping, Reject};

use crate::{Decoder, Input, InputModel};

/// The model `counting`.
#[derive(Clone, Debug, Default)]
pub struct CountingRatings {
    model: CountingModel,
    hash_seed: u64,
    mapping: Arc<RatingMapping>,
}

impl CountingRatings {
    /// With keys hashed under `hash_seed`, for events as they are without a mapping.
    #[must_use]
    pub fn new(hash_seed: u64) -> Self {
        Self { model: CountingModel, hash_seed, mapping: Arc::default() }
    }

    /// The same for events that are read by this mapping.
    #[must_use]
    pub fn with_mapping(self, mapping: RatingMapping) -> Self {
        Self { mapping: Arc::new(mapping), ..self }
    }
}

impl Model for CountingRatings {
    type Worker = Counting;
    type Server = ByRule;

    fn schema(&self) -> Arc<dyn Schema> {
        self.model.schema()
    }

    fn worker(&self) -> Counting {
        self.model.worker()
    }

    fn server(&self) -> ByRule {
        self.model.server()
    }
}

impl InputModel for CountingRatings {
    type Decoder = Self;

    fn decoder(&self) -> Self {
        self.clone()
    }
}

impl Decoder<CountingEvent> for CountingRatings {
    fn decode(&mut self, input: Input<'_>, batch: &mut Batch<CountingEvent>) -> Result<(), Reject> {
        // What the mapping passes over does not count.
        let Some(weighted) = self.mapping.parse(input.key, input.payload)? else { return Ok(()) };
        let (RatingEvent::Rated { user, item, id, .. } | RatingEvent::Removed { user, item, id, .. }) = weighted.event
        else {
            return Ok(());
        };
        let user = (weir_wire::key(self.hash_seed, &user), batch.names.push(&user));
        let item = (weir_wire::key(self.hash_seed, &item), batch.names.push(&item));
        let id = id.map(|id| weir_wire::key(self.hash_seed, &id));
        batch.events.push(CountingEvent::new(user, item).with_id(id));
        Ok(())
    }
}
