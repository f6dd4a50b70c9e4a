//! Generations of a model side by side, on a real Kafka: begun from the log, promoted, rolled back, retired, and killed meanwhile.

mod commands;
mod imported;
mod kills;
mod life;
mod passes;
