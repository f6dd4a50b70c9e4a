//! Which roles a process runs, each on a thread of its own under the supervisor.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::Context as _;
use tokio::runtime::Handle;
use weir_gateway::{Gateway, ServedModel, materialise};
use weir_runtime::{Context, DataDirectory, Settings, Supervisor, serve_ops};

use crate::generations::{self, Generations};
use crate::learner::{self, Learner};
use crate::policies;
use crate::process::Process;

/// What a process can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Owns shards.
    Server,
    /// Learns from events.
    Worker,
    /// Answers REST.
    Gateway,
}

impl Role {
    /// All of them, as `weir standalone` runs them.
    pub const ALL: [Self; 3] = [Self::Server, Self::Worker, Self::Gateway];

    /// Its name in threads, health and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Worker => "worker",
            Self::Gateway => "gateway",
        }
    }
}

/// Runs `roles` of `learners` until the process is asked to stop, or one of them cannot go on.
///
/// # Errors
/// A port, the data directory or a setting is refused, two learners have one name, or a role cannot go on.
pub fn run(learners: &[Learner], roles: &[Role], settings: Settings) -> anyhow::Result<()> {
    Running::start(learners, roles, settings)?.join()
}

/// Gives `supervisor` the threads of `roles`, and those that follow policies and generations. The gateway serves on
/// `rest`.
///
/// # Errors
/// A setting is refused, or the operating system refuses a thread.
pub(crate) fn spawn(
    supervisor: &mut Supervisor,
    context: &Context,
    roles: &[Role],
    learners: &[Learner],
    runtime: &Handle,
    rest: Option<TcpListener>,
) -> anyhow::Result<Option<Gateway>> {
    let descriptions: Vec<_> = learners.iter().map(|learner| learner.description().clone()).collect();
    policies::spawn(supervisor, roles, &descriptions)?;
    let gateway = rest.is_some().then(|| Gateway::new(context, descriptions)).transpose()?;
    let generations = Generations::new(context, roles, learners, gateway.as_ref());
    learner::spawn(supervisor, roles, learners, &generations)?;
    if let Some((listener, gateway)) = rest.zip(gateway.as_ref()) {
        let generations = Arc::clone(&generations);
        let materialiser = move |_: &Context, model: &ServedModel| {
            generations.first(model.name(), &model.role(), |context, _| materialise(context, model))
        };
        weir_gateway::start(supervisor, gateway, runtime, listener, materialiser)?;
    }
    generations::spawn(supervisor, &generations)?;
    Ok(gateway)
}

/// Roles at work.
pub(crate) struct Running {
    pub(crate) context: Context,
    /// Where the gateway is among the roles.
    pub(crate) gateway: Option<Gateway>,
    /// Where it listens.
    pub(crate) address: Option<SocketAddr>,
    supervisor: Supervisor,
    /// Serves HTTP.
    _runtime: tokio::runtime::Runtime,
    /// Locked until the process ends.
    _data: DataDirectory,
}

impl Running {
    /// Starts `roles` of `learners`, none of them ready yet.
    ///
    /// # Errors
    /// As [`run`], but for a role that cannot go on.
    pub(crate) fn start(learners: &[Learner], roles: &[Role], settings: Settings) -> anyhow::Result<Self> {
        let descriptions: Vec<_> = learners.iter().map(|learner| learner.description().clone()).collect();
        let Process { context, rest, ops, data } =
            Process::prepare(settings, &descriptions, roles.contains(&Role::Gateway))?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("http").build();
        let runtime = runtime.context("no threads for HTTP")?;
        if let Some(listener) = ops {
            runtime.spawn(serve_ops(listener, context.clone()));
        }
        let mut supervisor = Supervisor::new(context.clone());
        let address = rest.as_ref().and_then(|listener| listener.local_addr().ok());
        let gateway = spawn(&mut supervisor, &context, roles, learners, runtime.handle(), rest)?;
        Ok(Self { context, gateway, address, supervisor, _runtime: runtime, _data: data })
    }

    /// Waits until all roles have stopped.
    ///
    /// # Errors
    /// The first fatal error of a role.
    pub(crate) fn join(self) -> anyhow::Result<()> {
        self.supervisor.join()
    }

    /// Stops all roles.
    ///
    /// # Errors
    /// As [`Running::join`].
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        self.context.shutdown.request();
        self.join()
    }
}
