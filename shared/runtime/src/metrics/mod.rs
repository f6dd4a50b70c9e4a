//! What is counted and measured. `names` has every name, help text and bucket; `events` what call sites use.
//!
//! A new metric is one line in a file of `names`, and a function in the file of the same name in `events` that moves it
//! together with its relatives. The README's table is made from here: `WEIR_UPDATE=1 cargo test -p weir-runtime --test
//! metrics_table`.
//!
//! No label ever holds a user, an item or a message: labels are roles, models, shards, tables, partitions, routes and
//! closed sets of outcomes and reasons, so their number is bounded by the configuration.

mod events;
mod family;
mod memory;
mod names;

use prometheus::{Encoder, Registry, TextEncoder};

pub use events::{ClientFigures, EventOutcome, InFlight, Moved, ShardSize};
use family::Register;
pub use family::{Family, Kind};
use names::ProcessMetrics;
pub use names::{GatewayMetrics, KafkaMetrics, ServerMetrics, WorkerMetrics};

use crate::Error;

/// All metrics of a process. Roles that do not run leave theirs empty, and empty ones are not shown.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    families: Vec<Family>,
    process: ProcessMetrics,
    /// Clients of Kafka.
    pub kafka: KafkaMetrics,
    /// The role `worker`.
    pub worker: WorkerMetrics,
    /// The role `server`.
    pub server: ServerMetrics,
    /// The role `gateway`.
    pub gateway: GatewayMetrics,
}

/// No labels.
const NONE: [&str; 0] = [];

impl Metrics {
    /// Registers everything with `registry`.
    ///
    /// # Errors
    /// [`Error::Metrics`] where `registry` already has metrics of these names.
    pub fn new(registry: Registry) -> Result<Self, Error> {
        let mut register = Register::new(&registry);
        let process = ProcessMetrics::register(&mut register)?;
        let kafka = KafkaMetrics::register(&mut register)?;
        let worker = WorkerMetrics::register(&mut register)?;
        let server = ServerMetrics::register(&mut register)?;
        let gateway = GatewayMetrics::register(&mut register)?;
        let revision = option_env!("WEIR_REVISION").unwrap_or("unknown");
        process.build.with_label_values(&[env!("CARGO_PKG_VERSION"), revision]).set(1);
        let families = register.families;
        Ok(Self { registry, families, process, kafka, worker, server, gateway })
    }

    /// Every family that there is, in the order in which the README lists them.
    #[must_use]
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// Everything in Prometheus's text format; `ready` is what the health registry says now.
    ///
    /// # Errors
    /// [`Error::Metrics`] where a metric cannot be written.
    pub fn encode(&self, ready: bool) -> Result<Vec<u8>, Error> {
        self.process.ready.with_label_values(&NONE).set(ready.into());
        if let Some(limit) = memory::limit() {
            self.process.memory_limit.with_label_values(&NONE).set(limit as i64);
        }
        self.tokio();
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }

    /// What the runtime says that serves HTTP, and so the scrape.
    fn tokio(&self) {
        let Ok(handle) = tokio::runtime::Handle::try_current() else { return };
        let (runtime, process) = (handle.metrics(), &self.process);
        process.tokio_workers.with_label_values(&NONE).set(runtime.num_workers() as i64);
        process.tokio_tasks.with_label_values(&NONE).set(runtime.num_alive_tasks() as i64);
        process.tokio_queued.with_label_values(&NONE).set(runtime.global_queue_depth() as i64);
        let workers = 0..runtime.num_workers();
        let busy: f64 = workers.map(|worker| runtime.worker_total_busy_duration(worker).as_secs_f64()).sum();
        let counter = process.tokio_busy.with_label_values(&NONE);
        counter.inc_by((busy - counter.get()).max(0.0));
    }
}

#[cfg(test)]
mod tests;
