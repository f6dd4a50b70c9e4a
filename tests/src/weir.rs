//! The real `weir` command, built once, and its roles as processes of their own.

mod build;
mod deployment;
mod instance;

use std::time::Duration;

use serde_json::Value;

pub use build::{binary, example};
pub use deployment::Deployment;
pub use instance::{Instance, READY_TIMEOUT};

use crate::http::Client;
use crate::wait::{try_wait_until, wait_until};

/// What a process of weir does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Owns shards.
    Server,
    /// Learns from events.
    Worker,
    /// Answers REST.
    Gateway,
    /// All of them.
    Standalone,
}

impl Role {
    /// The subcommand.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Worker => "worker",
            Self::Gateway => "gateway",
            Self::Standalone => "standalone",
        }
    }

    fn serves_rest(self) -> bool {
        matches!(self, Self::Gateway | Self::Standalone)
    }
}

/// Waits until the gateway has materialised what is based on at least these offsets, next to read, per partition.
///
/// # Panics
/// When it has not after `timeout`; the message says how far it is.
pub fn wait_contained(rest: &Client, model: &str, topic: &str, ends: &[u64], timeout: Duration) {
    wait_contained_and(rest, model, topic, ends, timeout, || ());
}

/// The same, and looks after something meanwhile, each time before it asks.
///
/// # Panics
/// When the gateway does not contain it in time.
pub fn wait_contained_and(
    rest: &Client,
    model: &str,
    topic: &str,
    ends: &[u64],
    timeout: Duration,
    mut meanwhile: impl FnMut(),
) {
    let mut seen = Value::Null;
    let contained = try_wait_until(timeout, || {
        meanwhile();
        seen = covered(rest, model, topic)?;
        let offsets = seen.as_array()?;
        let next = |partition: usize| offsets.get(partition).and_then(Value::as_u64).unwrap_or(0);
        let reached = |(partition, end): (usize, &u64)| next(partition) >= *end;
        ends.iter().enumerate().all(reached).then_some(())
    });
    assert!(contained.is_some(), "model {model} covers {seen} of {topic} after {timeout:?}, not {ends:?}");
}

/// What the gateway says it covers of `topic`: the offset next to read per partition; none where it does not answer.
#[must_use]
pub fn covered(rest: &Client, model: &str, topic: &str) -> Option<Value> {
    let answer = rest.try_get("/v1/models").filter(|answer| answer.status == 200)?;
    let models = answer.json();
    let model = models["models"].as_array()?.iter().find(|found| found["name"] == model)?;
    Some(model["offsets"][topic].clone())
}

/// Waits until `instance` says of itself that it is not ready.
///
/// # Panics
/// When it still says the opposite after `timeout`.
pub fn wait_not_ready(instance: &Instance, timeout: Duration) {
    wait_until("readiness is withdrawn", timeout, || {
        instance.ops().try_get("/health/ready").filter(|answer| answer.status != 200).map(|_| ())
    });
}
