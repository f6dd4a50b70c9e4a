//! A bound on what may hang: dropping a Kafka client asks a broker that may be gone.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::exit;

/// Runs out unless it is dropped before.
#[must_use = "a deadline that is dropped at once bounds nothing"]
#[derive(Debug)]
pub struct Deadline {
    /// Nothing is sent; dropping it is the message.
    _open: Option<Sender<()>>,
}

impl Deadline {
    /// Calls `expired` on a thread of its own when `limit` has passed while the deadline was still held.
    pub fn start(limit: Duration, expired: impl FnOnce() + Send + 'static) -> Self {
        let (open, closed) = channel();
        let watch = move || {
            if closed.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                expired();
            }
        };
        match std::thread::Builder::new().name("deadline".into()).spawn(watch) {
            Ok(_) => Self { _open: Some(open) },
            Err(error) => {
                // Better an unbounded teardown than none: the process is short of threads, not wrong.
                tracing::warn!(%error, "no thread for a deadline");
                Self { _open: None }
            }
        }
    }

    /// Ends the process with [`exit::TEARDOWN`] when `limit` has passed while the deadline was still held.
    pub fn exit(what: &str, limit: Duration) -> Self {
        let what = what.to_owned();
        Self::start(limit, move || {
            tracing::error!(what, limit_ms = limit.as_millis() as u64, "not over in its time, leaving the process");
            std::process::exit(exit::TEARDOWN.into());
        })
    }
}

/// Does `what`, and ends the process with [`exit::TEARDOWN`] if that takes longer than `limit`.
///
/// A role drops its consumers and producers in here: recovery is exact from any point, so leaving is safe where
/// waiting is not.
pub fn teardown<T>(what: &str, limit: Duration, work: impl FnOnce() -> T) -> T {
    let _deadline = Deadline::exit(what, limit);
    work()
}

/// Runs a role's loop between its threads, then tells these to stop, whatever came out. A panic is given back to be
/// resumed once they have: the scope of the threads waits for all of them before it lets a panic through, and they
/// would go on for ever, keep the role's partitions and do nothing with them.
///
/// # Errors
/// The panic.
pub fn stopping<T>(stop: &AtomicBool, body: impl FnOnce() -> T) -> thread::Result<T> {
    let outcome = catch_unwind(AssertUnwindSafe(body));
    stop.store(true, Ordering::Release);
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_deadline_expires() {
        let (sender, receiver) = channel();
        let _held = Deadline::start(Duration::from_millis(1), move || sender.send(()).expect("the test waits"));
        assert_eq!(receiver.recv_timeout(Duration::from_secs(30)), Ok(()));
    }

    #[test]
    fn a_dropped_deadline_does_not_expire() {
        let (sender, receiver) = channel();
        drop(Deadline::start(Duration::from_mins(1), move || sender.send(()).expect("nobody waits")));
        // The thread drops its closure, and with it the sender, when it ends without calling it.
        assert_eq!(receiver.recv_timeout(Duration::from_secs(30)), Err(RecvTimeoutError::Disconnected));
    }

    #[test]
    fn a_teardown_gives_back_what_it_made() {
        assert_eq!(teardown("nothing", Duration::from_mins(1), || 7), 7);
    }

    #[test]
    fn threads_end_whatever_becomes_of_the_loop() {
        for panics in [false, true] {
            let stop = AtomicBool::new(false);
            let outcome = thread::scope(|scope| {
                scope.spawn(|| {
                    while !stop.load(Ordering::Acquire) {
                        thread::yield_now();
                    }
                });
                stopping(&stop, || assert!(!panics, "on purpose"))
            });
            assert_eq!(outcome.is_err(), panics);
        }
    }
}
