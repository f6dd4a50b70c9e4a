//! `GET /v1/users/{user}`.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::extract::{Parameters, PathId};
use super::models::BasedOn;
use super::{ApiError, at_least};
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
    let model = gateway.recommender()?;
    at_least::wait(&gateway, model, &query).await?;
    let key = model.key(&user);
    let read = move |view: &View| (view.activity(key), view.offsets());
    let (activity, offsets) = Gateway::read(model, read)?;
    let Some(Activity { events, last_event }) = activity else { return Err(ApiError::UnknownUser(user)) };
    Ok(Json(Found { user, events, last_event, model: BasedOn::new(model, &offsets) }))
}
