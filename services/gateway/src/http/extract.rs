//! Ids, queries and bodies out of requests, each refusal a problem that names the field.

use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde_json::Value;
use tokio::time::Instant;
use weir_wire::MAX_ID_BYTES;

use super::ApiError;
use super::layers::Due;
use crate::Gateway;

/// The one id in a path, percent-decoded: 1 to [`MAX_ID_BYTES`] bytes of UTF-8.
pub(super) struct PathId(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(id) = path.map_err(|error: PathRejection| ApiError::parameter("path", error.body_text()))?;
        if let Some(problem) = id_problem(&id) {
            return Err(ApiError::parameter("user", problem));
        }
        Ok(Self(id))
    }
}

/// The same for an item's id.
pub(super) struct PathItem(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for PathItem {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(id) = path.map_err(|error: PathRejection| ApiError::parameter("path", error.body_text()))?;
        id_problem(&id).map_or(Ok(Self(id)), |problem| Err(ApiError::parameter("item", problem)))
    }
}

/// What is wrong with an id.
pub(super) fn id_problem(id: &str) -> Option<String> {
    match id.len() {
        0 => Some("is empty, an id needs at least one character".into()),
        1..=MAX_ID_BYTES => None,
        long => Some(format!("has {long} bytes, an id has at most {MAX_ID_BYTES}")),
    }
}

/// An id of a body, as events have them: a string, or an integer as its decimal string. `missing` says what is wrong where there is none.
///
/// # Errors
/// [`ApiError::Field`] that names `field`.
pub(super) fn json_id(field: &str, value: Option<&Value>, missing: &str) -> Result<String, ApiError> {
    let refused = |reason, detail: &str| Err(ApiError::field(field, reason, format!("{field}: {detail}")));
    let id = match value {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(number)) if !number.is_f64() => number.to_string(),
        Some(_) => return refused("wrong_type", "must be a string or an integer"),
        None => return refused("missing_field", missing),
    };
    match id_problem(&id) {
        None => Ok(id),
        Some(problem) => refused(if id.is_empty() { "empty_id" } else { "long_id" }, &problem),
    }
}

/// The query's parameters in order, percent-decoded. Unknown ones are of no matter.
pub(super) struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(pairs) = query.map_err(|error: QueryRejection| ApiError::parameter("query", error.body_text()))?;
        Ok(Self(pairs))
    }
}

impl Parameters {
    /// All values of a parameter.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter that may be there once; none where it is not given.
    pub(super) fn one(&self, name: &'static str) -> Result<Option<&str>, ApiError> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() {
            return Err(ApiError::parameter(name, "is there twice"));
        }
        Ok(first)
    }

    /// A number between `least` and `most`; none where it is not given.
    pub(super) fn number(&self, name: &'static str, least: u64, most: u64) -> Result<Option<u64>, ApiError> {
        let Some(value) = self.one(name)? else { return Ok(None) };
        match value.parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(ApiError::parameter(name, format!("must be an integer from {least} to {most}"))),
        }
    }

    /// True or false; none where it is not given.
    pub(super) fn flag(&self, name: &'static str) -> Result<Option<bool>, ApiError> {
        let flag = self.one(name)?.map(str::parse).transpose();
        flag.map_err(|_| ApiError::parameter(name, "must be true or false"))
    }

    /// All values of a parameter, each an id.
    pub(super) fn ids(&self, name: &'static str) -> Result<Vec<&str>, ApiError> {
        let checked = |id| match id_problem(id) {
            None => Ok(id),
            Some(problem) => Err(ApiError::parameter(name, problem)),
        };
        self.all(name).map(checked).collect()
    }
}

/// The bytes of a JSON body, and when the answer is due.
pub(super) struct JsonBytes {
    pub(super) bytes: Bytes,
    pub(super) due: Instant,
}

impl FromRequest<Gateway> for JsonBytes {
    type Rejection = ApiError;

    async fn from_request(mut request: Request, gateway: &Gateway) -> Result<Self, ApiError> {
        let limit = gateway.settings.body_limit_bytes;
        if !is_json(request.headers()) {
            return Err(ApiError::MediaType);
        }
        // A body that is announced as too long is refused before it is sent.
        if announced(request.headers()).is_some_and(|length| length > limit as u64) {
            return Err(too_large(limit));
        }
        let now = Instant::now();
        let due = request.extensions().get::<Due>().map_or(now, |due| due.0);
        DefaultBodyLimit::max(limit).apply(&mut request);
        // Half of the time is for the body, half for what is done with it.
        match tokio::time::timeout_at(now + (due - now) / 2, Bytes::from_request(request, gateway)).await {
            Ok(Ok(bytes)) => Ok(Self { bytes, due }),
            Ok(Err(error)) if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE => Err(too_large(limit)),
            Ok(Err(error)) => Err(ApiError::Other(error.status(), error.body_text())),
            Err(_) => Err(ApiError::SlowBody),
        }
    }
}

fn too_large(limit: usize) -> ApiError {
    ApiError::TooLarge(format!("the body is larger than {limit} bytes (gateway.body_limit_bytes); send it in parts"))
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// `application/json`, or a type that ends in `+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}
