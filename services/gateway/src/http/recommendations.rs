//! `GET /v1/users/{user}/recommendations`.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::choice::{self, Asked};
use super::extract::{Parameters, PathId};
use super::models::BasedOn;
use super::{ApiError, at_least, titles};
use crate::Gateway;
use crate::catalogue::{Categories, Moment};
use crate::pages::{Cursor, List, MOST_ITEMS};
use crate::served::ServedModel;
use crate::view::{Choice, Recommendation, Source, View};

/// The body of the answer.
#[derive(Debug, Serialize)]
pub(super) struct Recommendations {
    user: String,
    items: Vec<Recommendation>,
    source: Source,
    /// The cursor of the next page, where pages were asked for and there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    model: BasedOn,
}

/// The best items for a user, of those that the query leaves.
pub(super) async fn get(
    State(gateway): State<Gateway>,
    PathId(user): PathId,
    query: Parameters,
) -> Result<Json<Recommendations>, ApiError> {
    let model = &gateway.recommender()?;
    let asked = choice::asked(&query, gateway.settings.max_k, model)?;
    let (titles, explain) = (titles::wanted(&query)?, query.flag("explain")?.unwrap_or(false));
    if explain && matches!(asked, Asked::Pages(_)) {
        return Err(ApiError::parameter(
            "explain",
            "contradicts pages: a kept list has no reasons; leave one of them out",
        ));
    }
    at_least::wait(&gateway, model, &query).await?;
    match asked {
        Asked::List(choice) => list(&gateway, model, user, &choice, explain, titles),
        Asked::Pages(choice) => {
            let cursor = begin(&gateway, model, &user, &choice)?;
            page(&gateway, model, user, cursor, choice.k, titles)
        }
        Asked::Page(cursor, k) => page(&gateway, model, user, cursor, k, titles),
    }
    .map(Json)
}

fn list(
    gateway: &Gateway,
    model: &ServedModel,
    user: String,
    choice: &Choice,
    explain: bool,
    titles: bool,
) -> Result<Recommendations, ApiError> {
    let (key, taste) = (model.key(&user), model.taste());
    let read = |view: &View, moment: Moment<'_>| {
        let (source, scored) = view.recommend(taste, key, choice, moment);
        let mut items = if explain { view.named_and_explained(&taste, key, &scored) } else { view.named(&scored) };
        titles::fill(titles, model, moment, &mut items);
        (source, items, view.offsets())
    };
    let (source, items, offsets) = gateway.show(model, read)?;
    Ok(Recommendations { user, items, source, next: None, model: BasedOn::new(model, &offsets) })
}

/// Makes a list that is read page by page.
fn begin(gateway: &Gateway, model: &ServedModel, user: &str, choice: &Choice) -> Result<Cursor, ApiError> {
    let (key, taste) = (model.key(user), model.taste());
    let whole = Choice { k: MOST_ITEMS, ..choice.clone() };
    let read = |view: &View, moment: Moment<'_>| {
        let (source, items) = view.recommend(taste, key, &whole, moment);
        List { generation: model.generation(), user: key, source, items, offsets: view.offsets() }
    };
    Ok(gateway.pages.keep(Arc::new(gateway.show(model, read)?), Instant::now()))
}

fn page(
    gateway: &Gateway,
    model: &ServedModel,
    user: String,
    cursor: Cursor,
    k: usize,
    titles: bool,
) -> Result<Recommendations, ApiError> {
    // A list of a generation that no longer serves is no more: its names would be another one's.
    let list = gateway.pages.get(cursor, Instant::now()).filter(|list| list.generation == model.generation());
    let list = list.ok_or(ApiError::ExpiredCursor)?;
    if list.user != model.key(&user) {
        return Err(ApiError::parameter("cursor", "is of another user's list; ask without it for the first page"));
    }
    let end = cursor.offset.saturating_add(k).min(list.items.len());
    let scored = list.items.get(cursor.offset..end).unwrap_or_default();
    // An item that is no more, or is not to be shown any more, is left out, whatever the list was.
    let read = |view: &View, moment: Moment<'_>| {
        let shown = scored.iter().filter(|scored| moment.shows(scored.key, &Categories::default())).copied();
        let mut items = view.named(&shown.collect::<Vec<_>>());
        titles::fill(titles, model, moment, &mut items);
        items
    };
    let items = gateway.show(model, read)?;
    let next = (end < list.items.len()).then(|| cursor.at(end).to_string());
    Ok(Recommendations { user, items, source: list.source, next, model: BasedOn::new(model, &list.offsets) })
}
