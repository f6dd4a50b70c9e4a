//! The thread that reads the catalogue's topic from its beginning, and goes on.
//!
//! A record that says nothing of an item changes nothing: the item keeps the record before it, and the refusal is logged and counted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::ArcSwapOption;
use weir_kafka::{Admin, Isolation, MemberEvent, Reader, Record, StartAt};
use weir_runtime::{BrokerWatch, Context, HealthPart};
use weir_wire::{Reason, Reject, catalogue};

use super::{Catalogue, Change};
use crate::gateway::connection;
use crate::served::ServedModel;
use crate::sides::{Sides, Writer};

/// The thread's name in health, and the part's in metrics.
pub(crate) const PART: &str = "catalogue";
const TIMEOUT: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);
/// Records that are taken in together: applying them takes a few milliseconds.
const BATCH: usize = 8_192;

/// The catalogue as requests have it, and the one thread that follows it.
#[derive(Default)]
pub(crate) struct Shared(ArcSwapOption<Sides<Catalogue>>);

impl Shared {
    /// Reads it; none before all that was in the topic at the start is here. It waits for nobody.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Catalogue) -> T) -> Option<T> {
        Some(self.0.load_full()?.read(read))
    }

    /// As before it was read.
    #[cfg(test)]
    pub(crate) fn forget(&self) {
        self.0.store(None);
    }

    /// From now on this one serves.
    pub(crate) fn publish(&self, sides: &Arc<Sides<Catalogue>>) {
        self.0.store(Some(Arc::clone(sides)));
    }
}

/// Follows the catalogue's topic until the shutdown is requested; blocks.
///
/// Each call begins with an empty catalogue beside the one that serves, and lets it serve when it has read what was there at the start: a
/// failure costs freshness, never an answer, and what was removed meanwhile is gone.
///
/// # Errors
/// The broker cannot be reached, or the topic is not there: start again.
pub(crate) fn follow(context: &Context, shared: &Shared, model: &ServedModel) -> anyhow::Result<()> {
    let health = context.health.part(PART);
    health.not_ready("reading the catalogue");
    context.metrics.gateway.catalogue_begins(Reason::ALL.map(Reason::as_str));
    let mut following = Following::start(context, &health)?;
    let mut serves = false;
    while !context.shutdown.is_requested() {
        following.step(context, model)?;
        following.broker.look(following.reader.stats().connected(), context);
        if !serves && following.left.is_empty() {
            serves = true;
            shared.publish(following.writer.sides());
            health.ready();
        }
    }
    Ok(())
}

struct Following {
    reader: Reader,
    writer: Writer<Catalogue>,
    /// Partitions whose end was not met yet.
    left: BTreeSet<u32>,
    broker: BrokerWatch,
}

impl Following {
    fn start(context: &Context, health: &HealthPart) -> anyhow::Result<Self> {
        let topic = &context.settings.topics.items;
        let connection = connection(context);
        let partitions = Admin::connect(&connection, TIMEOUT)?.partition_count(topic)?;
        let partitions = partitions.with_context(|| {
            format!("topic {topic} is not there yet; servers create it, and so does `weir topics create`")
        })?;
        let starts: Vec<_> = (0..partitions).map(|partition| (partition, StartAt::Beginning)).collect();
        let empty = || Catalogue::new(context.settings.gateway.catalogue_items);
        Ok(Self {
            reader: Reader::open(&connection, topic, &starts, Isolation::ReadCommitted)?,
            writer: Writer::new(&Arc::new(Sides::new(empty(), empty()))),
            left: (0..partitions).collect(),
            broker: BrokerWatch::new(health, PART, PART, "changed items are not seen"),
        })
    }

    fn step(&mut self, context: &Context, model: &ServedModel) -> anyhow::Result<()> {
        let mut changes = Vec::new();
        let polled =
            self.reader.poll(POLL, BATCH, &mut |record| match catalogue::parse(record.key, record.payload) {
                Ok(event) => changes.push(Change::new(model.key(event.item()), &event)),
                Err(reject) => refused(context, &record, &reject),
            })?;
        if !changes.is_empty() {
            let kept = self.writer.apply(&mut changes);
            (0..kept.refused).for_each(|_| context.metrics.gateway.item_refused(Reason::TooLarge.as_str()));
            if kept.refused > 0 {
                let most = context.settings.gateway.catalogue_items;
                tracing::warn!(refused = kept.refused, most, "no room for items; gateway.catalogue_items bounds them");
            }
            context.metrics.gateway.catalogue(kept.items, kept.hidden);
        }
        for event in polled.events {
            if let MemberEvent::EndOfPartition(partition) = event {
                self.left.remove(&partition);
            }
        }
        Ok(())
    }
}

fn refused(context: &Context, record: &Record<'_>, reject: &Reject) {
    context.metrics.gateway.item_refused(reject.reason.as_str());
    let (partition, offset) = (record.partition, record.offset);
    let topic = &context.settings.topics.items;
    tracing::warn!(topic, partition, offset, %reject, "item refused, what was known of it before counts on");
}
