//! The way of an import's events into Kafka: bounded in number, paced, and known line by line when they are safe.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use weir_kafka::{AckedSender, Connection, Error, OutRecord};

use super::acks::Acks;

/// Events under way at most, and with them what a crash may repeat.
pub(super) const MOST_UNDER_WAY: usize = 10_000;
/// Lines remembered at most: those under way, and refused ones between them.
const MOST_REMEMBERED: usize = 10 * MOST_UNDER_WAY;
/// How long the broker may take for an event before the import is given up.
const DELIVERY_MS: &str = "60000";
/// As much of a delay is made up for by going faster afterwards.
const MADE_UP_FOR: Duration = Duration::from_millis(100);
/// librdkafka's queue is full: look again.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// What the sender's thread and ours share.
struct Shared {
    progress: Mutex<Progress>,
    changed: Condvar,
}

struct Progress {
    acks: Acks,
    /// Why the first event that was not taken was not.
    failed: Option<String>,
}

impl Shared {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fate of an event is known.
    fn settle(&self, number: u64, outcome: &Result<(), Error>) {
        let mut progress = self.progress();
        match outcome {
            Ok(()) => progress.acks.acknowledged(number),
            Err(error) => drop(progress.failed.get_or_insert_with(|| error.to_string())),
        }
        self.changed.notify_all();
    }
}

/// Sends events line by line.
pub(super) struct Sending {
    sender: AckedSender,
    shared: Arc<Shared>,
    topic: Arc<str>,
    pace: Option<Pace>,
}

impl Sending {
    /// To `topic`, at most `rate` events a second, with every line up to `done` done already.
    pub(super) fn open(mut connection: Connection, topic: &str, rate: Option<u64>, done: u64) -> anyhow::Result<Self> {
        // Full batches, since nobody waits for the single event; and a broker may be away for a while.
        for (name, value) in [("linger.ms", "5"), ("message.timeout.ms", DELIVERY_MS)] {
            connection.settings.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        let progress = Mutex::new(Progress { acks: Acks::behind(done), failed: None });
        let shared = Arc::new(Shared { progress, changed: Condvar::new() });
        let pace = rate.map(|rate| Pace { began: Instant::now(), rate, sent: 0 });
        Ok(Self { sender: AckedSender::open(&connection)?, shared, topic: topic.into(), pace })
    }

    /// Sends the event of a line, when there is room for it and its time has come.
    ///
    /// # Errors
    /// An event could not be delivered; every line up to [`Sending::done`] is safe all the same.
    pub(super) fn send(&mut self, line: u64, key: Vec<u8>, payload: Vec<u8>) -> anyhow::Result<()> {
        if let Some(pace) = &mut self.pace {
            thread::sleep(pace.wait(Instant::now()));
        }
        let number = self.wait(has_room)?.acks.send(line);
        let record = OutRecord::new(Arc::clone(&self.topic), None, Some(key), Some(payload));
        loop {
            let shared = Arc::clone(&self.shared);
            let acked = Box::new(move |outcome: weir_kafka::Result<_>| shared.settle(number, &outcome.map(drop)));
            match self.sender.send_acked(&record, acked) {
                Ok(()) => return Ok(()),
                Err(Error::QueueFull { .. }) => thread::sleep(LOOK_AGAIN),
                Err(error) => return Err(anyhow::Error::new(error).context(format!("line {line}"))),
            }
        }
    }

    /// Passes over a line that is not sent.
    ///
    /// # Errors
    /// As [`Sending::send`].
    pub(super) fn pass(&mut self, line: u64) -> anyhow::Result<()> {
        self.wait(has_room)?.acks.pass(line);
        Ok(())
    }

    /// Every line up to this one is acknowledged, or need not be.
    pub(super) fn done(&self) -> u64 {
        self.shared.progress().acks.done()
    }

    /// Waits until everything is acknowledged.
    ///
    /// # Errors
    /// As [`Sending::send`].
    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        self.wait(|acks| acks.under_way() == 0).map(drop)
    }

    /// Each event under way ends by itself, taken or not, so this does too.
    fn wait(&self, until: fn(&Acks) -> bool) -> anyhow::Result<MutexGuard<'_, Progress>> {
        let mut progress = self.shared.progress();
        loop {
            if let Some(failed) = &progress.failed {
                anyhow::bail!("line {} or one behind it was not taken: {failed}", progress.acks.done() + 1);
            }
            if until(&progress.acks) {
                return Ok(progress);
            }
            progress = self.shared.changed.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn has_room(acks: &Acks) -> bool {
    acks.under_way() < MOST_UNDER_WAY && acks.remembered() < MOST_REMEMBERED
}

/// Events a second.
struct Pace {
    began: Instant,
    rate: u64,
    sent: u64,
}

impl Pace {
    /// How long the next event has to wait.
    fn wait(&mut self, now: Instant) -> Duration {
        let due = Duration::from_secs_f64(self.sent as f64 / self.rate as f64);
        let elapsed = now.duration_since(self.began);
        self.sent += 1;
        // What a short pause has cost is made up for; a long one is not followed by a flood.
        self.began += elapsed.saturating_sub(due + MADE_UP_FOR);
        due.saturating_sub(elapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_due_one_after_the_other() {
        let began = Instant::now();
        let mut pace = Pace { began, rate: 4, sent: 0 };
        let at = [0, 0, 250, 2_000, 2_000, 2_250];
        let waits = at.map(|ms| pace.wait(began + Duration::from_millis(ms)).as_millis());
        assert_eq!(waits, [0, 250, 250, 0, 150, 150]);
    }
}
