//! The ratings that are measured with: users at random, items by Zipf's law, a few stars each.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Distribution, Zipf};
use weir_kafka::{Admin, Error, OutRecord, Sender};
use weir_runtime::Settings;

use crate::arguments::BenchRatings;
use crate::topics;

/// How skewed items are: a little less than Zipf's own law, as catalogues are.
const EXPONENT: f64 = 0.9;
const DELIVERY: Duration = Duration::from_mins(1);

/// Writes the events and returns the offset behind the last one of each partition.
pub(super) fn fill(settings: &Settings, command: &BenchRatings, admin: &Admin) -> anyhow::Result<Vec<u64>> {
    let sender = Sender::open(&topics::connection(settings))?;
    let topic: Arc<str> = settings.topics.ratings.as_str().into();
    let mut random = StdRng::seed_from_u64(command.seed);
    let items = Zipf::new(command.items as f64, EXPONENT)?;
    let style = ProgressStyle::with_template("writing events {wide_bar} {human_pos}/{human_len} {per_sec}")?;
    let progress = ProgressBar::new(command.events).with_style(style);
    for _ in 0..command.events {
        let (key, value) = event(&mut random, command.users, &items);
        let record = OutRecord::new(Arc::clone(&topic), None, Some(key.into_bytes()), Some(value.into_bytes()));
        while let Err(error) = sender.send(&record) {
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
    (0..command.partitions).map(end).collect()
}

fn event(random: &mut impl Rng, users: u64, items: &Zipf<f64>) -> (String, String) {
    let user = format!("u{}", random.random_range(0..users.max(1)));
    let (item, stars) = (items.sample(random) as u64, random.random_range(1..=10));
    let value = format!(r#"{{"user":"{user}","item":"i{item}","rating":{}}}"#, f64::from(stars) / 2.0);
    (user, value)
}
