//! weir-kafka against a real Apache Kafka: what the rules of exactly-once promise, seen from outside.

mod connection_loss;
mod groups;
mod senders;
mod support;
mod topics;
mod transactions;
