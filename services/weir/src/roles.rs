//! Which roles a process runs, each on a thread of its own under the supervisor.

use anyhow::Context as _;
use weir_runtime::{Settings, Supervisor, serve_ops};

use crate::models;
use crate::process::Process;

/// What a process can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Owns shards.
    Server,
    /// Learns from events.
    Worker,
    /// Answers REST.
    Gateway,
}

/// Runs `roles` until the process is asked to stop, or one of them cannot go on.
pub(crate) fn run(roles: &[Role], settings: Settings) -> anyhow::Result<()> {
    let process = Process::prepare(settings, roles.contains(&Role::Gateway))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("http").build();
    let runtime = runtime.context("no threads for HTTP")?;
    let context = process.context;
    if let Some(listener) = process.ops {
        runtime.spawn(serve_ops(listener, context.clone()));
    }
    let mut supervisor = Supervisor::new(context.clone());
    models::spawn(&mut supervisor, &context, roles)?;
    if let Some(listener) = process.rest {
        weir_gateway::start(&mut supervisor, &context, runtime.handle(), listener)?;
    }
    supervisor.join()
}
