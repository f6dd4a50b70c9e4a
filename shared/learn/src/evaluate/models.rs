//! The models that are evaluated: the recommender as it is served, and what it has to beat.

mod baselines;
mod offline;
mod recommender;

pub use baselines::{Biases, ItemToItem, Popularity, RunningMean};
pub use offline::{Offline, TrainedFirst};
pub use recommender::{Recommender, Settings};
