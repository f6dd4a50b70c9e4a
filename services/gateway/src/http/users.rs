//! `GET` and `DELETE /v1/users/{user}`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json};
use serde::Serialize;
use weir_kafka::OutRecord;

use super::extract::{Parameters, PathId};
use super::layers::Due;
use super::models::BasedOn;
use super::{ApiError, at_least, events};
use crate::Gateway;
use crate::view::{Activity, View};

/// The body of the answer.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    user: String,
    events: u64,
    /// Milliseconds since 1970, as `ts` of events.
    last_event: u64,
    model: BasedOn,
}

/// How much of a user the model contains.
pub(super) async fn get(
    State(gateway): State<Gateway>,
    PathId(user): PathId,
    query: Parameters,
) -> Result<Json<Found>, ApiError> {
    let model = &gateway.recommender()?;
    at_least::wait(&gateway, model, &query).await?;
    let key = model.key(&user);
    let read = move |view: &View| (view.activity(key), view.offsets());
    let (activity, offsets) = Gateway::read(model, read)?;
    let Some(Activity { events, last_event }) = activity else { return Err(ApiError::UnknownUser(user)) };
    Ok(Json(Found { user, events, last_event, model: BasedOn::new(model, &offsets) }))
}

/// Forgets a user: writes the record of that key without a value. Answers are without the user as soon as they contain that
/// record, whose place the answer names.
pub(super) async fn delete(
    State(gateway): State<Gateway>,
    PathId(user): PathId,
    Extension(Due(due)): Extension<Due>,
) -> Result<Response, ApiError> {
    let topic = Arc::clone(&gateway.ratings_topic);
    let record = OutRecord::new(Arc::clone(&topic), None, Some(user.into_bytes()), None);
    events::send_records(&gateway, &topic, vec![record], due).await
}
