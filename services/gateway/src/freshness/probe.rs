//! Looks the newest events of an input topic up, once a second.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use weir_kafka::{Isolation, Reader, StartAt};
use weir_runtime::Context;

use super::Freshness;
use crate::gateway::connection;
use crate::served::ServedModel;

const INTERVAL: Duration = Duration::from_secs(1);
/// How long a broker may take for one partition's bounds.
const LOOKUP: Duration = Duration::from_secs(1);
/// How long the newest events may take to be read. One that does not come is a transaction's marker.
const READ: Duration = Duration::from_millis(500);
const POLL: Duration = Duration::from_millis(20);

/// The newest events of one topic.
struct Probe {
    reader: Reader,
    /// Where each partition ended the last time.
    ends: Vec<u64>,
    /// When that was.
    looked: Instant,
}

/// Looks events up until told to stop. What fails is left out and tried again: nothing depends on it.
pub(crate) fn run(
    context: &Context,
    model: &ServedModel,
    partitions: u32,
    shared: &Mutex<Freshness>,
    stop: &AtomicBool,
) {
    let (connection, name) = (connection(context), model.label());
    let reader = match Reader::open(&connection, model.input_topic(), &[], Isolation::ReadUncommitted) {
        Ok(reader) => reader,
        Err(error) => return tracing::warn!(model = name, %error, "freshness is not measured"),
    };
    let mut probe = Probe { reader, ends: Vec::new(), looked: Instant::now() };
    while !stop.load(Ordering::Acquire) {
        let began = Instant::now();
        let found = probe.look(partitions).unwrap_or_else(|error| {
            tracing::debug!(model = name, %error, "newest events not looked up");
            Vec::new()
        });
        let mut freshness = shared.lock().unwrap_or_else(PoisonError::into_inner);
        for (partition, offset, written) in found {
            if let Some(took) = freshness.looked_up(partition, offset, written) {
                context.metrics.gateway.fresh(name, took);
            }
        }
        context.metrics.gateway.behind(name, freshness.oldest(Instant::now()));
        drop(freshness);
        while !stop.load(Ordering::Acquire) && began.elapsed() < INTERVAL {
            if context.shutdown.wait(POLL) {
                return;
            }
        }
    }
}

impl Probe {
    /// The newest event of each partition that has a new one: partition, offset, when it was written.
    fn look(&mut self, partitions: u32) -> weir_kafka::Result<Vec<(u32, u64, Instant)>> {
        let mut ends = Vec::new();
        for partition in 0..partitions {
            ends.push(self.reader.watermarks(partition, LOOKUP)?.end);
        }
        let is_first = self.ends.is_empty();
        self.ends.resize(ends.len(), 0);
        let grown = (0..partitions).zip(ends.iter().zip(&self.ends));
        let starts: Vec<_> = grown
            .filter(|(_, (end, before))| end > before)
            .map(|(partition, (end, _))| (partition, StartAt::Offset(end - 1)))
            .collect();
        let now = Instant::now();
        // At the start nobody knows how old what is there was before this process began.
        let mut times = if is_first { Vec::new() } else { self.read(&starts)? };
        times.sort_unstable();
        let written = |partition: u32| {
            let index = times.binary_search_by_key(&partition, |(partition, _)| *partition).ok();
            // The event was not there the last time, whatever a producer's clock says.
            index.map_or(now, |index| instant(times[index].1, now)).max(self.looked)
        };
        let found = starts.iter().map(|&(partition, _)| (partition, ends[partition as usize] - 1, written(partition)));
        let found = found.collect();
        (self.ends, self.looked) = (ends, now);
        Ok(found)
    }

    /// Times of the records at these places.
    fn read(&self, starts: &[(u32, StartAt)]) -> weir_kafka::Result<Vec<(u32, i64)>> {
        if starts.is_empty() {
            return Ok(Vec::new());
        }
        self.reader.reassign(starts)?;
        let (deadline, mut times) = (Instant::now() + READ, Vec::<(u32, i64)>::new());
        while times.len() < starts.len() && Instant::now() < deadline {
            self.reader.poll(POLL, 1_000, &mut |record| {
                let is_first = times.iter().all(|(partition, _)| *partition != record.partition);
                if let Some(timestamp_ms) = record.timestamp_ms.filter(|_| is_first) {
                    times.push((record.partition, timestamp_ms));
                }
            })?;
        }
        self.reader.reassign(&[])?;
        Ok(times)
    }
}

/// A record's time on this process's clock; one from the future is now.
fn instant(timestamp_ms: i64, now: Instant) -> Instant {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
    let age = Duration::from_millis(now_ms.saturating_sub(timestamp_ms).max(0) as u64);
    now.checked_sub(age).unwrap_or(now)
}
