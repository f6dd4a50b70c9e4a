//! What the readers make of records: values for the loop, checked on the readers' threads.

use weir_kafka::Record;
use weir_models::frames::{decode_pull, decode_push, request_from_wire};
use weir_ps::{Part, Pull, RequestId, Schema, SourceRange};
use weir_wire::{Frame, FrameError};

/// What a record of the push log says.
#[derive(Debug)]
pub(crate) enum PushRecord {
    /// Deltas.
    Push { number: u16, count: u16, ranges: Vec<SourceRange>, part: Part },
    /// A worker asks for positions, behind everything that was committed before.
    Query { request: RequestId, reply_to: u32, sources: Vec<u32> },
    /// Not ours, or not readable: the offset moves on.
    Skipped(&'static str),
}

/// Reads a record of the push log of `model`.
pub(crate) fn push_record(schema: &dyn Schema, model: u32, record: &Record<'_>) -> PushRecord {
    let parsed = Frame::parse_for(model, record.payload.unwrap_or_default());
    match parsed.and_then(|frame| push_of(schema, record.partition, &frame)) {
        Ok(record) => record,
        Err(error) => PushRecord::Skipped(error.as_str()),
    }
}

fn push_of(schema: &dyn Schema, shard: u32, frame: &Frame<'_>) -> Result<PushRecord, FrameError> {
    if frame.shard() != shard {
        return Err(FrameError::Malformed("a frame of another shard"));
    }
    match frame {
        Frame::Push(push) => {
            let (ranges, part) = decode_push(schema, push)?;
            Ok(PushRecord::Push { number: push.head.part, count: push.head.parts, ranges, part })
        }
        Frame::Query(query) => {
            let request = request_from_wire(query.head.request);
            let (reply_to, sources) = (query.head.reply_partition, query.sources().collect());
            Ok(PushRecord::Query { request, reply_to, sources })
        }
        _ => Err(FrameError::Malformed("neither a push nor a query")),
    }
}

/// Reads a record of the pulls topic of `model`.
pub(crate) fn pull_record(schema: &dyn Schema, model: u32, record: &Record<'_>) -> Result<Pull, &'static str> {
    match Frame::parse_for(model, record.payload.unwrap_or_default()) {
        Ok(Frame::Pull(pull)) if pull.head.shard == record.partition => {
            decode_pull(schema, &pull).map_err(|error| error.as_str())
        }
        Ok(_) => Err(FrameError::Malformed("not a pull of this shard").as_str()),
        Err(error) => Err(error.as_str()),
    }
}
