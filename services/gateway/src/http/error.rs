//! Everything that a request can end in besides its answer, and how each is told: `application/problem+json`.

use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::view::Offsets;

/// Why there is no answer. Texts are for the client; causes of internal ones are logged and never sent.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("there is nothing at {0}")]
    NoRoute(String),
    #[error("{path} does not take {method}")]
    NoMethod { method: Method, path: String },
    /// A part of the path or of the query.
    #[error("{field}: {detail}")]
    Parameter { field: String, detail: String },
    /// A body that is no JSON.
    #[error("the body is not JSON: {0}")]
    Json(String),
    /// JSON that does not say what it should. `index` is the event's place in a list.
    #[error("{detail}")]
    Field { index: Option<usize>, field: Option<String>, reason: &'static str, detail: String },
    #[error("the body must be JSON: send content-type application/json")]
    MediaType,
    #[error("{0}")]
    TooLarge(String),
    #[error("the body did not arrive in time")]
    SlowBody,
    #[error("the model contains no event of user {0}")]
    UnknownUser(String),
    #[error("the model contains no event of item {0}")]
    UnknownItem(String),
    #[error("nothing is remembered of message {0}")]
    UnknownMessage(String),
    #[error(
        "cursor: this list is not kept any more, or was made by another process; ask without it for the first page"
    )]
    ExpiredCursor,
    #[error("no model {0} is served here")]
    UnknownModel(String),
    #[error("model {model} has no table {table}; it has {tables}")]
    UnknownTable { model: &'static str, table: String, tables: String },
    #[error("model {0} is not loaded yet; /health/ready says why")]
    NotLoaded(&'static str),
    /// A topic that answers depend on besides a model.
    #[error("the topic of {0} is not read yet; /health/ready says why")]
    NotRead(&'static str),
    /// The record that was asked for did not arrive in the model in time.
    #[error("model {model} does not contain {wanted} yet")]
    NotCovered { model: &'static str, topic: String, wanted: String, covered: Offsets },
    #[error("{acknowledged} of {events} events were acknowledged; what became of the others is in `events`")]
    NotAcknowledged { acknowledged: usize, events: usize, fates: Value },
    #[error("the request took too long")]
    TimedOut,
    #[error("too many requests are under way")]
    Busy,
    #[error("something went wrong here; the log says what")]
    Internal(String),
    /// An error that a library answered with.
    #[error("{1}")]
    Other(StatusCode, String),
}

impl ApiError {
    /// What is wrong with a part of the path or query.
    pub(crate) fn parameter(field: &str, detail: impl Into<String>) -> Self {
        Self::Parameter { field: field.to_owned(), detail: detail.into() }
    }

    /// What is wrong with a field of a body.
    pub(crate) fn field(field: impl Into<String>, reason: &'static str, detail: impl Into<String>) -> Self {
        Self::Field { index: None, field: Some(field.into()), reason, detail: detail.into() }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NoRoute(_)
            | Self::UnknownUser(_)
            | Self::UnknownItem(_)
            | Self::UnknownMessage(_)
            | Self::UnknownModel(_)
            | Self::UnknownTable { .. } => StatusCode::NOT_FOUND,
            Self::ExpiredCursor => StatusCode::GONE,
            Self::NoMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Parameter { .. } | Self::Json(_) => StatusCode::BAD_REQUEST,
            Self::Field { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::NotLoaded(_)
            | Self::NotRead(_)
            | Self::NotCovered { .. }
            | Self::NotAcknowledged { .. }
            | Self::TimedOut
            | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Other(status, _) => *status,
        }
    }

    /// A fixed name, for programs.
    fn code(&self) -> &'static str {
        match self {
            Self::NoRoute(_) => "no_route",
            Self::NoMethod { .. } => "no_method",
            Self::Parameter { .. } => "bad_parameter",
            Self::Json(_) => "bad_json",
            Self::Field { reason, .. } => reason,
            Self::MediaType => "media_type",
            Self::TooLarge(_) => "too_large",
            Self::SlowBody => "slow_body",
            Self::UnknownUser(_) => "unknown_user",
            Self::UnknownItem(_) => "unknown_item",
            Self::UnknownMessage(_) => "unknown_message",
            Self::ExpiredCursor => "expired_cursor",
            Self::UnknownModel(_) => "unknown_model",
            Self::UnknownTable { .. } => "unknown_table",
            Self::NotLoaded(_) | Self::NotRead(_) => "not_loaded",
            Self::NotCovered { .. } => "not_covered",
            Self::NotAcknowledged { .. } => "not_acknowledged",
            Self::TimedOut => "timed_out",
            Self::Busy => "busy",
            Self::Internal(_) => "internal",
            Self::Other(..) => "refused",
        }
    }

    /// Members beside those that every problem has.
    fn members(&self) -> Map<String, Value> {
        let members = match self {
            Self::Parameter { field, .. } => json!({ "field": field }),
            Self::ExpiredCursor => json!({ "field": "cursor" }),
            Self::Field { index, field, .. } => {
                let index = index.map(|index| ("index", json!(index)));
                let field = field.as_ref().map(|field| ("field", json!(field)));
                index.into_iter().chain(field).collect()
            }
            Self::NotCovered { topic, covered, .. } => json!({ "covered": { topic: **covered } }),
            Self::NotAcknowledged { acknowledged, fates, .. } => {
                json!({ "acknowledged": acknowledged, "events": fates })
            }
            _ => Value::Null,
        };
        match members {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        if let Self::Internal(cause) = &self {
            tracing::error!(cause, "a request failed");
        }
        let mut problem = self.members();
        problem.insert("type".into(), "about:blank".into());
        problem.insert("title".into(), status.canonical_reason().unwrap_or("Error").into());
        problem.insert("status".into(), status.as_u16().into());
        problem.insert("code".into(), self.code().into());
        problem.insert("detail".into(), self.to_string().into());
        let body = Value::Object(problem).to_string();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        response
    }
}
