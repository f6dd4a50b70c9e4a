//! Publications: what they contain, and when it is time for one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_kafka::OutRecord;
use weir_models::frames::position_to_wire;
use weir_ps::{Barrier, Publication, ShardRows};
use weir_wire::frame::{self, FrameError, SourceDone};

/// Where a model's publications go.
pub(crate) struct Destination {
    pub(crate) model: u32,
    pub(crate) topic: Arc<str>,
    pub(crate) outputs: Arc<str>,
    pub(crate) layout_json: Arc<str>,
}

impl Destination {
    /// Appends one shard's publication to a transaction, the barrier last. Returns the barrier record's index.
    pub(crate) fn append(
        &self,
        records: &mut Vec<OutRecord>,
        shard: u32,
        rows: &ShardRows,
        publication: &Publication,
    ) -> Result<usize, FrameError> {
        for (table, (changed, deleted)) in publication.tables.iter().enumerate() {
            let table_id = table as u8;
            for &key in deleted {
                records.push(self.record(shard, frame::row_key(table_id, key).to_vec(), None));
            }
            let Some(table) = rows.table(table_id) else { continue };
            for slot in changed.iter().filter_map(|&key| table.slot(key)) {
                let mut value = Vec::new();
                frame::encode_row(&mut value, self.model, shard, table.name(slot), table.row(slot))?;
                records.push(self.record(shard, frame::row_key(table_id, table.key(slot)).to_vec(), Some(value)));
            }
        }
        for output in &publication.outputs {
            let (key, value) = (Some(output.key.clone()), Some(output.value.clone()));
            records.push(OutRecord::new(Arc::clone(&self.outputs), None, key, value));
        }
        let value = self.barrier(shard, &publication.barrier)?;
        records.push(self.record(shard, frame::BARRIER_KEY.to_vec(), Some(value)));
        Ok(records.len() - 1)
    }

    fn barrier(&self, shard: u32, barrier: &Barrier) -> Result<Vec<u8>, FrameError> {
        let done = |(&source, state): (&u32, &weir_ps::SourceState)| SourceDone {
            source,
            position: position_to_wire(state.next),
            parts_done: state.parts_done,
        };
        let positions: Vec<SourceDone> = barrier.sources.iter().map(done).collect();
        let mut value = Vec::new();
        let layout = self.layout_json.as_bytes();
        frame::encode_barrier(&mut value, self.model, shard, barrier.push_next, &positions, layout)?;
        Ok(value)
    }

    fn record(&self, shard: u32, key: Vec<u8>, value: Option<Vec<u8>>) -> OutRecord {
        OutRecord::new(Arc::clone(&self.topic), Some(shard), Some(key), value)
    }
}

/// Rows that may be published whenever nothing else is to be done: so few cost little.
const FEW_ROWS: usize = 1_000;
/// How long no push may have come, at least, before everything that is left is published.
const QUIET: Duration = Duration::from_millis(20);
/// The part of the last publication's time that it must have been, too: who publishes much waits for a longer silence. Where workers
/// find little time themselves, their pushes lie far apart, and each gap would look like the end.
const QUIET_SHARE: u32 = 4;

/// When to publish: at once while there is time, a given share of the time while there is not.
///
/// A busy shard finds its log empty again and again, since it is faster than what feeds it; that alone is no sign of
/// time to spare. Under load rows are left to gather, so that those that change all the time go out once.
#[derive(Debug)]
pub(crate) struct Pace {
    share: f32,
    max_rows: usize,
    next: Instant,
    next_if_idle: Instant,
    last_push: Instant,
    quiet: Duration,
}

impl Pace {
    pub(crate) fn new(share: f32, max_rows: usize, now: Instant) -> Self {
        Self { share, max_rows, next: now, next_if_idle: now, last_push: now, quiet: QUIET }
    }

    /// A push was applied.
    pub(crate) fn pushed(&mut self, now: Instant) {
        self.last_push = now;
    }

    /// Whether it is time, with so many rows waiting. `idle` says that nothing else is to be done.
    pub(crate) fn is_due(&self, rows: usize, idle: bool, now: Instant) -> bool {
        let spare = idle && (rows <= FEW_ROWS || now >= self.last_push + self.quiet);
        self.is_full(rows) || now >= self.next || (spare && now >= self.next_if_idle)
    }

    /// Whether so many rows wait that they must go before more is read. While one publication is on its way the next
    /// one gathers, and one that is too large for a transaction's time would never get through, start after start.
    pub(crate) fn is_full(&self, rows: usize) -> bool {
        rows >= self.max_rows
    }

    /// A publication that began at `began` and took `cost` is over.
    pub(crate) fn done(&mut self, began: Instant, cost: Duration) {
        self.next = began + cost.div_f32(self.share.max(0.001));
        // Even an idle shard shares the machine with those that keep it from being so.
        self.next_if_idle = began + cost.mul_f32(1.5);
        self.quiet = QUIET.max(cost / QUIET_SHARE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_shard_publishes_its_share_of_the_time_and_an_idle_one_soon() {
        let began = Instant::now();
        let mut pace = Pace::new(0.1, 10_000, began);
        assert!(pace.is_due(0, false, began), "the first one at once");
        pace.done(began, Duration::from_millis(10));
        let at = |ms| began + Duration::from_millis(ms);
        assert!(!pace.is_due(1, false, at(99)) && pace.is_due(1, false, at(100)));
        assert!(!pace.is_due(1, true, at(14)) && pace.is_due(1, true, at(15)));
        pace.pushed(at(20));
        assert!(!pace.is_due(1_001, true, at(39)), "many rows while pushes come");
        assert!(pace.is_due(1_001, true, at(40)), "many rows when no more come");
        assert!(pace.is_due(10_000, false, at(21)), "too many rows");
        assert!(pace.is_full(10_000) && !pace.is_full(9_999), "whatever is not full is read on");
    }

    #[test]
    fn whoever_publishes_much_waits_for_a_longer_silence() {
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let mut pace = Pace::new(0.1, 100_000, began);
        pace.done(began, Duration::from_millis(400));
        pace.pushed(at(700));
        assert!(!pace.is_due(50_000, true, at(799)), "pushes may only be far apart");
        assert!(pace.is_due(50_000, true, at(800)), "no more came for a quarter of what the last one took");
        assert!(pace.is_due(10, true, at(701)), "few rows need no silence");
    }
}
