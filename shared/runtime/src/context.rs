//! What each role is given.

use std::sync::Arc;

use crate::{Health, Metrics, Settings, Shutdown};

/// What each role of a process shares with the others; cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    /// What is in force, validated.
    pub settings: Arc<Settings>,
    /// The instance's stable name: part of transactional ids, `group.instance.id`, and nothing else.
    pub instance: String,
    /// Where events are counted.
    pub metrics: Arc<Metrics>,
    /// Where parts say whether they are ready.
    pub health: Health,
    /// When to stop.
    pub shutdown: Shutdown,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A context of defaults, with metrics of its own.
    pub(crate) fn context() -> Context {
        Context {
            settings: Arc::new(Settings::default()),
            instance: "test".into(),
            metrics: Arc::new(Metrics::new(prometheus::Registry::new()).expect("registered")),
            health: Health::new(),
            shutdown: Shutdown::new(),
        }
    }
}
