//! Load that goes on while a test does something else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::topic::{Event, Producer};
use crate::wait::try_wait_until;

/// One portion is written this often.
const TICK: Duration = Duration::from_millis(20);

/// A thread that writes events at a steady rate until it is told to stop.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    /// Writes about `per_second` events, made one by one by `next`.
    ///
    /// # Panics
    /// The thread does, when an event is not acknowledged; [`Load::stop`] then does too.
    #[must_use]
    pub fn start(producer: Producer, per_second: usize, mut next: impl FnMut() -> Event + Send + 'static) -> Self {
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, count) = (Arc::clone(&stop), Arc::clone(&written));
        let portion = (per_second * TICK.as_millis() as usize / 1000).max(1);
        let run = move || {
            while try_wait_until(TICK, || stopped.load(Ordering::Relaxed).then_some(())).is_none() {
                let places = producer.send((0..portion).map(|_| next()));
                count.fetch_add(places.len() as u64, Ordering::Relaxed);
            }
        };
        Self { stop, written, thread: Some(std::thread::spawn(run)) }
    }

    /// Events acknowledged so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Stops; how many events were written in all.
    ///
    /// # Panics
    /// When an event was not acknowledged.
    #[must_use]
    pub fn stop(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(matches!(ended, Some(Ok(()))), "the load broke off after {} events", self.written());
        self.written()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
