//! The thread that follows the control topic, one for a process.

use std::sync::Arc;
use std::time::Duration;

use weir_kafka::{Admin, Connection, Isolation, MemberEvent, Reader, StartAt};
use weir_runtime::{BrokerWatch, Context, HealthPart, Supervisor};
use weir_wire::control;

use super::ROLE_LOOKUP;
use super::control::{PARTITION, States, take};
use super::running::Generations;
use crate::topics;

const POLL: Duration = Duration::from_millis(50);
/// Between two looks whether there is a control topic.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const RECORDS: usize = 1_000;
/// The part's name in health, threads and metrics.
const PART: &str = "generations";

/// Starts the thread.
///
/// # Errors
/// The operating system refuses it.
pub(crate) fn spawn(supervisor: &mut Supervisor, generations: &Arc<Generations>) -> anyhow::Result<()> {
    let generations = Arc::clone(generations);
    supervisor.spawn(PART, move |context| {
        let outcome = follow(context, &generations, &context.health.part(PART));
        if context.shutdown.is_requested() {
            generations.join();
        }
        outcome
    })?;
    Ok(())
}

fn follow(context: &Context, generations: &Generations, health: &HealthPart) -> anyhow::Result<()> {
    let settings = &context.settings;
    let connection = Connection::new(&settings.brokers, format!("{}-models-{}", settings.prefix, context.instance));
    let connection = connection.with_settings(&settings.kafka.settings);
    let topic = control::topic(&settings.prefix);
    let admin = Admin::connect(&topics::connection(settings), ROLE_LOOKUP)?;
    // Until a record says otherwise the first generations serve.
    while !is_there(&admin, &topic, health)? {
        if context.shutdown.wait(LOOK_AGAIN) {
            return Ok(());
        }
    }
    let starts = [(PARTITION, StartAt::Beginning)];
    let reader = Reader::open(&connection, &topic, &starts, Isolation::ReadCommitted)?;
    let mut broker = BrokerWatch::new(health, PART, PART, "changed generations are not seen");
    let (mut states, mut whole) = (States::new(), false);
    while !context.shutdown.is_requested() {
        let mut changed = false;
        let polled = reader.poll(POLL, RECORDS, &mut |record| match take(&mut states, record.key, record.payload) {
            Ok(follows) => changed |= follows,
            Err(problem) => tracing::warn!(topic, offset = record.offset, problem, "record passed over"),
        })?;
        let first = !whole && polled.events.contains(&MemberEvent::EndOfPartition(PARTITION));
        whole |= first;
        if first || (whole && changed) {
            generations.apply(states.clone());
            health.ready();
        }
        if let Some(gateway) = &generations.gateway {
            gateway.settle();
        }
        generations.reap()?;
        broker.look(reader.stats().connected(), context);
    }
    Ok(())
}

/// Whether there is a control topic. Where there is none nothing was ever changed, and nobody can change what a broker inside
/// this process holds.
fn is_there(admin: &Admin, topic: &str, health: &HealthPart) -> weir_kafka::Result<bool> {
    if admin.is_embedded() {
        health.ready();
        return Ok(false);
    }
    match admin.partition_count(topic) {
        Ok(Some(_)) => Ok(true),
        Ok(None) => {
            health.ready();
            Ok(false)
        }
        // The other parts say so too; there is nothing here to begin anew.
        Err(error) if error.is_unreachable() => {
            health.not_ready(error.to_string());
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
