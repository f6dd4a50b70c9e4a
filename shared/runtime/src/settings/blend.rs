//! What lists are put together from besides the ranking.

use serde::{Deserialize, Serialize};

use super::check::range;
use crate::Error;

/// How much each part of a list's order counts, and how that is learned. A part with a weight of 0 is off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BlendSettings {
    /// What the factors say.
    pub ranking: f32,
    /// What usually comes after the user's last few items.
    pub transitions: f32,
    /// What goes together with all that is remembered of the user.
    pub company: f32,
    /// What is popular, by each of `recommender.half_lives_hours`.
    pub popularity: [f32; 3],
    /// `AdaGrad`'s rate of the weights; with 0 they stay as they are set.
    pub rate: f32,
    /// Where the sums of squared gradients begin.
    pub initial_sum: f32,
    /// The share of the events that the weights are learned from, 0 to 1. Each of those needs some more rows than others.
    pub share: f32,
    /// Hours after which what the last few items say counts half.
    pub fresh_hours: f32,
}

impl Default for BlendSettings {
    fn default() -> Self {
        Self {
            ranking: 0.5,
            transitions: 1.8,
            company: 2.0,
            popularity: [1.2, 0.2, 0.05],
            rate: 0.01,
            initial_sum: 1.0,
            share: 0.0625,
            fresh_hours: 24.0,
        }
    }
}

/// Which items users turn to one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NeighbourSettings {
    /// Items that are remembered beside an item at most, 16 to 1024; rounded up to a multiple of 16.
    pub slots: u16,
    /// With how many of the user's last items an event makes a pair, 0 to 64. With 0 none are counted, and transitions and company say nothing.
    pub pairs: u16,
    /// The user's last items that a worker knows, 1 to 64 and no fewer than `pairs`.
    pub history: u16,
    /// What is added to an item's count before two items are compared: the more, the less rare ones stand out.
    pub damping: f32,
}

impl Default for NeighbourSettings {
    fn default() -> Self {
        Self { slots: 128, pairs: 2, history: 4, damping: 20.0 }
    }
}

pub(super) fn check(blend: &BlendSettings, neighbours: &NeighbourSettings) -> Result<(), Error> {
    range("recommender.blend.ranking", blend.ranking, 0.0..=100.0)?;
    range("recommender.blend.transitions", blend.transitions, 0.0..=100.0)?;
    range("recommender.blend.company", blend.company, 0.0..=100.0)?;
    blend.popularity.iter().try_for_each(|weight| range("recommender.blend.popularity", *weight, 0.0..=100.0))?;
    range("recommender.blend.rate", blend.rate, 0.0..=10.0)?;
    range("recommender.blend.initial_sum", blend.initial_sum, 1e-6..=1e6)?;
    range("recommender.blend.share", blend.share, 0.0..=1.0)?;
    range("recommender.blend.fresh_hours", blend.fresh_hours, 0.01..=1e6)?;
    range("recommender.neighbours.slots", neighbours.slots, 16..=1_024)?;
    range("recommender.neighbours.pairs", neighbours.pairs, 0..=64)?;
    range("recommender.neighbours.history", neighbours.history, neighbours.pairs.max(1)..=64)?;
    range("recommender.neighbours.damping", neighbours.damping, 0.0..=1e6)
}
