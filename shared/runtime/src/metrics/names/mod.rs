//! Every metric's name, help text, labels and buckets: one file for what all roles have, and one for each role.

mod gateway;
mod kafka;
mod process;
mod server;
mod worker;

pub use gateway::GatewayMetrics;
pub use kafka::KafkaMetrics;
pub(super) use process::ProcessMetrics;
pub use server::ServerMetrics;
pub use worker::WorkerMetrics;
