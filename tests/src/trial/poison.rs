//! Records that are not weir's on weir's own topics, a few a second, from a trial's start to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::random::Random;
use crate::topic::{self, Event, Producer};
use crate::wait::try_wait_until;
use crate::weir::Deployment;

/// Each topic gets one record this often.
const TICK: Duration = Duration::from_millis(50);
const TOPICS: [&str; 4] = ["pushes", "pulls", "replies", "parameters"];

/// A thread that writes garbage until it is told to stop.
#[derive(Debug)]
pub struct Poison {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

struct Target {
    producer: Producer,
    partitions: usize,
    /// Real records of this topic, to be spoilt.
    samples: Vec<Vec<u8>>,
}

impl Poison {
    /// Writes to all internal topics of `model`.
    ///
    /// # Panics
    /// When a topic cannot be read. The thread panics when a record is not acknowledged; [`Poison::stop`] then does too.
    #[must_use]
    pub fn start(deployment: &Deployment, model: &str, mut random: Random) -> Self {
        let targets = TOPICS.map(|kind| Target::open(deployment.brokers(), &deployment.internal_topic(model, kind)));
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let run = move || {
            let mut written = 0;
            while try_wait_until(TICK, || stopped.load(Ordering::Relaxed).then_some(())).is_none() {
                for target in &targets {
                    written += target.producer.send([target.record(&mut random)]).len() as u64;
                }
            }
            written
        };
        Self { stop, thread: Some(std::thread::spawn(run)) }
    }

    /// Stops; how many records were written.
    ///
    /// # Panics
    /// When one was not acknowledged.
    #[must_use]
    pub fn stop(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        ended.and_then(Result::ok).unwrap_or_else(|| panic!("the garbage broke off"))
    }
}

impl Drop for Poison {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Target {
    fn open(brokers: &str, topic: &str) -> Self {
        let records = topic::read_all(brokers, topic);
        let samples: Vec<Vec<u8>> = records.into_iter().filter_map(|record| record.payload).take(50).collect();
        Self { producer: Producer::new(brokers, topic), partitions: topic::ends(brokers, topic).len(), samples }
    }

    fn record(&self, random: &mut Random) -> Event {
        let value = match random.below(5) {
            0 => Vec::new(),
            1 => b"{\"user\": \"u\", \"item\": \"i\"}".to_vec(),
            2 => (0..random.below(200)).map(|_| random.next() as u8).collect(),
            3 => self.cut_short(random),
            _ => self.flipped(random),
        };
        // Compacted topics want a key; one that weir uses would take the place of what it has written itself.
        Event { key: Some(b"foreign".to_vec()), ..Event::raw(random.below(self.partitions) as u32, value) }
    }

    fn cut_short(&self, random: &mut Random) -> Vec<u8> {
        let mut value = self.sample(random);
        value.truncate(random.below(value.len()));
        value
    }

    fn flipped(&self, random: &mut Random) -> Vec<u8> {
        let mut value = self.sample(random);
        let (byte, bit) = (random.below(value.len()), random.below(8));
        if let Some(byte) = value.get_mut(byte) {
            *byte ^= 1 << bit;
        }
        value
    }

    fn sample(&self, random: &mut Random) -> Vec<u8> {
        self.samples.get(random.below(self.samples.len())).cloned().unwrap_or_default()
    }
}
