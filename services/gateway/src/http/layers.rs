//! What happens around every request.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::ApiError;
use crate::Gateway;

/// When the answer is due; a request extension.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due(pub(super) tokio::time::Instant);

/// Bounds how many requests are under way, and how long each may take.
pub(super) async fn bound(State(gateway): State<Gateway>, mut request: Request, next: Next) -> Response {
    let Ok(_permit) = Arc::clone(&gateway.requests).try_acquire_owned() else {
        return ApiError::Busy.into_response();
    };
    let due = tokio::time::Instant::now() + Duration::from_millis(gateway.settings.request_timeout_ms);
    request.extensions_mut().insert(Due(due));
    match tokio::time::timeout_at(due, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::TimedOut.into_response(),
    }
}

/// Counts requests by route template: a path would hold users.
pub(super) async fn measure(State(gateway): State<Gateway>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = method_label(request.method());
    let _in_flight = gateway.metrics.gateway.request_begins();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    gateway.metrics.gateway.request(route, method, response.status().as_u16(), started.elapsed());
    response
}

/// A client may send any word as a method, and labels must be bounded.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Turns errors that libraries answer with in plain text into problems.
pub(super) async fn problems_only(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || is_json(response.headers()) {
        return response;
    }
    let detail = status.canonical_reason().unwrap_or("refused").to_lowercase();
    ApiError::Other(status, detail).into_response()
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.starts_with("application/json") || value.starts_with("application/problem+json")
}

/// The answer where a handler panicked.
#[allow(clippy::needless_pass_by_value)] // tower-http gives it away.
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text");
    ApiError::Internal(format!("panic: {text}")).into_response()
}
