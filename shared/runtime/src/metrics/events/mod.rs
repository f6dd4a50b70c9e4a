//! What happened, told once: each function moves all the metrics that belong to it.

mod gateway;
mod kafka;
mod process;
mod server;
mod worker;

pub use gateway::InFlight;
pub use kafka::ClientFigures;
pub use process::Moved;
pub use server::ShardSize;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventOutcome {
    /// Learned from.
    Learned,
    /// Known by its id and dropped: it was learned before.
    Repeated,
    /// Took an item from a user's seen items.
    Removed,
    /// Asked to forget a user.
    Forgotten,
    /// Sent to the rejected topic.
    Rejected,
    /// Of no meaning to this model.
    Ignored,
}

impl EventOutcome {
    /// The label's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Learned => "learned",
            Self::Repeated => "repeated",
            Self::Removed => "removed",
            Self::Forgotten => "forgotten",
            Self::Rejected => "rejected",
            Self::Ignored => "ignored",
        }
    }
}

/// The sum of a counter over all its labels.
fn total(counter: &prometheus::IntCounterVec) -> f64 {
    let families = prometheus::core::Collector::collect(counter);
    let metrics = families.iter().flat_map(prometheus::proto::MetricFamily::get_metric);
    metrics.map(|metric| metric.get_counter().get_value()).sum()
}
