//! Starts the role in a process.

use std::net::TcpListener;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::runtime::Handle;
use weir_runtime::{Context, Supervisor};

use crate::{Gateway, ServedModel, catalogue, serve};

/// The name of the HTTP part.
const HTTP: &str = "gateway-http";

/// Gives `supervisor` the threads of a gateway: one materialiser per model, run by `materialiser`, one that follows the
/// catalogue where there are recommendations, and one that serves REST, health and metrics on `listener` by the workers of
/// `runtime`. HTTP is up at once, broker or not.
///
/// # Errors
/// The operating system refuses a thread.
pub fn start(
    supervisor: &mut Supervisor,
    gateway: &Gateway,
    runtime: &Handle,
    listener: TcpListener,
    materialiser: impl Fn(&Context, &ServedModel) -> anyhow::Result<()> + Clone + Send + 'static,
) -> anyhow::Result<()> {
    for model in gateway.models() {
        let materialiser = materialiser.clone();
        supervisor.spawn(&model.role(), move |context| materialiser(context, &model))?;
    }
    if let Ok(model) = gateway.recommender() {
        let catalogue = Arc::clone(&gateway.catalogue);
        // Of whichever generation: all of them have the same keys.
        supervisor.spawn(catalogue::PART, move |context| catalogue::follow(context, &catalogue, &model))?;
    }
    let (runtime, gateway) = (runtime.clone(), gateway.clone());
    supervisor.spawn(HTTP, move |context| {
        // The port stays bound by the original: a restart must not lose it.
        let listener = listener.try_clone().context("another handle of the listener")?;
        context.health.part(HTTP).ready();
        runtime.block_on(serve(listener, gateway.clone(), context.clone()))
    })?;
    Ok(())
}
