//! The models that are evaluated: the recommender as it is served, and what it has to beat.

mod baselines;
mod recommender;

pub use baselines::{Biases, ItemToItem, Popularity, RunningMean};
pub use recommender::{Recommender, Settings};
