//! A process that is slow: stopped and continued all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Instance;
use crate::wait::try_wait_until;

/// Of each stretch of time it stands still for this long, and runs for the rest.
const STANDS: Duration = Duration::from_millis(180);
const RUNS: Duration = Duration::from_millis(20);

/// A process that gets a tenth of its time until this is dropped.
#[derive(Debug)]
pub struct Slowed {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Slowed {
    /// Slows `instance` down, which must not end meanwhile.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn start(instance: &Instance) -> Self {
        let pid = Pid::from_raw(instance.pid() as i32);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let for_a_while = |time| try_wait_until(time, || None::<()>);
        let run = move || {
            while !stopped.load(Ordering::Relaxed) {
                // It may have ended with the test.
                let _ = kill(pid, Signal::SIGSTOP);
                let _ = for_a_while(STANDS);
                let _ = kill(pid, Signal::SIGCONT);
                let _ = for_a_while(RUNS);
            }
        };
        Self { stop, thread: Some(std::thread::spawn(run)) }
    }
}

impl Drop for Slowed {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // It leaves the process running.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
