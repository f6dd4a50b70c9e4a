//! Writes the events that are measured with.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use weir_kafka::{AckedSender, Admin, Error, OutRecord};
use weir_runtime::Settings;

use crate::topics;

const DELIVERY: Duration = Duration::from_mins(1);

/// Key and value of an event's record.
pub(super) type Event = (Vec<u8>, Vec<u8>);

/// Writes so many events to `topic` and returns the offset behind the last one of each partition.
pub(super) fn fill(
    settings: &Settings,
    admin: &Admin,
    (topic, partitions): (&str, u32),
    events: u64,
    mut next: impl FnMut() -> Event,
) -> anyhow::Result<Vec<u64>> {
    let sender = AckedSender::open(&topics::connection(settings))?;
    let topic: Arc<str> = topic.into();
    let style = ProgressStyle::with_template("writing events {wide_bar} {human_pos}/{human_len} {per_sec}")?;
    let progress = ProgressBar::new(events).with_style(style);
    for _ in 0..events {
        let (key, value) = next();
        let record = OutRecord::new(Arc::clone(&topic), None, Some(key), Some(value));
        while let Err(error) = sender.send_acked(&record, Box::new(|_| {})) {
            anyhow::ensure!(matches!(error, Error::QueueFull { .. }), error);
            std::thread::sleep(Duration::from_millis(1));
        }
        progress.inc(1);
    }
    sender.flush(DELIVERY)?;
    progress.finish_and_clear();
    let lost = sender.stats().failed.load(std::sync::atomic::Ordering::Relaxed);
    anyhow::ensure!(lost == 0, "the broker did not take {lost} events in time");
    let end = |partition| Ok(admin.watermarks(&topic, partition, weir_kafka::Isolation::ReadCommitted)?.end);
    (0..partitions).map(end).collect()
}
