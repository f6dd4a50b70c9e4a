//! `POST /v1/messages/score`.

use std::borrow::Cow;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::value::RawValue;
use weir_models::spam::{Content, Explanation, Grounds, Listable, Score};
use weir_wire::message::{self, Label, MessageEvent};
use weir_wire::verdict::{Probabilities, Verdict};

use super::extract::{JsonBytes, Parameters};
use super::models::BasedOn;
use super::{ApiError, at_least};
use crate::Gateway;
use crate::view::View;

const MOST_MESSAGES: usize = 1_000;
/// Messages that are explained at once: each is scored once for each of its parts.
const MOST_EXPLAINED: usize = 10;

/// What the filter says of one message.
#[derive(Debug, Serialize)]
struct Scored {
    id: String,
    label: Label,
    probability: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    probabilities: Option<Probabilities>,
    margin: f32,
    #[serde(flatten)]
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
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

/// Scores `{messages: [{id, text, tenant?, sender?}]}` and teaches nothing; with `explain=true` says why, too.
pub(super) async fn post(
    State(gateway): State<Gateway>,
    query: Parameters,
    JsonBytes { bytes, .. }: JsonBytes,
) -> Result<Json<Scores>, ApiError> {
    let explain = query.flag("explain")?.unwrap_or_default();
    let messages = messages(&bytes, if explain { MOST_EXPLAINED } else { MOST_MESSAGES })?;
    let model = &gateway.spam()?;
    at_least::wait(&gateway, model, &query).await?;
    let ((settings, learning), policy) = (model.text(), model.policy());
    let policies = model.policies()?;
    let grounds = |message: &Message| {
        let Message { id, text, tenant, sender, .. } = message;
        policy.grounds(policies, tenant.as_deref(), Listable { id, sender: sender.as_deref(), text })
    };
    let grounds: Vec<Grounds> = messages.iter().map(grounds).collect();
    let tenants: Vec<u64> = messages.iter().map(|message| model.tenant_key(message.tenant.as_deref())).collect();
    let read = move |view: &View| {
        let texts = || {
            messages.iter().zip(&tenants).map(|(m, tenant)| (Content::new(&m.text, m.content_type.as_deref()), *tenant))
        };
        let scores = view.score((settings, &learning), texts());
        let explained = if explain { view.explain((settings, &learning), texts()) } else { Vec::new() };
        let mut explained = explained.into_iter();
        let scored = |((message, grounds), score): ((Message, Grounds), Score)| {
            let Score { label, probability, probabilities, margin } = score;
            let verdict = policy.verdict(probability, &learning.classes, view.classes(), grounds);
            let id = message.id;
            Scored { id, label, probability, probabilities, margin, verdict, explanation: explained.next() }
        };
        let scores = messages.into_iter().zip(grounds).zip(scores).map(scored).collect();
        (scores, view.offsets())
    };
    let (scores, offsets) = gateway.scan(model, read).await?;
    Ok(Json(Scores { scores, model: BasedOn::new(model, &offsets) }))
}

/// A message to score.
struct Message {
    id: String,
    text: String,
    tenant: Option<String>,
    sender: Option<String>,
    content_type: Option<String>,
}

/// The messages of a body.
fn messages(body: &[u8], most: usize) -> Result<Vec<Message>, ApiError> {
    let asked: Asked<'_> = serde_json::from_slice(body).map_err(|error| refused_body(&error))?;
    if asked.messages.len() > most {
        let detail = format!("{} messages are too many, send at most {most}", asked.messages.len());
        return Err(ApiError::TooLarge(detail));
    }
    asked.messages.iter().enumerate().map(|(index, asked)| message(index, asked)).collect()
}

fn refused_body(error: &serde_json::Error) -> ApiError {
    if !error.is_data() {
        return ApiError::Json(error.to_string());
    }
    let reason = if error.to_string().starts_with("missing field") { "missing_field" } else { "wrong_type" };
    ApiError::field("messages", reason, format!("messages: send {{messages: [{{id, text}}]}}: {error}"))
}

fn message(index: usize, asked: &RawValue) -> Result<Message, ApiError> {
    let refused = |field: Option<&str>, reason, detail: String| ApiError::Field {
        index: Some(index),
        field: field.map(|field| format!("messages[{index}].{field}")),
        reason,
        detail: format!("message {index}: {detail}"),
    };
    let parsed = message::parse(None, Some(asked.get().as_bytes()));
    let parsed = parsed.map_err(|reject| refused(reject.field, reject.reason.as_str(), reject.to_string()))?;
    match parsed {
        MessageEvent::Message { id, text: Some(text), tenant, sender, content_type, .. } => Ok(Message {
            id: id.into_owned(),
            text: text.into_owned(),
            tenant: tenant.map(Cow::into_owned),
            sender: sender.map(Cow::into_owned),
            content_type: content_type.map(Cow::into_owned),
        }),
        _ => Err(refused(Some("text"), "missing_field", "text: is missing, a message needs one to be scored".into())),
    }
}
