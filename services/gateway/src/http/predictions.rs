//! `POST /v1/predictions`.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;

use super::extract::{JsonBytes, Parameters, json_id};
use super::models::BasedOn;
use super::{ApiError, at_least};
use crate::Gateway;
use crate::view::View;

const MOST_PAIRS: usize = 10_000;

/// The predicted rating of one pair.
#[derive(Debug, Serialize)]
struct Prediction {
    user: String,
    item: String,
    rating: f32,
}

/// The body of the answer, predictions in the order of the pairs.
#[derive(Debug, Serialize)]
pub(super) struct Predictions {
    predictions: Vec<Prediction>,
    model: BasedOn,
}

/// Predicts ratings of `{pairs: [{user, item}]}`. Whoever is not known yet is predicted as average.
pub(super) async fn post(
    State(gateway): State<Gateway>,
    query: Parameters,
    JsonBytes { bytes, .. }: JsonBytes,
) -> Result<Json<Predictions>, ApiError> {
    let body: Value = serde_json::from_slice(&bytes).map_err(|error| ApiError::Json(error.to_string()))?;
    let pairs = pairs(&body)?;
    let model = &gateway.recommender()?;
    at_least::wait(&gateway, model, &query).await?;
    let keys: Vec<_> = pairs.iter().map(|(user, item)| (model.key(user), model.key(item))).collect();
    let parts = model.taste().parts;
    let read = move |view: &View| (view.predict(parts, &keys), view.offsets());
    let (ratings, offsets) = Gateway::read(model, read)?;
    let predictions = pairs.into_iter().zip(ratings).map(|((user, item), rating)| Prediction { user, item, rating });
    Ok(Json(Predictions { predictions: predictions.collect(), model: BasedOn::new(model, &offsets) }))
}

fn pairs(body: &Value) -> Result<Vec<(String, String)>, ApiError> {
    let pairs = match body.get("pairs") {
        Some(Value::Array(pairs)) => pairs,
        Some(_) => return Err(ApiError::field("pairs", "wrong_type", "pairs: must be an array of {user, item}")),
        None => {
            return Err(ApiError::field("pairs", "missing_field", "pairs: is missing, send {pairs: [{user, item}]}"));
        }
    };
    if pairs.len() > MOST_PAIRS {
        return Err(ApiError::TooLarge(format!("{} pairs are too many, send at most {MOST_PAIRS}", pairs.len())));
    }
    let pair = |(index, pair): (usize, &Value)| Ok((id(index, pair, "user")?, id(index, pair, "item")?));
    pairs.iter().enumerate().map(pair).collect()
}

fn id(index: usize, pair: &Value, name: &str) -> Result<String, ApiError> {
    json_id(&format!("pairs[{index}].{name}"), pair.get(name), "is missing, every pair needs it")
}
