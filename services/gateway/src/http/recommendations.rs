//! `GET /v1/users/{user}/recommendations`.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::extract::{Parameters, PathId};
use super::models::BasedOn;
use super::{ApiError, at_least};
use crate::Gateway;
use crate::view::{Recommendation, Source};

/// Items in a list when the query does not say how many.
const DEFAULT_K: u64 = 10;

/// The body of the answer.
#[derive(Debug, Serialize)]
pub(super) struct Recommendations {
    user: String,
    items: Vec<Recommendation>,
    source: Source,
    model: BasedOn,
}

/// The best items for a user, without those that the user has seen.
pub(super) async fn get(
    State(gateway): State<Gateway>,
    PathId(user): PathId,
    query: Parameters,
) -> Result<Json<Recommendations>, ApiError> {
    let k = query.number("k", 1, gateway.settings.max_k as u64)?;
    // A smaller max_k bounds the default too.
    let k = k.unwrap_or(DEFAULT_K.min(gateway.settings.max_k as u64)) as usize;
    let model = gateway.recommender()?;
    at_least::wait(&gateway, model, &query).await?;
    let (key, taste, now_ms) = (model.key(&user), model.taste(), now_ms());
    let read = move |view: &crate::view::View| (view.recommend(taste, key, k, now_ms), view.offsets());
    let ((source, items), offsets) = gateway.scan(model, read).await?;
    Ok(Json(Recommendations { user, items, source, model: BasedOn::new(model, &offsets) }))
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
