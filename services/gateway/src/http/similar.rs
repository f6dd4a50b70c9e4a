//! `GET /v1/items/{item}/similar` and `GET /v1/users/{user}/similar`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::extract::{Parameters, PathId, PathItem};
use super::models::BasedOn;
use super::{ApiError, at_least, choice, titles};
use crate::Gateway;
use crate::catalogue::Moment;
use crate::view::{Recommendation, View};

const DEFAULT_K: u64 = 10;

/// The body of an answer about an item; scores are cosines.
#[derive(Debug, Serialize)]
pub(super) struct SimilarItems {
    item: String,
    items: Vec<Recommendation>,
    model: BasedOn,
}

/// One user of a list.
#[derive(Debug, Serialize)]
struct SimilarUser {
    user: String,
    score: f32,
}

/// The body of an answer about a user.
#[derive(Debug, Serialize)]
pub(super) struct SimilarUsers {
    user: String,
    users: Vec<SimilarUser>,
    model: BasedOn,
}

/// The items most like one.
pub(super) async fn items(
    State(gateway): State<Gateway>,
    PathItem(item): PathItem,
    query: Parameters,
) -> Result<Json<SimilarItems>, ApiError> {
    let (model, k) = (&gateway.recommender()?, k(&gateway, &query)?);
    let (categories, titles) = (choice::categories(&query)?, titles::wanted(&query)?);
    at_least::wait(&gateway, model, &query).await?;
    let (key, taste, reading) = (model.key(&item), model.taste(), Arc::clone(model));
    let read = move |view: &View, moment: Moment<'_>| {
        let scored = view.similar_items(taste, key, k, |item| moment.shows(item, &categories))?;
        let mut items = view.named(&scored);
        titles::fill(titles, &reading, moment, &mut items);
        Some((items, view.offsets()))
    };
    let Some((items, offsets)) = gateway.scan_shown(model, read).await? else {
        return Err(ApiError::UnknownItem(item));
    };
    Ok(Json(SimilarItems { item, items, model: BasedOn::new(model, &offsets) }))
}

/// The users most like one.
pub(super) async fn users(
    State(gateway): State<Gateway>,
    PathId(user): PathId,
    query: Parameters,
) -> Result<Json<SimilarUsers>, ApiError> {
    let (model, k) = (&gateway.recommender()?, k(&gateway, &query)?);
    at_least::wait(&gateway, model, &query).await?;
    let (key, taste) = (model.key(&user), model.taste());
    let read = move |view: &View| Some((view.named_users(&view.similar_users(taste, key, k)?), view.offsets()));
    let Some((users, offsets)) = gateway.scan(model, read).await? else { return Err(ApiError::UnknownUser(user)) };
    let users = users.into_iter().map(|(user, score)| SimilarUser { user, score }).collect();
    Ok(Json(SimilarUsers { user, users, model: BasedOn::new(model, &offsets) }))
}

fn k(gateway: &Gateway, query: &Parameters) -> Result<usize, ApiError> {
    let most = gateway.settings.max_k as u64;
    Ok(query.number("k", 1, most)?.unwrap_or(DEFAULT_K.min(most)) as usize)
}
