//! The reading threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::Sender;
use weir_kafka::{Member, MemberEvent, Reader, StartAt};
use weir_ps::{Pull, Schema};

use crate::frames::{PushRecord, pull_record, push_record};

const POLL: Duration = Duration::from_millis(50);
const RECORDS: usize = 256;
/// Pulls before the end of their topic that a new owner answers.
const RECENT_PULLS: u64 = 32;
const LOOKUP: Duration = Duration::from_secs(10);

/// What the push log brings.
#[derive(Debug)]
pub(crate) enum LogEvent {
    /// A record.
    Record { shard: u32, offset: u64, written_ms: Option<i64>, record: PushRecord },
    /// The group moves shards.
    Rebalance(MemberEvent),
    /// Reading cannot go on.
    Failed(weir_kafka::Error),
}

/// What the pulls topic brings.
#[derive(Debug)]
pub(crate) enum PullEvent {
    /// A question.
    Pull(Pull),
    /// Not ours, or not readable.
    Skipped(&'static str),
    /// Reading cannot go on.
    Failed(weir_kafka::Error),
}

/// Reads the push log until told to stop. The channel is bounded: a loop that is behind stops the reading.
pub(crate) fn read_pushes(
    member: &Member,
    schema: &dyn Schema,
    model: u32,
    stop: &AtomicBool,
    events: &Sender<LogEvent>,
) {
    while !stop.load(Ordering::Acquire) {
        let polled = member.poll(POLL, RECORDS, &mut |record| {
            let (shard, offset) = (record.partition, record.offset);
            // A closed channel means that the role is being torn down, which the flag will say too.
            let (written_ms, push) = (record.timestamp_ms, push_record(schema, model, &record));
            let _ = events.send(LogEvent::Record { shard, offset, written_ms, record: push });
        });
        match polled {
            Ok(polled) => {
                let moves = polled.events.into_iter().filter(|event| !matches!(event, MemberEvent::EndOfPartition(_)));
                moves.for_each(|event| drop(events.send(LogEvent::Rebalance(event))));
            }
            Err(error) => {
                let _ = events.send(LogEvent::Failed(error));
                return;
            }
        }
    }
}

/// Reads pulls until told to stop. Pulls that find no room in the channel are dropped: they will be asked again.
pub(crate) fn read_pulls(
    reader: &Reader,
    schema: &dyn Schema,
    model: u32,
    stop: &AtomicBool,
    events: &Sender<PullEvent>,
) {
    while !stop.load(Ordering::Acquire) {
        let polled = reader.poll(POLL, RECORDS, &mut |record| {
            let event = pull_record(schema, model, &record).map_or_else(PullEvent::Skipped, PullEvent::Pull);
            let _ = events.try_send(event);
        });
        if let Err(error) = polled {
            let _ = events.send(PullEvent::Failed(error));
            return;
        }
    }
}

/// Reads the pulls of these shards from a little before their end. Pulls that were asked while nobody owned the shard
/// are answered at once, as far as they are recent: their workers would ask again, but only after a while. Nobody minds
/// an answer to an older one.
pub(crate) fn read_recent_pulls(reader: &Reader, shards: &[u32]) -> weir_kafka::Result<()> {
    let start = |&shard: &u32| {
        let bounds = reader.watermarks(shard, LOOKUP)?;
        Ok((shard, StartAt::Offset(bounds.end.saturating_sub(RECENT_PULLS).max(bounds.first))))
    };
    reader.reassign(&shards.iter().map(start).collect::<weir_kafka::Result<Vec<_>>>()?)
}
