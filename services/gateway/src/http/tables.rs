//! `GET /v1/models/{model}/tables/{table}`: the rows themselves, for tests, tools and the curious.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use serde::Serialize;

use super::extract::Parameters;
use super::models::BasedOn;
use super::{ApiError, at_least};
use crate::Gateway;
use crate::served::ServedModel;
use crate::view::{TablePage, View};

/// Rows on a page when the query does not say how many.
const DEFAULT_LIMIT: u64 = 100;
const MOST_ROWS: u64 = 1_000;

/// The body of the answer.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    #[serde(flatten)]
    page: TablePage,
    model: BasedOn,
}

/// At most `limit` rows with keys after `after`, by ascending key. Pages are of the moment: a row that is written
/// between two of them is on at most one.
pub(super) async fn get(
    State(gateway): State<Gateway>,
    path: Result<Path<(String, String)>, PathRejection>,
    query: Parameters,
) -> Result<Json<Page>, ApiError> {
    let Path((model, table)) = path.map_err(|error| ApiError::parameter("path", error.body_text()))?;
    let after = query.number("after", 0, u64::MAX)?;
    let limit = query.number("limit", 1, MOST_ROWS)?.unwrap_or(DEFAULT_LIMIT) as usize;
    let model = &gateway.model(&model)?;
    if !model.tables().any(|spec| spec.name == table) {
        return Err(unknown(model, table));
    }
    at_least::wait(&gateway, model, &query).await?;
    let name = table.clone();
    let read = move |view: &View| (view.page(&name, after, limit), view.offsets());
    let (page, offsets) = gateway.scan(model, read).await?;
    let page = page.ok_or_else(|| unknown(model, table))?;
    Ok(Json(Page { page, model: BasedOn::new(model, &offsets) }))
}

fn unknown(model: &ServedModel, table: String) -> ApiError {
    let tables = model.tables().map(|spec| spec.name).collect::<Vec<_>>().join(", ");
    ApiError::UnknownTable { model: model.name(), table, tables }
}
