//! What is lost, and the records that say so.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::{fmt, iter};

use serde_json::json;
use weir_kafka::OutRecord;
use weir_models::Description;
use weir_wire::frame::{self, BARRIER_KEY, FrameError, Position, PushFrame, PushHead, SourceDone, SourceRange};
use weir_wire::rejected;

/// The reason in the header of a record that stands for what was lost.
pub(super) const REASON: &str = "lost";

/// Push records that were deleted before their shard had published what they taught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LostPushes {
    pub(super) shard: u32,
    /// Where the shard's barrier stands.
    pub(super) first: u64,
    /// The first record that is still there.
    pub(super) next: u64,
    /// Where the shard's sources stand behind what is lost.
    pub(super) sources: BTreeMap<u32, SourceDone>,
    pub(super) layout_json: Vec<u8>,
}

/// Events that were deleted before they were learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LostEvents {
    pub(super) partition: u32,
    pub(super) first: u64,
    pub(super) next: u64,
}

/// What is still there of a push log, as far as it says where sources stand at its beginning.
#[derive(Debug, Default)]
pub(super) struct Beginnings(BTreeMap<u32, SourceDone>);

impl Beginnings {
    /// Takes the next push of the log in. The first one of a source says where the shard must stand to take it.
    pub(super) fn take(&mut self, push: &PushFrame<'_>) {
        for range in push.ranges() {
            let done = SourceDone { source: range.source, position: range.first, parts_done: push.head.part };
            self.0.entry(range.source).or_insert(done);
        }
    }

    /// Where each source stands: at its first push that is left. Where none is, all of them were lost or applied, so it
    /// stands at what its workers have committed.
    pub(super) fn complete(mut self, committed: impl IntoIterator<Item = (u32, u64)>) -> BTreeMap<u32, SourceDone> {
        for (source, sequence) in committed {
            let position = online(sequence);
            self.0.entry(source).or_insert(SourceDone { source, position, parts_done: 0 });
        }
        self.0
    }
}

impl fmt::Display for LostPushes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shard, first, next, .. } = self;
        write!(formatter, "shard {shard} lacks the push records from offset {first} to {next}")
    }
}

impl fmt::Display for LostEvents {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, first, next } = self;
        write!(formatter, "the events of input partition {partition} from offset {first} to {next} are not learned")
    }
}

impl LostPushes {
    pub(super) fn record(&self, rejected: &Arc<str>, pushes: &str) -> OutRecord {
        record(rejected, (pushes, self.shard), self.first..self.next, &self.to_string())
    }

    /// The barrier behind what is lost, with the rows as they are.
    pub(super) fn into_barrier(self, parameters: &Arc<str>, model: u32) -> Result<OutRecord, FrameError> {
        let Self { shard, next, sources, layout_json, .. } = self;
        let (mut value, positions) = (Vec::new(), sources.into_values().collect::<Vec<_>>());
        frame::encode_barrier(&mut value, model, shard, next, &positions, &layout_json)?;
        Ok(OutRecord::new(Arc::clone(parameters), Some(shard), Some(BARRIER_KEY.to_vec()), Some(value)))
    }
}

impl LostEvents {
    pub(super) fn record(&self, rejected: &Arc<str>, input: &str) -> OutRecord {
        record(rejected, (input, self.partition), self.first..self.next, &self.to_string())
    }

    fn range(&self) -> SourceRange {
        SourceRange { source: self.partition, first: online(self.first), next: online(self.next) }
    }
}

fn online(sequence: u64) -> Position {
    Position { pass: 0, sequence }
}

/// A worker's step that covers these events and teaches nothing: a push to every shard.
pub(super) fn step(
    events: &[LostEvents],
    pushes: &Arc<str>,
    description: &Description,
) -> Result<Vec<OutRecord>, FrameError> {
    let ranges: Vec<SourceRange> = events.iter().map(LostEvents::range).collect();
    let push = |shard| {
        let (mut value, head) = (Vec::new(), PushHead { model: description.hash(), shard, part: 0, parts: 1 });
        frame::encode_push(&mut value, &head, &ranges, iter::empty(), iter::empty())?;
        Ok(OutRecord::new(Arc::clone(pushes), Some(shard), None, Some(value)))
    };
    (0..description.partitioner.shards()).map(push).collect()
}

/// What stands for the records `lost` of a partition of `topic` among the refused events.
fn record(rejected: &Arc<str>, (topic, partition): (&str, u32), lost: std::ops::Range<u64>, detail: &str) -> OutRecord {
    let value = json!({"topic": topic, "partition": partition, "first": lost.start, "next": lost.end}).to_string();
    let headers = vec![
        (rejected::TOPIC, topic.into()),
        (rejected::PARTITION, partition.to_string().into()),
        (rejected::OFFSET, lost.start.to_string().into()),
        (rejected::REASON, REASON.into()),
        (rejected::DETAIL, format!("{detail}: deleted too early, and accepted as lost").into()),
        (rejected::LENGTH, value.len().to_string().into()),
    ];
    let (topic, payload) = (Arc::clone(rejected), Some(value.into_bytes()));
    OutRecord { topic, partition: None, key: None, payload, headers, timestamp_ms: None }
}

#[cfg(test)]
mod tests {
    use weir_wire::Frame;

    use super::*;

    fn push(part: u16, ranges: &[(u32, u64, u64)]) -> Vec<u8> {
        let range = |&(partition, first, next): &(u32, u64, u64)| LostEvents { partition, first, next }.range();
        let (mut out, head) = (Vec::new(), PushHead { model: 1, shard: 0, part, parts: 3 });
        let ranges: Vec<_> = ranges.iter().map(range).collect();
        frame::encode_push(&mut out, &head, &ranges, iter::empty(), iter::empty()).expect("small");
        out
    }

    #[test]
    fn sources_stand_where_the_first_push_that_is_left_begins() {
        let mut beginnings = Beginnings::default();
        for value in [push(2, &[(0, 5, 9)]), push(0, &[(0, 9, 12), (1, 3, 4)])] {
            let Ok(Frame::Push(push)) = Frame::parse(&value) else { panic!("a push") };
            beginnings.take(&push);
        }
        let sources = beginnings.complete([(0, 100), (1, 100), (2, 7)]);
        let found: Vec<_> =
            sources.values().map(|done| (done.source, done.position.sequence, done.parts_done)).collect();
        assert_eq!(found, [(0, 5, 2), (1, 3, 0), (2, 7, 0)]);
    }
}
