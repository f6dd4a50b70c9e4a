//! `GET /v1/items/{item}`, `GET /v1/items/popular` and `GET /v1/items/latest`.
//!
//! An item of one of these two names is asked for with one of its letters percent-encoded.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::choice::{self, Asked};
use super::extract::{Parameters, PathItem};
use super::models::BasedOn;
use super::{ApiError, at_least, titles};
use crate::Gateway;
use crate::catalogue::{Entry, Moment};
use crate::served::ServedModel;
use crate::view::{Choice, KnownItem, New, Recommendation, View};

/// The body of an answer about an item.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    item: String,
    ratings: f32,
    popularity: f32,
    events: u64,
    /// Milliseconds since 1970, as the next one.
    first_event: Option<u64>,
    last_event: Option<u64>,
    /// What the catalogue says, if it has the item.
    #[serde(skip_serializing_if = "Option::is_none")]
    catalogue: Option<Listed>,
    model: BasedOn,
}

/// What the catalogue says of an item.
#[derive(Debug, Serialize)]
struct Listed {
    title: Option<String>,
    categories: Vec<String>,
    hidden: bool,
    /// Milliseconds since 1970, as the next one.
    expires: Option<i64>,
    published: Option<i64>,
    /// Whether lists may have it now.
    shown: bool,
}

impl Listed {
    fn new(entry: &Entry, now_ms: i64) -> Self {
        Self {
            title: entry.title.as_deref().map(str::to_owned),
            categories: entry.categories.iter().map(|category| category.name.to_string()).collect(),
            hidden: entry.hidden,
            expires: entry.expires,
            published: entry.published,
            shown: entry.is_shown(now_ms),
        }
    }
}

/// The body of an answer about what is popular.
#[derive(Debug, Serialize)]
pub(super) struct Popular {
    items: Vec<Recommendation>,
    window: String,
    model: BasedOn,
}

/// The body of an answer about what is new.
#[derive(Debug, Serialize)]
pub(super) struct Latest {
    items: Vec<New>,
    model: BasedOn,
}

/// What the model knows of an item.
pub(super) async fn get(
    State(gateway): State<Gateway>,
    PathItem(item): PathItem,
    query: Parameters,
) -> Result<Json<Found>, ApiError> {
    let model = &gateway.recommender()?;
    at_least::wait(&gateway, model, &query).await?;
    let (key, taste) = (model.key(&item), model.taste());
    let read = |view: &View, moment: Moment<'_>| {
        let catalogue = moment.catalogue.get(key).map(|entry| Listed::new(entry, moment.now_ms));
        (view.known_item(taste, key, moment.now_ms), catalogue, view.offsets())
    };
    let (known, catalogue, offsets) = gateway.show(model, read)?;
    if known.is_none() && catalogue.is_none() {
        return Err(ApiError::UnknownItem(item));
    }
    // What only the catalogue knows had no event yet.
    let KnownItem { ratings, popularity, events, first_event, last_event } = known.unwrap_or_default();
    let model = BasedOn::new(model, &offsets);
    Ok(Json(Found { item, ratings, popularity, events, first_event, last_event, catalogue, model }))
}

/// The most popular items of those that the query leaves.
pub(super) async fn popular(State(gateway): State<Gateway>, query: Parameters) -> Result<Json<Popular>, ApiError> {
    let model = &gateway.recommender()?;
    let choice = one_list(&query, &gateway, model)?;
    let ((window, place), titles) = (window(&query, model)?, titles::wanted(&query)?);
    at_least::wait(&gateway, model, &query).await?;
    let (taste, reading) = (model.taste(), Arc::clone(model));
    let read = move |view: &View, moment: Moment<'_>| {
        let mut items = view.named(&view.most_popular(taste, place, &choice, moment));
        titles::fill(titles, &reading, moment, &mut items);
        (items, view.offsets())
    };
    let (items, offsets) = gateway.scan_shown(model, read).await?;
    Ok(Json(Popular { items, window, model: BasedOn::new(model, &offsets) }))
}

/// The newest items of those that the query leaves.
pub(super) async fn latest(State(gateway): State<Gateway>, query: Parameters) -> Result<Json<Latest>, ApiError> {
    let model = &gateway.recommender()?;
    let choice = one_list(&query, &gateway, model)?;
    let titles = titles::wanted(&query)?;
    at_least::wait(&gateway, model, &query).await?;
    let reading = Arc::clone(model);
    let read = move |view: &View, moment: Moment<'_>| {
        let mut items = view.latest(&choice, moment);
        for item in items.iter_mut().filter(|_| titles) {
            item.title = titles::of(&item.item, &reading, moment);
        }
        (items, view.offsets())
    };
    let (items, offsets) = gateway.scan_shown(model, read).await?;
    Ok(Json(Latest { items, model: BasedOn::new(model, &offsets) }))
}

fn one_list(query: &Parameters, gateway: &Gateway, model: &ServedModel) -> Result<Choice, ApiError> {
    match choice::asked(query, gateway.settings.max_k, model)? {
        Asked::List(choice) => Ok(choice),
        _ => Err(ApiError::parameter("pages", "is for the lists of users; use k and offset")),
    }
}

/// The window that is asked for, which must be one that the model has, and its place: hours after which an event counts half. The longest one
/// where none is asked for.
fn window(query: &Parameters, model: &ServedModel) -> Result<(String, usize), ApiError> {
    let windows = model.taste().half_lives_hours.map(|hours| format!("{hours}h"));
    let asked = query.one("window")?;
    let place = asked.map_or(Some(windows.len() - 1), |asked| windows.iter().rposition(|known| known == asked));
    place.map(|place| (windows[place].clone(), place)).ok_or_else(|| {
        let known = windows.join(", ");
        let detail = format!("must be one that the model has (recommender.half_lives_hours): {known}");
        ApiError::parameter("window", detail)
    })
}
