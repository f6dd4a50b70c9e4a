//! `weir evaluate`: how well a model does on a file, progressively and without Kafka, by the code that workers run.

pub(crate) mod ratings;

pub(crate) use ratings::{EvaluateRatings, run as ratings};
