//! What is counted and measured. `names` has every name, help text and bucket; `events` what call sites use.
//!
//! No label ever holds a user, an item or a message: labels are roles, models, shards, partitions, routes and closed
//! sets of outcomes and reasons, so their number is bounded by the configuration.

mod events;
mod names;

use prometheus::{Encoder, Registry, TextEncoder};

pub use events::EventOutcome;
use names::ProcessMetrics;
pub use names::{GatewayMetrics, ServerMetrics, WorkerMetrics};

use crate::Error;

/// All metrics of a process. Roles that do not run leave theirs empty, and empty ones are not shown.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    process: ProcessMetrics,
    /// The role `worker`.
    pub worker: WorkerMetrics,
    /// The role `server`.
    pub server: ServerMetrics,
    /// The role `gateway`.
    pub gateway: GatewayMetrics,
}

impl Metrics {
    /// Registers everything with `registry`.
    ///
    /// # Errors
    /// [`Error::Metrics`] where `registry` already has metrics of these names.
    pub fn new(registry: Registry) -> Result<Self, Error> {
        let process = ProcessMetrics::register(&registry)?;
        let worker = WorkerMetrics::register(&registry)?;
        let server = ServerMetrics::register(&registry)?;
        let gateway = GatewayMetrics::register(&registry)?;
        Ok(Self { registry, process, worker, server, gateway })
    }

    /// Everything in Prometheus's text format; `ready` is what the health registry says now.
    ///
    /// # Errors
    /// [`Error::Metrics`] where a metric cannot be written.
    pub fn encode(&self, ready: bool) -> Result<Vec<u8>, Error> {
        self.process.ready.set(ready.into());
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
