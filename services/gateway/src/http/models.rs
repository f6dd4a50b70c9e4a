//! `GET /v1/models`, and the part `model` of every answer.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use weir_wire::Generation;

use super::extract::Parameters;
use super::{ApiError, at_least};
use crate::Gateway;
use crate::served::ServedModel;
use crate::view::{Offsets, View};

/// By topic the offset next to read of each partition, all of which the answer contains.
pub(super) type Covered = BTreeMap<String, Vec<u64>>;

/// What an answer is based on.
#[derive(Debug, Serialize)]
pub(super) struct BasedOn {
    name: &'static str,
    generation: Generation,
    offsets: Covered,
}

impl BasedOn {
    /// A view of `model` with these offsets.
    pub(super) fn new(model: &ServedModel, offsets: &Offsets) -> Self {
        Self { name: model.name(), generation: model.generation(), offsets: covered(model, offsets) }
    }
}

fn covered(model: &ServedModel, offsets: &Offsets) -> Covered {
    BTreeMap::from([(model.input_topic().to_owned(), offsets.to_vec())])
}

/// One model of the list.
#[derive(Debug, Serialize)]
struct Listed {
    name: &'static str,
    generation: Generation,
    /// Whether it answers; until then it counts nothing.
    loaded: bool,
    shards: u32,
    rows: usize,
    offsets: Covered,
    events: u64,
}

/// The body of the answer.
#[derive(Debug, Serialize)]
pub(super) struct Models {
    models: Vec<Listed>,
}

/// All models of this process, loaded or not.
pub(super) async fn get(State(gateway): State<Gateway>, query: Parameters) -> Result<Json<Models>, ApiError> {
    let served = gateway.models();
    let mut models = Vec::with_capacity(served.len());
    at_least::wait_for_all(&gateway, &served, &query).await?;
    for model in &served {
        let read = |view: &View| (view.len(), view.events(), view.offsets());
        let found = match Gateway::read(model, read) {
            Err(ApiError::NotLoaded(_)) => None,
            other => Some(other?),
        };
        let loaded = found.is_some();
        let (rows, events, offsets) = found.unwrap_or_default();
        let (name, generation, shards) = (model.name(), model.generation(), model.shards());
        let offsets = covered(model, &offsets);
        models.push(Listed { name, generation, loaded, shards, rows, offsets, events });
    }
    Ok(Json(Models { models }))
}
