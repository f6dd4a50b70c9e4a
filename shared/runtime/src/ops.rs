//! Health and metrics over HTTP.

use std::net::TcpListener;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use crate::settings::how_to_set;
use crate::{Context, Error, Health, Metrics, Shutdown};

/// Listens on `address`, the value of the setting `setting`; before any other work, so that a taken port is told at once.
///
/// # Errors
/// [`Error::Listen`].
pub fn bind(setting: &str, address: &str) -> Result<TcpListener, Error> {
    let refused = |error: std::io::Error| Error::Listen {
        address: address.to_owned(),
        reason: reason(&error),
        how: how_to_set(setting),
    };
    let listener = TcpListener::bind(address).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    Ok(listener)
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => "the port is taken".into(),
        _ => error.to_string(),
    }
}

#[derive(Clone)]
struct Ops {
    metrics: Arc<Metrics>,
    health: Health,
}

/// `/health/live`, `/health/ready` and `/metrics`, to be served alone or merged with others.
pub fn router(metrics: Arc<Metrics>, health: Health) -> Router {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(scrape))
        .with_state(Ops { metrics, health })
}

/// Serves [`router`] on `listener` until the shutdown is requested; async, inside tokio.
///
/// # Errors
/// The listener cannot be handed to tokio.
pub async fn serve(listener: TcpListener, context: Context) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let shutdown: Shutdown = context.shutdown.clone();
    let app = router(context.metrics, context.health);
    let server = axum::serve(listener, app).with_graceful_shutdown(async move { shutdown.requested().await });
    // A probe's idle connection would hold a graceful end for as long as it likes; nothing here is worth waiting for.
    tokio::select! {
        outcome = server.into_future() => outcome,
        () = context.shutdown.requested() => Ok(()),
    }
}

/// Alive is who answers: a role that fails is started again inside, so a restart from outside would only lose time.
async fn live() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "live": true }))
}

async fn ready(State(ops): State<Ops>) -> Response {
    let ready = ops.health.is_ready();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(serde_json::json!({ "ready": ready, "parts": ops.health.parts() }))).into_response()
}

async fn scrape(State(ops): State<Ops>) -> Response {
    match ops.metrics.encode(ops.health.is_ready()) {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests;
