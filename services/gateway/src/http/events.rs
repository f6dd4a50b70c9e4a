//! Events over REST on their way to a model's input topic, of whatever kind.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use weir_kafka::OutRecord;
use weir_wire::Reject;

use super::ApiError;
use super::extract::JsonBytes;
use crate::Gateway;
use crate::producer::Fate;

const MOST_EVENTS: usize = 10_000;

/// Where the broker has an event.
#[derive(Debug, Serialize)]
struct Accepted<'a> {
    topic: &'a str,
    partition: u32,
    offset: u64,
}

/// Sends one event or a list to `topic`, all or nothing as far as the events themselves are concerned; answers when the
/// broker has them. `key` reads an event as the worker will and gives its record's key.
pub(super) async fn send(
    gateway: &Gateway,
    topic: &Arc<str>,
    key: impl Fn(&[u8]) -> Result<Vec<u8>, Reject>,
    JsonBytes { bytes, due }: JsonBytes,
) -> Result<Response, ApiError> {
    send_records(gateway, topic, records(topic, key, &bytes)?, due).await
}

/// Sends records to `topic`; answers when the broker has them, or a little before `due`.
pub(super) async fn send_records(
    gateway: &Gateway,
    topic: &str,
    records: Vec<OutRecord>,
    due: tokio::time::Instant,
) -> Result<Response, ApiError> {
    // A tenth of what is left is for the answer.
    let now = tokio::time::Instant::now();
    let fates = gateway.producer.send(records, now + (due - now) * 9 / 10).await;
    for fate in &fates {
        match fate {
            Fate::Acknowledged { .. } => gateway.metrics.gateway.event_produced(),
            Fate::Failed(_) | Fate::Unknown => gateway.metrics.gateway.event_failed(),
        }
    }
    answer(topic, &fates)
}

/// 202 with the place of each event in order, or a problem that says what became of each.
fn answer(topic: &str, fates: &[Fate]) -> Result<Response, ApiError> {
    let place = |fate: &Fate| match fate {
        Fate::Acknowledged { partition, offset } => Some(Accepted { topic, partition: *partition, offset: *offset }),
        Fate::Failed(_) | Fate::Unknown => None,
    };
    let accepted: Vec<_> = fates.iter().filter_map(place).collect();
    if accepted.len() == fates.len() {
        return Ok((StatusCode::ACCEPTED, Json(json!({ "accepted": accepted }))).into_response());
    }
    let fate = |(index, fate): (usize, &Fate)| match fate {
        Fate::Acknowledged { partition, offset } => {
            json!({ "index": index, "topic": topic, "partition": partition, "offset": offset })
        }
        Fate::Failed(reason) => json!({ "index": index, "failed": reason }),
        Fate::Unknown => json!({ "index": index, "failed": "no acknowledgement in time; it may still arrive" }),
    };
    let fates_json = fates.iter().enumerate().map(fate).collect();
    Err(ApiError::NotAcknowledged { acknowledged: accepted.len(), events: fates.len(), fates: fates_json })
}

/// The records of a body, every one of them valid.
fn records(
    topic: &Arc<str>,
    key: impl Fn(&[u8]) -> Result<Vec<u8>, Reject>,
    body: &[u8],
) -> Result<Vec<OutRecord>, ApiError> {
    let events = events(body)?;
    let single = !matches!(events, Events::List(_));
    let events = match events {
        Events::One(event) => vec![event],
        Events::List(events) => events,
    };
    if events.len() > MOST_EVENTS {
        return Err(ApiError::TooLarge(format!("{} events are too many, send at most {MOST_EVENTS}", events.len())));
    }
    let record = |(index, event): (usize, &&RawValue)| {
        let payload = event.get().as_bytes();
        let key = key(payload).map_err(|reject| refusal(index, single, &reject))?;
        Ok(OutRecord::new(Arc::clone(topic), None, Some(key), Some(payload.to_vec())))
    };
    events.iter().enumerate().map(record).collect()
}

/// The events of a body as their JSON text.
enum Events<'a> {
    One(&'a RawValue),
    List(Vec<&'a RawValue>),
}

fn events(body: &[u8]) -> Result<Events<'_>, ApiError> {
    let text = str::from_utf8(body).map_err(|error| ApiError::Json(error.to_string()))?;
    let events = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).map(Events::List)
    } else {
        serde_json::from_str(text).map(Events::One)
    };
    // The value that people try to send most often, and the parser does not name it.
    let hint = if text.contains("NaN") || text.contains("Infinity") { "; NaN and Infinity are not JSON" } else { "" };
    events.map_err(|error| ApiError::Json(format!("{error}{hint}")))
}

fn refusal(index: usize, single: bool, reject: &Reject) -> ApiError {
    let nothing = if single { "" } else { "; nothing of the list was sent" };
    ApiError::Field {
        index: Some(index),
        field: reject.field.map(str::to_owned),
        reason: reject.reason.as_str(),
        detail: format!("event {index}: {reject}{nothing}"),
    }
}

#[cfg(test)]
mod tests;
