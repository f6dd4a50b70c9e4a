//! `POST /v1/messages`.

use axum::extract::State;
use axum::response::Response;

use super::extract::JsonBytes;
use super::{ApiError, events};
use crate::Gateway;

/// Sends messages and labels to their topic, keyed by message.
pub(super) async fn post(State(gateway): State<Gateway>, body: JsonBytes) -> Result<Response, ApiError> {
    // Nobody would read them, and there may be no such topic.
    gateway.spam()?;
    let key = |event: &[u8]| Ok(gateway.messages.parse(None, Some(event))?.id().as_bytes().to_vec());
    events::send(&gateway, &gateway.messages_topic, key, body).await
}
