//! `weir accept-loss`: goes on where a log no longer reaches back to what has to be read of it.
//!
//! Roles refuse to start then, because nothing can bring back what was deleted. This command shows what is lost and, told
//! to, writes into weir's own logs that it is, in transactions: a shard that lacks push records gets a barrier behind them,
//! events that were deleted before they were learned are covered by a step that teaches nothing. Each loss is a record of the
//! topic of refused events.

pub(crate) mod logs;
mod loss;

use std::sync::Arc;
use std::time::Duration;

use weir_kafka::{AbortFirst, Admin, InputOffsets, OutRecord, Transaction, Transactional};
use weir_models::{Description, descriptions};
use weir_runtime::Settings;

use crate::arguments::AcceptLossCommand;
use crate::topics;
use logs::Logs;
use loss::{LostEvents, LostPushes};

const LOOKUP: Duration = Duration::from_secs(10);

/// Shows what is lost of each model's logs, and accepts it if the command says so.
///
/// # Errors
/// The broker cannot be reached, a role still runs, or the logs do not fit together in some other way; then nothing is
/// written.
pub(crate) fn run(command: &AcceptLossCommand, settings: &Settings) -> anyhow::Result<()> {
    let admin = Admin::connect(&topics::connection(settings), LOOKUP)?;
    let mut losses = 0;
    for description in descriptions(settings)? {
        let logs = Logs::open(&admin, &description, settings)?;
        let (pushes, events) = (logs.lost_pushes()?, logs.lost_events()?);
        for lost in &pushes {
            println!("model {}: {lost}", description.name);
        }
        for lost in &events {
            println!("model {}: {lost}", description.name);
        }
        losses += pushes.len() + events.len();
        if command.yes && !(pushes.is_empty() && events.is_empty()) {
            accept(&logs, &description, settings, pushes, &events)?;
        }
    }
    match (losses, command.yes) {
        (0, _) => println!("nothing is lost: every log reaches back to where it is read from"),
        (_, false) => println!("nothing was changed; --yes goes on without what is lost"),
        (_, true) => println!("accepted; the topics of refused events say what, with the reason {}", loss::REASON),
    }
    Ok(())
}

/// Push records first: events are covered by pushes behind them.
fn accept(
    logs: &Logs<'_>,
    description: &Description,
    settings: &Settings,
    pushes: Vec<LostPushes>,
    events: &[LostEvents],
) -> anyhow::Result<()> {
    logs.check_idle()?;
    let id = description.transactional_id(&settings.prefix, "operator", "accept-loss");
    let timeout = Duration::from_millis(settings.kafka.transaction_timeout_ms);
    let mut producer = Transactional::start(&topics::connection(settings), &id, timeout, &AbortFirst::default())?;
    let rejected: Arc<str> = description.rejected().into();
    if !pushes.is_empty() {
        let next = pushes.iter().map(|lost| (lost.shard, lost.next)).collect();
        let mut records: Vec<OutRecord> = pushes.iter().map(|lost| lost.record(&rejected, &logs.pushes)).collect();
        for lost in pushes {
            records.push(lost.into_barrier(&logs.parameters, description.hash())?);
        }
        let metadata = logs.servers.metadata()?;
        let offsets = Some(InputOffsets { metadata, topic: Arc::clone(&logs.pushes), next });
        producer.run(&Transaction { records, offsets })?;
    }
    if !events.is_empty() {
        let mut records: Vec<OutRecord> =
            events.iter().map(|lost| lost.record(&rejected, &description.input)).collect();
        records.extend(loss::step(events, &logs.pushes, description)?);
        let next = events.iter().map(|lost| (lost.partition, lost.next)).collect();
        let metadata = logs.workers.metadata()?;
        let offsets = Some(InputOffsets { metadata, topic: Arc::clone(&description.input), next });
        producer.run(&Transaction { records, offsets })?;
    }
    Ok(())
}
