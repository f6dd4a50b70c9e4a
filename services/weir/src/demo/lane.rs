//! How far ahead of the gateway one kind of events is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use weir_gateway::{Gateway, ServedModel};

/// Of each chunk so many events are asked about before they are sent.
const ASKED: usize = 25;

/// A topic's events on their way through one model. The embedded broker drops what is too old, so that no more may be on
/// their way than all topics of the model can hold.
pub(super) struct Lane {
    model: Arc<ServedModel>,
    sent: AtomicU64,
    /// Events that the gateway need not cover yet.
    lead: u64,
}

impl Lane {
    /// Through the model called `name`, with at most `lead` events on their way.
    ///
    /// # Errors
    /// The gateway has no such model.
    pub(super) fn new(gateway: &Gateway, name: &str, lead: u64) -> anyhow::Result<Self> {
        let model = gateway.models().into_iter().find(|model| model.name() == name);
        let model = model.with_context(|| format!("the demo has no model {name}"))?;
        Ok(Self { model, sent: AtomicU64::new(0), lead })
    }

    /// Events that answers contain.
    pub(super) fn covered(&self) -> u64 {
        self.model.covered().iter().sum()
    }

    /// Whether so many more may be sent.
    pub(super) fn fits(&self, events: u64) -> bool {
        self.sent.load(Ordering::Relaxed) + events <= self.covered() + self.lead
    }

    /// How many of the next events the model is asked about: none before it has learned the first ones.
    pub(super) fn asked<E>(&self, next: &[E]) -> usize {
        if self.covered() == 0 { 0 } else { next.len().min(ASKED) }
    }

    /// So many are sent.
    pub(super) fn took(&self, events: u64) {
        self.sent.fetch_add(events, Ordering::Relaxed);
    }
}
