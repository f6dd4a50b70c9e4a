//! Which roles a process runs, each on a thread of its own under the supervisor.

use anyhow::Context as _;
use weir_runtime::{Settings, Supervisor, serve_ops};

use crate::learner::{self, Learner};
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
}

/// Runs `roles` of `learners` until the process is asked to stop, or one of them cannot go on.
///
/// # Errors
/// A port, the data directory or a setting is refused, two learners have one name, or a role cannot go on.
pub fn run(learners: &[Learner], roles: &[Role], settings: Settings) -> anyhow::Result<()> {
    let descriptions: Vec<_> = learners.iter().map(|learner| learner.description().clone()).collect();
    let process = Process::prepare(settings, &descriptions, roles.contains(&Role::Gateway))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("http").build();
    let runtime = runtime.context("no threads for HTTP")?;
    let context = process.context;
    if let Some(listener) = process.ops {
        runtime.spawn(serve_ops(listener, context.clone()));
    }
    let mut supervisor = Supervisor::new(context.clone());
    learner::spawn(&mut supervisor, roles, learners)?;
    if let Some(listener) = process.rest {
        weir_gateway::start(&mut supervisor, &context, descriptions, runtime.handle(), listener)?;
    }
    supervisor.join()
}
