//! What the pipeline is compared with: a consumer that reads and decodes the same events and does nothing else.

use std::time::{Duration, Instant};

use weir_kafka::{Isolation, Reader, StartAt};
use weir_runtime::Settings;

use crate::topics;

const POLL: Duration = Duration::from_millis(100);
const RECORDS: usize = 10_000;
/// Whether a record's key and value are an event.
pub(super) type Decodes = fn(Option<&[u8]>, Option<&[u8]>) -> bool;

/// How long nothing may come before the run is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Seconds from the first event of `topic` to the last; `decodes` is all that is done with each.
pub(super) fn read(settings: &Settings, topic: &str, ends: &[u64], decodes: Decodes) -> anyhow::Result<f64> {
    let starts: Vec<(u32, StartAt)> = (0..ends.len() as u32).map(|source| (source, StartAt::Beginning)).collect();
    let connection = topics::connection(settings);
    let reader = Reader::open(&connection, topic, &starts, Isolation::ReadCommitted)?;
    let expected: u64 = ends.iter().sum();
    let (mut read, mut refused, mut first, mut last) = (0, 0, None, Instant::now());
    while read < expected {
        let polled = reader.poll(POLL, RECORDS, &mut |record| {
            first.get_or_insert_with(Instant::now);
            refused += u64::from(!decodes(record.key, record.payload));
        })?;
        read += polled.records as u64;
        if polled.records > 0 {
            last = Instant::now();
        }
        anyhow::ensure!(last.elapsed() < PATIENCE, "only {read} of {expected} events came");
    }
    anyhow::ensure!(refused == 0, "{refused} events could not be decoded");
    Ok(first.map_or(0.0, |first: Instant| first.elapsed().as_secs_f64()))
}
