//! The wish to stop, for threads and for async tasks alike.

use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{Error, exit};

/// A write beyond the size that the process's files may have; the same number on all of Linux's architectures but MIPS.
const FILE_SIZE_EXCEEDED: i32 = 25;

/// Requested once, seen by all clones, never taken back.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    token: CancellationToken,
    /// Threads cannot wait for a token with a time-out, so they wait for this.
    bell: Arc<Bell>,
}

#[derive(Debug, Default)]
struct Bell {
    rung: Mutex<bool>,
    condition: Condvar,
    /// Those that ring with this one.
    children: Mutex<Vec<Weak<Bell>>>,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.condition.notify_all();
        let children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        children.iter().filter_map(Weak::upgrade).for_each(|child| child.ring());
    }
}

impl Shutdown {
    /// One that nobody has requested yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everybody who holds a clone to stop.
    pub fn request(&self) {
        self.token.cancel();
        self.bell.ring();
    }

    /// One that is requested with this one, and may be requested alone before that.
    #[must_use]
    pub fn child(&self) -> Self {
        let child = Self { token: self.token.child_token(), bell: Arc::default() };
        let mut children = self.bell.children.lock().unwrap_or_else(PoisonError::into_inner);
        children.retain(|child| child.strong_count() > 0);
        children.push(Arc::downgrade(&child.bell));
        drop(children);
        if self.is_requested() {
            // It may have rung before it knew of the child.
            child.bell.ring();
        }
        child
    }

    /// Whether to stop; cheap enough for every turn of a loop.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Ends when the stop is requested; for async tasks.
    pub async fn requested(&self) {
        self.token.cancelled().await;
    }

    /// Waits for the request, `timeout` at most, and says whether it came; for threads.
    #[must_use]
    pub fn wait(&self, timeout: Duration) -> bool {
        let rung = self.bell.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.bell.condition.wait_timeout_while(rung, timeout, |rung| !*rung);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Requests the stop at the first SIGTERM or SIGINT; the second ends the process at once, whatever hangs.
    ///
    /// The signals have a thread of their own, so that no busy or blocked runtime can keep them from being seen.
    ///
    /// # Errors
    /// The operating system refuses the thread or the handlers.
    pub fn on_signals(&self) -> Result<(), Error> {
        let refused = |error: std::io::Error| Error::Thread { name: "signals".into(), reason: error.to_string() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(refused)?;
        let _inside = runtime.enter();
        let caught = |kind| signal(kind).map_err(refused);
        let (mut terminate, mut interrupt) = (caught(SignalKind::terminate())?, caught(SignalKind::interrupt())?);
        // It would end the process. Caught, the write fails as on a full disk, which the local store can bear.
        drop(caught(SignalKind::from_raw(FILE_SIZE_EXCEEDED))?);
        let shutdown = self.clone();
        let wait = move || {
            runtime.block_on(async move {
                loop {
                    let name = tokio::select! {
                        _ = terminate.recv() => "SIGTERM",
                        _ = interrupt.recv() => "SIGINT",
                    };
                    if shutdown.is_requested() {
                        tracing::warn!(signal = name, "second signal, leaving at once");
                        std::process::exit(exit::SECOND_SIGNAL.into());
                    }
                    tracing::info!(signal = name, "stopping; a second signal leaves at once");
                    shutdown.request();
                }
            });
        };
        std::thread::Builder::new().name("signals".into()).spawn(wait).map_err(refused)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reaches_threads_and_tasks() {
        let shutdown = Shutdown::new();
        assert!(!shutdown.is_requested());
        assert!(!shutdown.wait(Duration::ZERO));
        let waiting = std::thread::spawn({
            let shutdown = shutdown.clone();
            move || shutdown.wait(Duration::from_mins(1))
        });
        shutdown.request();
        assert!(waiting.join().expect("the waiting thread ends"));
        assert!(shutdown.is_requested());
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(shutdown.requested());
    }

    #[test]
    fn a_child_stops_with_its_parent_or_alone() {
        let parent = Shutdown::new();
        let (first, second) = (parent.child(), parent.child());
        first.request();
        assert!(first.is_requested() && first.wait(Duration::ZERO));
        assert!(!parent.is_requested() && !second.is_requested() && !second.wait(Duration::ZERO));
        let waiting = std::thread::spawn({
            let second = second.clone();
            move || second.wait(Duration::from_mins(1))
        });
        parent.request();
        assert!(waiting.join().expect("the waiting thread ends"));
        assert!(second.is_requested());
        let late = parent.child();
        assert!(late.is_requested() && late.wait(Duration::ZERO), "one of a parent that stops already");
    }
}
