//! `POST /v1/rankings`: items of the client's own choosing, in the order in which they suit a user.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;

use super::choice;
use super::extract::{JsonBytes, Parameters, json_id};
use super::models::BasedOn;
use super::{ApiError, at_least, titles};
use crate::Gateway;
use crate::catalogue::Moment;
use crate::view::{Choice, Recommendation, Source, View};

const MOST_ITEMS: usize = 10_000;

/// The body of the answer.
#[derive(Debug, Serialize)]
pub(super) struct Rankings {
    user: String,
    items: Vec<Recommendation>,
    source: Source,
    model: BasedOn,
}

/// Ranks the items of `{user, items: [item]}`, best first, those that the user has seen among them. Items that are not known
/// or may not be shown are left out, and one that is named twice counts once.
pub(super) async fn post(
    State(gateway): State<Gateway>,
    query: Parameters,
    JsonBytes { bytes, .. }: JsonBytes,
) -> Result<Json<Rankings>, ApiError> {
    let body: Value = serde_json::from_slice(&bytes).map_err(|error| ApiError::Json(error.to_string()))?;
    let user = json_id("user", body.get("user"), "is missing, send {user, items: [item]}")?;
    let (items, titles) = (items(&body)?, titles::wanted(&query)?);
    let (categories, explain) = (choice::categories(&query)?, query.flag("explain")?.unwrap_or(false));
    if explain && items.len() > gateway.settings.max_k {
        let detail =
            format!("is for at most {} items (gateway.max_k), {} are asked", gateway.settings.max_k, items.len());
        return Err(ApiError::parameter("explain", detail));
    }
    let model = &gateway.recommender()?;
    at_least::wait(&gateway, model, &query).await?;
    let only = Some(items.iter().map(|item| model.key(item)).collect());
    let choice = Choice { k: items.len(), with_seen: true, only, categories, ..Choice::default() };
    let (key, taste) = (model.key(&user), model.taste());
    let read = |view: &View, moment: Moment<'_>| {
        let (source, scored) = view.recommend(taste, key, &choice, moment);
        let mut items = if explain { view.named_and_explained(&taste, key, &scored) } else { view.named(&scored) };
        titles::fill(titles, model, moment, &mut items);
        (source, items, view.offsets())
    };
    let (source, items, offsets) = gateway.show(model, read)?;
    Ok(Json(Rankings { user, items, source, model: BasedOn::new(model, &offsets) }))
}

fn items(body: &Value) -> Result<Vec<String>, ApiError> {
    let items = match body.get("items") {
        Some(Value::Array(items)) => items,
        Some(_) => return Err(ApiError::field("items", "wrong_type", "items: must be an array of items' ids")),
        None => return Err(ApiError::field("items", "missing_field", "items: is missing, send {user, items: [item]}")),
    };
    if items.len() > MOST_ITEMS {
        return Err(ApiError::TooLarge(format!("{} items are too many, send at most {MOST_ITEMS}", items.len())));
    }
    let id = |(index, item)| json_id(&format!("items[{index}]"), Some(item), "is missing");
    items.iter().enumerate().map(id).collect()
}
