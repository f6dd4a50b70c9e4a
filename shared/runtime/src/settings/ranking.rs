//! The section `recommender.ranking`, and its ranges.

use serde::{Deserialize, Serialize};

use super::check::range;
use crate::Error;

/// The part of the recommender that puts items in order. Rates and ranges are those of `weir-learn`, where the figures are that
/// chose these defaults. What shapes its rows (`factors`) is stored with the model: a change of it is refused at
/// start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RankingSettings {
    /// Factors of a user or item, 0 to 1024. With 0 nothing personal is learned, and all are shown what is popular.
    pub factors: u16,
    /// `AdaGrad`'s rate of the factors.
    pub factor_rate: f32,
    /// `AdaGrad`'s rate of the items' biases.
    pub bias_rate: f32,
    /// Where the sums of squared gradients begin: the larger, the slower the first steps.
    pub initial_sum: f32,
    /// Pull of the factors to 0.
    pub regularisation: f32,
    /// Standard deviation of the initial factors.
    pub initial_sd: f32,
    /// Where a user's first factor begins.
    pub initial_user_factor: f32,
    /// Items drawn as not chosen for each that was chosen.
    pub negatives: u16,
    /// Out of the items of how many last events of their partition they are drawn; a larger batch's own are all used.
    pub window: u32,
    /// Which ratings are choices.
    pub positive_ratings: PositiveRatings,
    /// The least rating that is a choice, where `positive_ratings` is `at_least`.
    pub positive_at_least: f32,
    /// Whether an event without a rating is a choice.
    pub positive_without_rating: bool,
    /// How fast what a choice counts grows with its rating above the least that is one; 0 to 100, with 0 all count alike.
    pub positive_growth: f32,
    /// How items are drawn as not chosen.
    pub negatives_from: NegativesFrom,
    /// What learning makes smaller.
    pub loss: RankingLoss,
}

impl Default for RankingSettings {
    fn default() -> Self {
        Self {
            factors: 16,
            factor_rate: 0.13,
            bias_rate: 0.02,
            initial_sum: 30.0,
            regularisation: 0.01,
            initial_sd: 0.03,
            initial_user_factor: 1.5,
            negatives: 4,
            window: 512,
            positive_ratings: PositiveRatings::Mean,
            positive_at_least: 0.0,
            positive_without_rating: true,
            positive_growth: 1.0,
            negatives_from: NegativesFrom::Uniform,
            loss: RankingLoss::SquaredError,
        }
    }
}

/// Which ratings say that the user chose the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PositiveRatings {
    /// Those at or above the mean of the user's ratings so far.
    Mean,
    /// Those of at least `positive_at_least`.
    AtLeast,
    /// All.
    Every,
}

/// How items are drawn as not chosen, out of those of the last events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NegativesFrom {
    /// Each as likely as any other.
    Uniform,
    /// By how many of the events have it.
    Popularity,
    /// Those whose last event is the longest ago.
    LeastRecent,
}

/// What learning makes smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RankingLoss {
    /// The squared distance of scores from 1, of what was chosen, and 0.
    SquaredError,
    /// That a drawn item stands above the chosen one, pair by pair.
    Bpr,
    /// That the chosen item is not the first among all that were drawn for it.
    Listwise,
}

pub(super) fn check(ranking: &RankingSettings) -> Result<(), Error> {
    range("recommender.ranking.factors", ranking.factors, 0..=1_024)?;
    range("recommender.ranking.factor_rate", ranking.factor_rate, 0.0..=10.0)?;
    range("recommender.ranking.bias_rate", ranking.bias_rate, 0.0..=10.0)?;
    range("recommender.ranking.initial_sum", ranking.initial_sum, 1e-6..=1e6)?;
    range("recommender.ranking.regularisation", ranking.regularisation, 0.0..=1.0)?;
    range("recommender.ranking.initial_sd", ranking.initial_sd, 0.0..=10.0)?;
    range("recommender.ranking.initial_user_factor", ranking.initial_user_factor, 0.0..=10.0)?;
    range("recommender.ranking.negatives", ranking.negatives, 1..=100)?;
    range("recommender.ranking.window", ranking.window, 1..=1 << 20)?;
    range("recommender.ranking.positive_growth", ranking.positive_growth, 0.0..=100.0)?;
    // Those that events may have.
    range("recommender.ranking.positive_at_least", ranking.positive_at_least, -1e6..=1e6)
}
