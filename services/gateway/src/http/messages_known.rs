//! `GET /v1/messages/{id}` and `POST /v1/messages/{id}/label`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::response::Response;
use serde::Serialize;
use serde_json::{Value, json};
use weir_models::spam::KnownMessage;
use weir_wire::message::Label;

use super::extract::{JsonBytes, Parameters, id_problem};
use super::models::BasedOn;
use super::{ApiError, at_least, messages};
use crate::Gateway;
use crate::view::View;

/// The message's id in the path, percent-decoded.
pub(super) struct MessageId(String);

impl<S: Send + Sync> FromRequestParts<S> for MessageId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(id) = path.map_err(|error| ApiError::parameter("path", error.body_text()))?;
        id_problem(&id).map_or(Ok(Self(id)), |problem| Err(ApiError::parameter("id", problem)))
    }
}

/// The body of the answer.
#[derive(Debug, Serialize)]
pub(super) struct Known {
    id: String,
    /// The latest label; none as long as none has come.
    label: Option<Label>,
    /// Whether the label was learned; if not, it waits for its text.
    learned: bool,
    /// Features of its text that are kept, for labels that come later.
    features: u32,
    /// Whether these are all of them.
    whole: bool,
    /// Milliseconds since 1970, as `ts` of events.
    first_seen: u64,
    model: BasedOn,
}

/// What is remembered of a message.
pub(super) async fn get(
    State(gateway): State<Gateway>,
    MessageId(id): MessageId,
    query: Parameters,
) -> Result<Json<Known>, ApiError> {
    let model = &gateway.spam()?;
    at_least::wait(&gateway, model, &query).await?;
    let tenant = query.one("tenant")?;
    if let Some(problem) = tenant.and_then(id_problem) {
        return Err(ApiError::parameter("tenant", problem));
    }
    let key = model.message_key(tenant, &id);
    let (known, offsets) = Gateway::read(model, move |view: &View| (view.known_message(key), view.offsets()))?;
    let Some(known) = known else { return Err(ApiError::UnknownMessage(id)) };
    let (_, learning) = model.text();
    let KnownMessage { label, learned, features, whole, first_seen } = known;
    let label = label.and_then(|class| learning.classes.label(class));
    let (first_seen, model) = (u64::from(first_seen) * 1_000, BasedOn::new(model, &offsets));
    Ok(Json(Known { id, label, learned, features, whole, first_seen, model }))
}

/// Sends a label for a message that came before. It is the worker that knows whether it is still remembered: if not,
/// the label goes to the rejected topic.
pub(super) async fn label(
    State(gateway): State<Gateway>,
    MessageId(id): MessageId,
    JsonBytes { bytes, due }: JsonBytes,
) -> Result<Response, ApiError> {
    let [label, tenant] = said(&bytes)?;
    let mut event = json!({ "id": id, "label": label });
    if !tenant.is_null() {
        event["tenant"] = tenant;
    }
    let event = event.to_string();
    messages::post(State(gateway), JsonBytes { bytes: Bytes::from(event), due }).await
}

/// What a body says of the label and the tenant; whether there is such a label, the parser of events says.
fn said(body: &[u8]) -> Result<[Value; 2], ApiError> {
    let said: Value = serde_json::from_slice(body).map_err(|error| ApiError::Json(error.to_string()))?;
    let refused = |reason, detail| Err(ApiError::field("label", reason, detail));
    match said {
        Value::Object(mut fields) => match fields.remove("label").filter(|label| !label.is_null()) {
            Some(label) => Ok([label, fields.remove("tenant").unwrap_or_default()]),
            None => refused("missing_field", "label: is missing, send {\"label\": \"spam\"} or another label"),
        },
        _ => refused("wrong_type", "label: send an object, {\"label\": \"spam\"} or another label"),
    }
}
