//! A process that stands still in the middle of a transaction, and what that hides from others.

use std::time::{Duration, Instant};

use weir_kafka::{Admin, Isolation};

use crate::trial::PATIENCE;
use crate::wait::try_wait_until;
use crate::{Trial, topic, wait_until};

/// How long readers of committed records must see nothing new while records are written: a healthy transaction is over
/// in some milliseconds.
const STUCK: Duration = Duration::from_millis(1_500);
const ATTEMPTS: usize = 60;

/// A transaction that is open, by a partition that it writes to.
#[derive(Debug)]
pub struct OpenTransaction {
    topic: String,
    partition: u32,
    /// Readers of committed records see what lies below.
    stable: u64,
    since: Instant,
}

/// Stops `name` (SIGSTOP) at a moment when it has a transaction open in `topic`, to which others write too. Elsewhere
/// it goes on, and is stopped again.
///
/// # Panics
/// When that does not succeed in many attempts.
pub fn pause_inside(trial: &mut Trial, name: &str, topic: &str) -> OpenTransaction {
    let admin = topic::admin(trial.cluster().deployment().brokers());
    let partitions = admin.partition_count(topic).ok().flatten().unwrap_or_default();
    for _ in 0..ATTEMPTS {
        let since = Instant::now();
        trial.instance(name).pause();
        if let Some((partition, stable)) = stuck(&admin, topic, partitions) {
            return OpenTransaction { topic: topic.to_owned(), partition, stable, since };
        }
        trial.instance(name).resume();
        trial.let_pass(500);
    }
    panic!("{name} was never in the middle of a transaction")
}

impl OpenTransaction {
    /// Waits until it is over, whoever ends it; how long others' records were hidden.
    ///
    /// # Panics
    /// When it hangs.
    #[must_use]
    pub fn wait_ended(&self, trial: &mut Trial) -> Duration {
        let admin = topic::admin(trial.cluster().deployment().brokers());
        wait_until("the open transaction ends", PATIENCE, || {
            (ends(&admin, &self.topic, self.partition).0 > self.stable).then(|| self.since.elapsed())
        })
    }
}

/// A partition whose stable end does not move although it lies below the end.
fn stuck(admin: &Admin, topic: &str, partitions: u32) -> Option<(u32, u64)> {
    (0..partitions).find_map(|partition| {
        let (stable, end) = ends(admin, topic, partition);
        let moved = || (ends(admin, topic, partition).0 > stable).then_some(());
        (stable < end && try_wait_until(STUCK, moved).is_none()).then_some((partition, stable))
    })
}

/// Where readers of committed records end, and where all do.
fn ends(admin: &Admin, topic: &str, partition: u32) -> (u64, u64) {
    let [committed, all] = [Isolation::ReadCommitted, Isolation::ReadUncommitted].map(|isolation| {
        let marks = admin.watermarks(topic, partition, isolation);
        marks.unwrap_or_else(|error| panic!("{topic}: {error}")).end
    });
    (committed, all)
}
