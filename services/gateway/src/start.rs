//! Starts the role in a process.

use std::net::TcpListener;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::runtime::Handle;
use weir_models::Description;
use weir_runtime::{Context, Supervisor};

use crate::{Gateway, catalogue, materialise, serve};

/// The name of the HTTP part.
const HTTP: &str = "gateway-http";

/// Gives `supervisor` the threads of a gateway of `models`: one materialiser per model, one that follows the catalogue where there are recommendations, and one that serves REST, health and metrics
/// on `listener` by the workers of `runtime`. HTTP is up at once, broker or not.
/// Returns the gateway that serves.
///
/// # Errors
/// A setting is refused, or the operating system refuses a thread.
pub fn start(
    supervisor: &mut Supervisor,
    context: &Context,
    models: Vec<Description>,
    runtime: &Handle,
    listener: TcpListener,
) -> anyhow::Result<Gateway> {
    let gateway = Gateway::new(context, models)?;
    let started = gateway.clone();
    for model in gateway.models() {
        let model = Arc::clone(model);
        supervisor.spawn(&model.role(), move |context| materialise(context, &model))?;
    }
    if let Ok(model) = gateway.recommender() {
        let (model, catalogue) = (Arc::clone(model), Arc::clone(&gateway.catalogue));
        supervisor.spawn(catalogue::PART, move |context| catalogue::follow(context, &catalogue, &model))?;
    }
    let runtime = runtime.clone();
    supervisor.spawn(HTTP, move |context| {
        // The port stays bound by the original: a restart must not lose it.
        let listener = listener.try_clone().context("another handle of the listener")?;
        context.health.part(HTTP).ready();
        runtime.block_on(serve(listener, gateway.clone(), context.clone()))
    })?;
    Ok(started)
}
