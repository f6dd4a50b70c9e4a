//! `GET /v1/items/{item}` and `GET /v1/items/popular`.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::choice::{self, Asked};
use super::extract::{Parameters, PathItem};
use super::models::BasedOn;
use super::recommendations::now_ms;
use super::{ApiError, at_least};
use crate::Gateway;
use crate::served::ServedModel;
use crate::view::{Keys, KnownItem, Recommendation, View};

/// The body of an answer about an item.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    item: String,
    ratings: f32,
    popularity: f32,
    /// Milliseconds since 1970; none if no event counts for popularity.
    last_event: Option<i64>,
    model: BasedOn,
}

/// The body of an answer about what is popular.
#[derive(Debug, Serialize)]
pub(super) struct Popular {
    items: Vec<Recommendation>,
    window: String,
    model: BasedOn,
}

/// What the model knows of an item.
pub(super) async fn get(
    State(gateway): State<Gateway>,
    PathItem(item): PathItem,
    query: Parameters,
) -> Result<Json<Found>, ApiError> {
    let model = gateway.recommender()?;
    at_least::wait(&gateway, model, &query).await?;
    let (key, taste, now_ms) = (model.key(&item), model.taste(), now_ms());
    let read = |view: &View| (view.known_item(taste, key, now_ms), view.offsets());
    let (known, offsets) = Gateway::read(model, read)?;
    let Some(KnownItem { ratings, popularity, last_event }) = known else { return Err(ApiError::UnknownItem(item)) };
    Ok(Json(Found { item, ratings, popularity, last_event, model: BasedOn::new(model, &offsets) }))
}

/// The most popular items of those that the query leaves.
pub(super) async fn popular(State(gateway): State<Gateway>, query: Parameters) -> Result<Json<Popular>, ApiError> {
    let model = gateway.recommender()?;
    let Asked::List(choice) = choice::asked(&query, gateway.settings.max_k, model)? else {
        return Err(ApiError::parameter("pages", "is for the lists of users; use k and offset"));
    };
    let window = window(&query, model)?;
    at_least::wait(&gateway, model, &query).await?;
    let (taste, now_ms) = (model.taste(), now_ms());
    let read = |view: &View| {
        let (_, scored) = view.recommend_to_visitor(taste, &Keys::default(), &choice, now_ms);
        (view.named(&scored), view.offsets())
    };
    let (items, offsets) = Gateway::read(model, read)?;
    Ok(Json(Popular { items, window, model: BasedOn::new(model, &offsets) }))
}

/// The window that is asked for, which must be one that the model has: hours after which an event counts half.
fn window(query: &Parameters, model: &ServedModel) -> Result<String, ApiError> {
    let windows = [format!("{}h", model.taste().half_lives_hours[2])];
    match query.one("window")? {
        None => Ok(windows[0].clone()),
        Some(window) if windows.iter().any(|known| known == window) => Ok(window.to_owned()),
        Some(_) => {
            let known = windows.join(", ");
            Err(ApiError::parameter(
                "window",
                format!("must be one that the model has (recommender.half_lives_hours, the last): {known}"),
            ))
        }
    }
}
