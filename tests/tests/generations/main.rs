//! Generations of a model side by side, on a real Kafka: begun from the log, promoted, rolled back, retired.

mod commands;
mod life;
