//! The REST API: JSON out of views, problems per RFC 9457 for everything else.

mod at_least;
mod choice;
mod error;
mod events;
mod extract;
mod items;
mod layers;
mod messages;
mod messages_known;
mod models;
mod policies;
mod predictions;
mod rankings;
mod ratings;
mod recommendations;
mod scores;
mod similar;
mod tables;
mod titles;
mod users;
mod visitors;

use std::net::TcpListener;
use std::time::Duration;

use axum::Router;
use axum::http::{Method, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::TraceLayer;
use weir_runtime::{Context, ops_router};

pub(crate) use error::ApiError;

use crate::Gateway;

/// How long requests under way may take to end after the shutdown was requested, at most half of what the process has.
const DRAIN: Duration = Duration::from_secs(10);

/// All routes: `/v1`, health and metrics.
///
/// From outside in: request id, trace, panics, problems, metrics; for `/v1` also the bound on requests under way and
/// the time that each may take.
pub fn router(gateway: Gateway, context: &Context) -> Router {
    let api = Router::new()
        .route("/v1/users/{user}/recommendations", get(recommendations::get))
        .route("/v1/users/{user}", get(users::get).delete(users::delete))
        .route("/v1/users/{user}/similar", get(similar::users))
        .route("/v1/items/{item}", get(items::get))
        .route("/v1/items/{item}/similar", get(similar::items))
        .route("/v1/items/popular", get(items::popular))
        .route("/v1/items/latest", get(items::latest))
        .route("/v1/recommendations", post(visitors::post))
        .route("/v1/predictions", post(predictions::post))
        .route("/v1/rankings", post(rankings::post))
        .route("/v1/ratings", post(ratings::post))
        .route("/v1/messages", post(messages::post))
        .route("/v1/messages/score", post(scores::post))
        .route("/v1/messages/{id}", get(messages_known::get))
        .route("/v1/messages/{id}/label", post(messages_known::label))
        .route("/v1/tenants/{tenant}/policy", get(policies::get).put(policies::put).delete(policies::delete))
        .route("/v1/models", get(models::get))
        .route("/v1/models/{model}/tables/{table}", get(tables::get))
        .layer(from_fn_with_state(gateway.clone(), layers::bound))
        .with_state(gateway.clone());
    api.merge(ops_router(context.metrics.clone(), context.health.clone()))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(from_fn_with_state(gateway, layers::measure))
        .layer(from_fn(layers::problems_only))
        .layer(CatchPanicLayer::custom(layers::panicked))
        .layer(PropagateRequestIdLayer::x_request_id())
        // Failures are logged where their cause is known.
        .layer(TraceLayer::new_for_http().on_failure(()))
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
}

/// Serves [`router`] on `listener` until the shutdown is requested; requests under way then have ten seconds, or half of
/// `shutdown_timeout_ms`.
///
/// # Errors
/// The listener cannot be handed to tokio, or accepting fails for good.
pub async fn serve(listener: TcpListener, gateway: Gateway, context: Context) -> anyhow::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let drain = DRAIN.min(Duration::from_millis(context.settings.shutdown_timeout_ms) / 2);
    let (app, asked, overdue) = (router(gateway, &context), context.shutdown.clone(), context.shutdown);
    let server = axum::serve(listener, app).with_graceful_shutdown(async move { asked.requested().await });
    // An idle connection would hold a graceful end for as long as it likes.
    let overdue = async move {
        overdue.requested().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        outcome = server.into_future() => Ok(outcome?),
        () = overdue => Ok(()),
    }
}

async fn no_route(uri: Uri) -> ApiError {
    ApiError::NoRoute(uri.path().to_owned())
}

async fn no_method(method: Method, uri: Uri) -> ApiError {
    ApiError::NoMethod { method, path: uri.path().to_owned() }
}

#[cfg(test)]
mod tests;
