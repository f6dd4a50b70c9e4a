//! One run of the whole pipeline in this process, from the take-over of the input to the gateway's last offset.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use weir_runtime::{Context, Health, Metrics, Registry, Settings, Shutdown, Supervisor};

use super::usage::Usage;
use crate::learner::built_in;
use crate::roles::{self, Role};

const LOOK: Duration = Duration::from_millis(2);
/// How long nothing may move before the run is given up.
const PATIENCE: Duration = Duration::from_mins(1);

/// The internal topics of a model.
pub(super) const LOGS: [&str; 4] = ["pushes", "pulls", "replies", "parameters"];

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) seconds: f64,
    pub(super) cpu_seconds: f64,
    /// Largest resident memory of the process so far.
    pub(super) rss_bytes: u64,
    /// What was written to the internal topics, keys and values, in the order of [`LOGS`].
    pub(super) bytes: [f64; 4],
}

/// Roles in this process, with a directory of their own, until they are stopped.
pub(super) struct Running {
    pub(super) gateway: weir_gateway::Gateway,
    context: Context,
    supervisor: Supervisor,
    /// Held for as long as the roles run.
    _runtime: tokio::runtime::Runtime,
    _data: tempfile::TempDir,
}

impl Running {
    /// Starts a gateway and `roles` beside it.
    pub(super) fn start(settings: &Settings, roles: &[Role]) -> anyhow::Result<Self> {
        let data = tempfile::tempdir().context("a directory for the stores")?;
        let mut settings = settings.clone();
        data.path().clone_into(&mut settings.data_dir);
        settings.listen = "127.0.0.1:0".into();
        let listener = weir_runtime::bind("listen", &settings.listen)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let metrics = Arc::new(Metrics::new(Registry::new())?);
        let (health, shutdown) = (Health::new(), Shutdown::new());
        let context = Context { settings: Arc::new(settings), instance: "bench".into(), metrics, health, shutdown };
        let mut supervisor = Supervisor::new(context.clone());
        let learners = built_in(&context.settings)?;
        let gateway = roles::spawn(&mut supervisor, &context, roles, &learners, runtime.handle(), Some(listener))?;
        let gateway = gateway.context("a gateway has a port to serve on")?;
        Ok(Self { gateway, context, supervisor, _runtime: runtime, _data: data })
    }

    /// Waits until all roles are ready.
    pub(super) fn wait_ready(&self) -> anyhow::Result<()> {
        wait("all roles are ready", || (self.context.health.is_ready().then_some(()), 0))
    }

    /// By partition the offset next to read that the gateway's answers of a model cover.
    pub(super) fn covered(&self, model: &str) -> Vec<u64> {
        let found = self.gateway.models().into_iter().find(|served| served.name() == model);
        found.map(|served| served.covered()).unwrap_or_default()
    }

    /// Waits until the gateway's answers of a model cover `ends`.
    pub(super) fn wait_covered(&self, model: &str, ends: &[u64]) -> anyhow::Result<()> {
        wait("the gateway covers the input", || {
            let covered = self.covered(model);
            let reached = covered.len() >= ends.len() && covered.iter().zip(ends).all(|(covered, end)| covered >= end);
            (reached.then_some(()), covered.iter().sum())
        })
    }

    /// Stops the roles.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.context.shutdown.request();
        self.supervisor.join()
    }
}

/// Runs server, worker and gateway with stores and topics of their own until the gateway covers `ends`.
pub(super) fn run(settings: &Settings, ends: &[u64]) -> anyhow::Result<Measured> {
    let running = Running::start(settings, &[Role::Server, Role::Worker])?;
    let model = settings.models.first().map(String::as_str).unwrap_or_default();
    let measured = measure(&running, model, ends);
    running.stop()?;
    measured
}

fn measure(running: &Running, model: &str, ends: &[u64]) -> anyhow::Result<Measured> {
    running.wait_ready()?;
    let (began, before) = (Instant::now(), Usage::now());
    running.wait_covered(model, ends)?;
    let (seconds, after) = (began.elapsed().as_secs_f64(), Usage::now());
    Ok(Measured {
        seconds,
        cpu_seconds: after.cpu_seconds - before.cpu_seconds,
        rss_bytes: after.peak_rss_bytes,
        bytes: running.context.metrics.internal_bytes(),
    })
}

/// Looks until `look` has a value; gives up when its progress stands still for too long.
pub(super) fn wait<T>(what: &str, look: impl Fn() -> (Option<T>, u64)) -> anyhow::Result<T> {
    let (mut progress, mut moved) = (u64::MAX, Instant::now());
    loop {
        let (found, now) = look();
        if let Some(found) = found {
            return Ok(found);
        }
        if now != progress {
            (progress, moved) = (now, Instant::now());
        }
        anyhow::ensure!(moved.elapsed() < PATIENCE, "nothing moves while waiting until {what}; see the log");
        std::thread::sleep(LOOK);
    }
}
