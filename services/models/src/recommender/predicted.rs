//! Ratings as they were predicted, put out in the transaction that learns them.

use std::borrow::Cow;
use std::sync::Arc;

use weir_learn::ranking::negatives::Draws;
use weir_ps::{Batch, Output};
use weir_wire::Generation;
use weir_wire::predicted::Predicted;
use weir_wire::scored::{Model, Source};

use super::{PREDICTED, RecommenderEvent};
use crate::Named;

/// Bytes of a record besides its ids, about.
const RECORD_BYTES: usize = 224;

/// Which ratings are put out.
#[derive(Clone, Debug)]
pub struct Predictions {
    topic: Arc<str>,
    share: f32,
    seed: u64,
    /// The name of the generation that predicts.
    generation: Arc<str>,
}

impl Predictions {
    /// This share (0 to 1) of the ratings that come in `topic`. Which ones depends on the seed and on their places in
    /// it alone, so that a batch that is learned again after a crash puts out the same.
    #[must_use]
    pub fn new(topic: impl Into<Arc<str>>, share: f32, seed: u64) -> Self {
        Self { topic: topic.into(), share, seed, generation: Generation::FIRST.to_string().into() }
    }

    /// The same as this generation predicts them, which the records name.
    #[must_use]
    pub fn in_generation(self, generation: Generation) -> Self {
        Self { generation: generation.to_string().into(), ..self }
    }

    /// Whether the rating at this place is put out.
    pub(super) fn takes(&self, source: u32, offset: u64) -> bool {
        let number = Draws::new(self.seed, &[PURPOSE, source.into(), offset]).number();
        // The upper 24 bits, which a float holds exactly: from 0 to just below 1.
        ((number >> 40) as f32) / ((1_u32 << 24) as f32) < self.share
    }

    /// The record; none where what was predicted is no number.
    pub(super) fn record(
        &self,
        event: &RecommenderEvent,
        rating: f32,
        predicted: f32,
        batch: &Batch<RecommenderEvent>,
    ) -> Option<Output> {
        let (user, item) = (batch.names.get(event.user_name), batch.names.get(event.item_name));
        let record = Predicted {
            user: Cow::Borrowed(user),
            item: Cow::Borrowed(item),
            rating,
            predicted,
            source: Source { topic: Cow::Borrowed(&self.topic), partition: batch.range.source, offset: event.offset },
            model: Model {
                name: Cow::Borrowed(Named::Recommender.name()),
                generation: Cow::Borrowed(&self.generation),
                learned: None,
            },
        };
        let mut value = Vec::with_capacity(RECORD_BYTES + user.len() + item.len());
        record.write(&mut value).ok()?;
        Some(Output { stream: PREDICTED, key: Some(user.into()), value: Some(value), headers: Vec::new() })
    }
}

/// Tells these draws from those of negatives.
const PURPOSE: u64 = 0x7072_6564;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_ratings_is_taken_and_always_the_same() {
        let taken = |share: f32| {
            let predictions = Predictions::new("ratings", share, 7);
            (0..10_000).filter(|offset| predictions.takes(2, *offset)).collect::<Vec<_>>()
        };
        assert!(taken(0.0).is_empty());
        assert_eq!(taken(1.0).len(), 10_000);
        let quarter = taken(0.25);
        // Within four standard deviations.
        assert!(quarter.len().abs_diff(2_500) < 174, "{}", quarter.len());
        assert_eq!(quarter, taken(0.25));
        let half = taken(0.5);
        assert!(quarter.iter().all(|offset| half.contains(offset)), "a larger share adds to a smaller one");
    }
}
