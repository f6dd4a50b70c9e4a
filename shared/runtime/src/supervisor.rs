//! Crash-only roles: any error tears a role down whole, and it starts again from what is committed, with back-off.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::{Context, Deadline, Error};

/// An error that no restart mends: a torn log, a namesake that has fenced this instance, a model stored with other
/// settings. The supervisor stops the process instead of starting the role again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fatal(String);

impl Fatal {
    /// One whose text says what is wrong and what to do; context may be put around it.
    #[must_use]
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// How long a role waits before it starts again: doubled with each failure, reset by a healthy time.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The first wait.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// A role that ran this long before it failed begins with `first` again.
    pub healthy: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(100), longest: Duration::from_secs(5), healthy: Duration::from_mins(1) }
    }
}

impl Backoff {
    /// The wait before the restart after the `failures`-th failure in a row; `jitter` of 0 to 1 takes up to half of it
    /// away, so that roles that failed together do not come back together.
    #[must_use]
    pub fn wait(&self, failures: u32, jitter: f64) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
        doubled.min(self.longest).mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
    }
}

/// Runs `role` until the shutdown is requested, starting it again whenever it ends before. A panic counts as an error.
///
/// `role` returns only when it has torn itself down whole ([`crate::teardown`] bounds that).
///
/// # Errors
/// The role's error where it is [`Fatal`].
pub fn supervise(
    name: &str,
    context: &Context,
    backoff: Backoff,
    mut role: impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let health = context.health.part(name);
    let mut failures = 0;
    health.not_ready("starting");
    context.metrics.part_begins(name);
    while !context.shutdown.is_requested() {
        let started = Instant::now();
        let error = match catch_unwind(AssertUnwindSafe(&mut role)) {
            Ok(Ok(())) if context.shutdown.is_requested() => break,
            Ok(Ok(())) => anyhow::anyhow!("ended without being asked to"),
            Ok(Err(error)) => error,
            Err(panic) => anyhow::anyhow!("panicked: {}", panic_text(panic.as_ref())),
        };
        health.not_ready(format!("failed: {error:#}"));
        if error.downcast_ref::<Fatal>().is_some() {
            return Err(error.context(format!("{name} cannot go on")));
        }
        if context.shutdown.is_requested() {
            tracing::warn!(role = name, "failed while it was stopping: {error:#}");
            break;
        }
        failures = if started.elapsed() >= backoff.healthy { 1 } else { failures + 1 };
        context.metrics.role_failed(name);
        let wait = backoff.wait(failures, rand::random());
        let wait_ms = wait.as_millis() as u64;
        tracing::error!(role = name, failures, wait_ms, "failed, will be started again: {error:#}");
        if context.shutdown.wait(wait) {
            break;
        }
    }
    health.not_ready("stopped");
    tracing::info!(role = name, "stopped");
    Ok(())
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}

/// The roles of one process, each on its own thread.
#[derive(Debug)]
pub struct Supervisor {
    context: Context,
    threads: Vec<JoinHandle<()>>,
    report: Sender<anyhow::Result<()>>,
    reports: Receiver<anyhow::Result<()>>,
}

impl Supervisor {
    /// A process without roles as yet.
    #[must_use]
    pub fn new(context: Context) -> Self {
        let (report, reports) = channel();
        Self { context, threads: Vec::new(), report, reports }
    }

    /// Starts `role` on a thread called `name` under [`supervise`].
    ///
    /// # Errors
    /// [`Error::Thread`] where the operating system refuses the thread.
    pub fn spawn(
        &mut self,
        name: &str,
        mut role: impl FnMut(&Context) -> anyhow::Result<()> + Send + 'static,
    ) -> Result<(), Error> {
        let (context, report, role_name) = (self.context.clone(), self.report.clone(), name.to_owned());
        let run = move || {
            let outcome = supervise(&role_name, &context, Backoff::default(), || role(&context));
            // The others stop too: a process that has lost a role for good must not look alive.
            context.shutdown.request();
            let _ = report.send(outcome);
        };
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
        let refused = |error: std::io::Error| Error::Thread { name: name.to_owned(), reason: error.to_string() };
        self.threads.push(thread.map_err(refused)?);
        Ok(())
    }

    /// Waits until all roles have stopped. From the request on they have `shutdown_timeout_ms`, then the process exits
    /// with [`crate::exit::TEARDOWN`].
    ///
    /// # Errors
    /// The first fatal error of a role.
    pub fn join(self) -> anyhow::Result<()> {
        let Self { context, threads, report, reports } = self;
        drop(report);
        while !context.shutdown.wait(Duration::from_hours(1)) {}
        context.health.part("process").not_ready("shutting down");
        let limit = Duration::from_millis(context.settings.shutdown_timeout_ms);
        let _deadline = Deadline::exit("shutdown", limit);
        for thread in threads {
            // A panic of a role is caught inside; what is left could only be one of ours, and it has been logged.
            let _ = thread.join();
        }
        reports.into_iter().collect()
    }
}

#[cfg(test)]
mod tests;
