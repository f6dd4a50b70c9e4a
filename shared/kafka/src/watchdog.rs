//! Ends the process when a call into Kafka does not come back.
//!
//! Rule 21: `send_offsets_to_transaction` ignores its time-out and was seen to take 25 s; other reports have it hang for
//! ever. A thread inside such a call cannot be stopped, and recovery from a killed process is exact, so the process ends.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use tracing::error;

/// The exit code of a process that a hung Kafka call has ended (`EX_TEMPFAIL` of sysexits.h: trying again is right).
pub const HUNG_CALL_EXIT_CODE: i32 = 75;

/// How long a call may take. The time-outs of the calls are well below.
const LIMIT: Duration = Duration::from_secs(30);

/// How often the watchdog looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// Watches the calls of one producer, which makes one at a time.
pub(crate) struct Watchdog {
    limit: Duration,
    times: Arc<Times>,
    /// Dropped first, which ends the thread.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Milliseconds by a clock that stands still while the process does: one that was stopped, or a machine that was, for longer
/// than a call may take can start over within the process when it goes on.
#[derive(Default)]
struct Times {
    now: AtomicU64,
    /// When the call at hand is overdue; 0 when there is none.
    overdue_at: AtomicU64,
}

impl Times {
    /// Moves the clock on; whether a call is overdue now.
    fn pass(&self, time: Duration) -> bool {
        let time = time.as_millis() as u64;
        let (now, overdue_at) =
            (self.now.fetch_add(time, Ordering::AcqRel) + time, self.overdue_at.load(Ordering::Acquire));
        overdue_at != 0 && now > overdue_at
    }
}

impl Watchdog {
    /// Starts a watchdog that ends the process.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(crate) fn start(name: &str) -> std::io::Result<Self> {
        let name = name.to_owned();
        Self::with(LIMIT, INTERVAL, move || {
            error!(producer = name, limit = ?LIMIT, "a kafka call does not return; ending the process");
            process::exit(HUNG_CALL_EXIT_CODE);
        })
    }

    fn with(limit: Duration, interval: Duration, bark: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let (times, (stop, stopped)) = (Arc::new(Times::default()), bounded(0));
        let seen = Arc::clone(&times);
        let thread = thread::Builder::new().name("kafka-watchdog".to_owned()).spawn(move || {
            let mut looked = Instant::now();
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                let passed = looked.elapsed().min(2 * interval);
                looked = Instant::now();
                if seen.pass(passed) {
                    bark();
                }
            }
        })?;
        Ok(Self { limit, times, stop: Some(stop), thread: Some(thread) })
    }

    /// Runs `call` under watch.
    pub(crate) fn watch<T>(&self, call: impl FnOnce() -> T) -> T {
        let Times { now, overdue_at } = &*self.times;
        overdue_at.store(now.load(Ordering::Acquire) + self.limit.as_millis() as u64, Ordering::Release);
        let result = call();
        overdue_at.store(0, Ordering::Release);
        result
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.stop.take());
        // It looks at its channel all the time; a panic there has been reported already.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn barks_at_a_call_that_does_not_return() {
        let (barked, heard) = bounded(1);
        let bark = move || barked.try_send(()).unwrap_or_default();
        let watchdog = Watchdog::with(Duration::from_millis(20), Duration::from_millis(1), bark).unwrap();
        // The call returns only because the watchdog barks.
        watchdog.watch(|| heard.recv_timeout(Duration::from_secs(10))).unwrap();
    }

    #[test]
    fn is_silent_about_calls_in_time_and_ends_with_its_owner() {
        let (barked, heard) = bounded(1);
        let bark = move || barked.try_send(()).unwrap_or_default();
        let watchdog = Watchdog::with(Duration::from_hours(1), Duration::from_millis(1), bark).unwrap();
        assert_eq!(watchdog.watch(|| 7), 7);
        drop(watchdog);
        // The thread is gone, and with it the sending end, and it never barked.
        assert_eq!(heard.recv(), Err(crossbeam_channel::RecvError));
    }
}
