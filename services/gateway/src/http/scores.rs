//! `POST /v1/messages/score`.

use std::borrow::Cow;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::value::RawValue;
use weir_models::spam::Score;
use weir_wire::message::{self, Label, MessageEvent};

use super::extract::{JsonBytes, Parameters};
use super::models::BasedOn;
use super::{ApiError, at_least};
use crate::Gateway;
use crate::view::View;

const MOST_MESSAGES: usize = 10_000;

/// What the filter says of one message.
#[derive(Debug, Serialize)]
struct Scored {
    id: String,
    label: Label,
    probability: f32,
    margin: f32,
}

/// The body of the answer, scores in the order of the messages.
#[derive(Debug, Serialize)]
pub(super) struct Scores {
    scores: Vec<Scored>,
    model: BasedOn,
}

/// The body of the request.
#[derive(serde::Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
}

/// Scores `{messages: [{id, text}]}` and teaches nothing.
pub(super) async fn post(
    State(gateway): State<Gateway>,
    query: Parameters,
    JsonBytes { bytes, .. }: JsonBytes,
) -> Result<Json<Scores>, ApiError> {
    let messages = messages(&bytes)?;
    let model = gateway.spam()?;
    at_least::wait(&gateway, model, &query).await?;
    let settings = model.text();
    let read = move |view: &View| {
        let scores = view.score(settings, messages.iter().map(|(_, text)| text.as_str()));
        (messages, scores, view.offsets())
    };
    let (messages, scores, offsets) = gateway.scan(model, read).await?;
    let scored = |((id, _), Score { label, probability, margin }): ((String, String), Score)| Scored {
        id,
        label,
        probability,
        margin,
    };
    let scores = messages.into_iter().zip(scores).map(scored).collect();
    Ok(Json(Scores { scores, model: BasedOn::new(model, &offsets) }))
}

/// Id and text of each message.
fn messages(body: &[u8]) -> Result<Vec<(String, String)>, ApiError> {
    let asked: Asked<'_> = serde_json::from_slice(body).map_err(|error| refused_body(&error))?;
    if asked.messages.len() > MOST_MESSAGES {
        let detail = format!("{} messages are too many, send at most {MOST_MESSAGES}", asked.messages.len());
        return Err(ApiError::TooLarge(detail));
    }
    asked.messages.iter().enumerate().map(|(index, message)| id_and_text(index, message)).collect()
}

fn refused_body(error: &serde_json::Error) -> ApiError {
    if !error.is_data() {
        return ApiError::Json(error.to_string());
    }
    let reason = if error.to_string().starts_with("missing field") { "missing_field" } else { "wrong_type" };
    ApiError::field("messages", reason, format!("messages: send {{messages: [{{id, text}}]}}: {error}"))
}

fn id_and_text(index: usize, message: &RawValue) -> Result<(String, String), ApiError> {
    let refused = |field: Option<&str>, reason, detail: String| ApiError::Field {
        index: Some(index),
        field: field.map(|field| format!("messages[{index}].{field}")),
        reason,
        detail: format!("message {index}: {detail}"),
    };
    let parsed = message::parse(None, Some(message.get().as_bytes()));
    let parsed = parsed.map_err(|reject| refused(reject.field, reject.reason.as_str(), reject.to_string()))?;
    match parsed {
        MessageEvent::Message { id, text: Some(text), .. } => Ok((id.into_owned(), Cow::into_owned(text))),
        _ => Err(refused(Some("text"), "missing_field", "text: is missing, a message needs one to be scored".into())),
    }
}
