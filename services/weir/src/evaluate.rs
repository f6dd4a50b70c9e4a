//! `weir evaluate`: how well a model does on a file, progressively and without Kafka, by the code that workers run.

mod figures;
pub(crate) mod messages;
mod plot;
pub(crate) mod ratings;

pub(crate) use messages::{EvaluateMessages, run as messages};
pub(crate) use ratings::{EvaluateRatings, run as ratings};
