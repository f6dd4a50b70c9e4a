//! The thread that reads replies.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::Sender;
use weir_kafka::Reader;
use weir_models::frames::{decode_reply, position_from_wire};
use weir_ps::{Position, Reply};
use weir_wire::{Frame, FrameError};

const POLL: Duration = Duration::from_millis(50);
const RECORDS: usize = 256;

/// What the replies topic brings to one instance.
#[derive(Debug)]
pub(crate) enum ReplyEvent {
    /// Rows.
    Reply(Reply),
    /// What a shard says of the source partitions asked for.
    Positions { number: u64, shard: u32, positions: Vec<(u32, Option<Position>)> },
    /// Not ours, or not readable.
    Skipped(&'static str),
    /// Reading cannot go on.
    Failed(weir_kafka::Error),
}

/// Reads replies to the requests of `instance` until told to stop. A reply that finds no room is dropped: it will be
/// asked for again.
pub(crate) fn read_replies(reader: &Reader, model: u32, instance: u64, stop: &AtomicBool, events: &Sender<ReplyEvent>) {
    while !stop.load(Ordering::Acquire) {
        let polled = reader.poll(POLL, RECORDS, &mut |record| {
            let event = match Frame::parse_for(model, record.payload.unwrap_or_default()) {
                Ok(frame) => reply_of(instance, record.partition, &frame),
                Err(error) => Some(ReplyEvent::Skipped(error.as_str())),
            };
            if let Some(event) = event {
                let _ = events.try_send(event);
            }
        });
        if let Err(error) = polled {
            let _ = events.send(ReplyEvent::Failed(error));
            return;
        }
    }
}

/// Nothing for replies to other instances, which share the partition.
fn reply_of(instance: u64, reply_to: u32, frame: &Frame<'_>) -> Option<ReplyEvent> {
    match frame {
        Frame::Reply(reply) if reply.head.request.instance == instance => {
            Some(ReplyEvent::Reply(decode_reply(reply_to, reply)))
        }
        Frame::Positions(answer) if answer.head.request.instance == instance => {
            let positions = answer.positions().map(|(source, at)| (source, at.map(position_from_wire)));
            let (number, shard) = (answer.head.request.number, answer.head.shard);
            Some(ReplyEvent::Positions { number, shard, positions: positions.collect() })
        }
        Frame::Reply(_) | Frame::Positions(_) => None,
        _ => Some(ReplyEvent::Skipped(FrameError::Malformed("neither a reply nor positions").as_str())),
    }
}
