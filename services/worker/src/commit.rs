//! From steps to transactions, and what the metrics are told once they are committed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use weir_kafka::{GroupMetadata, InputOffsets, OutRecord, Transaction};
use weir_models::REJECTED;
use weir_models::frames::encode_push;
use weir_ps::{Measures, Output, Step};
use weir_runtime::{Context, EventOutcome};
use weir_wire::{FrameError, rejected};

use crate::model::{ROLE, TrainedModel};

/// A step on its way, and what to tell the metrics when it is committed.
pub(crate) struct StepInfo {
    pub(crate) began: Instant,
    events: usize,
    repeated: usize,
    /// Refused events by reason.
    rejected: BTreeMap<String, u64>,
    rows: u64,
    bytes: u64,
    /// Source partitions and where they go on.
    pub(crate) next: Vec<(u32, u64)>,
    measures: Measures,
}

/// Makes a step's transaction: its pushes, its outputs, and the input offsets.
pub(crate) fn transaction_of(
    trained: &TrainedModel,
    pushes: &Arc<str>,
    step: Step,
    metadata: GroupMetadata,
) -> Result<(Transaction, StepInfo), FrameError> {
    let began = Instant::now();
    let mut records = Vec::new();
    let (mut rows, mut bytes) = (0, 0);
    for (shard, push) in step.pushes.iter().enumerate() {
        let sections = push.parts.iter().flat_map(|part| &part.sections);
        rows += sections.map(|section| section.keys.len() as u64).sum::<u64>();
        for frame in encode_push(trained.hash, shard as u32, push)? {
            bytes += frame.len() as u64;
            records.push(OutRecord::new(Arc::clone(pushes), Some(shard as u32), None, Some(frame)));
        }
    }
    let mut rejected: BTreeMap<String, u64> = BTreeMap::new();
    for reason in step.outputs.iter().filter_map(rejected_because) {
        *rejected.entry(reason).or_default() += 1;
    }
    // The generation that serves puts out the same.
    if trained.speaks.load(Ordering::Acquire) {
        for output in step.outputs {
            records.push(record_of(trained, output)?);
        }
    }
    let next: Vec<(u32, u64)> = step.ranges.iter().map(|range| (range.source, range.next.sequence)).collect();
    let offsets = InputOffsets { metadata, topic: Arc::clone(&trained.input), next: next.clone() };
    let (events, repeated, measures) = (step.events, step.repeated, step.measures);
    let info = StepInfo { began, events, repeated, rejected, rows, bytes, next, measures };
    Ok((Transaction { records, offsets: Some(offsets) }, info))
}

fn rejected_because(output: &Output) -> Option<String> {
    let reason = output.headers.iter().find(|(name, _)| *name == rejected::REASON)?;
    (output.stream == REJECTED).then(|| String::from_utf8_lossy(&reason.1).into_owned())
}

fn record_of(trained: &TrainedModel, output: Output) -> Result<OutRecord, FrameError> {
    // What the learner says it has written must not be dropped for want of a place.
    let undeclared = FrameError::Encode("an output is of a stream that the model's description does not name");
    let topic = Arc::clone(trained.output_topic(output.stream).ok_or(undeclared)?);
    let Output { key, value: payload, headers, .. } = output;
    Ok(OutRecord { topic, partition: None, key, payload, headers, timestamp_ms: None })
}

impl StepInfo {
    /// Tells the metrics that the step is committed.
    pub(crate) fn report(&self, trained: &TrainedModel, context: &Context, duration: Duration) {
        let (metrics, name) = (&context.metrics, trained.name());
        metrics.transaction_committed(ROLE, name, duration);
        metrics.worker.batch_committed(name, self.events, self.began.elapsed());
        metrics.worker.events(name, &trained.input, EventOutcome::Learned, self.events as u64);
        metrics.worker.events(name, &trained.input, EventOutcome::Repeated, self.repeated as u64);
        for (reason, &count) in &self.rejected {
            metrics.worker.rejected(name, &trained.input, reason, count);
        }
        metrics.worker.pushed(name, self.rows, self.bytes);
        for measure in self.measures.iter() {
            metrics.worker.measured(
                trained.description.name,
                &trained.generation,
                measure.name,
                measure.sum,
                measure.events,
            );
        }
        for &(source, next) in &self.next {
            metrics.worker.offset_committed(name, source, next);
        }
    }
}
