//! `POST /v1/recommendations`: lists for an anonymous visitor, or for several users at once.

use std::collections::HashSet;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;

use super::choice::{self, Asked};
use super::extract::{JsonBytes, Parameters, json_id};
use super::models::BasedOn;
use super::{ApiError, at_least, titles};
use crate::Gateway;
use crate::catalogue::Moment;
use crate::served::ServedModel;
use crate::view::{Choice, Recommendation, Source, View};

/// Items of one field of a body.
const MOST_ITEMS: usize = 10_000;
/// Lists in an answer.
const MOST_USERS: usize = 100;

/// One list.
#[derive(Debug, Serialize)]
struct List {
    /// Whose; none for a visitor.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    items: Vec<Recommendation>,
    source: Source,
}

/// The body of the answer: one list, or one for each user in their order.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Lists {
    One(List),
    Several { users: Vec<List> },
}

/// The body of the answer.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    #[serde(flatten)]
    lists: Lists,
    model: BasedOn,
}

/// For whom a body asks.
enum Who {
    /// Items that a visitor has chosen.
    Visitor(Vec<String>),
    Users(Vec<String>),
}

/// Recommends to `{items: [item]}` or `{users: [user]}`; the body may also have `exclude` and `only`, which take more than fits into a
/// query, and the query what [`choice::asked`] reads.
pub(super) async fn post(
    State(gateway): State<Gateway>,
    query: Parameters,
    JsonBytes { bytes, .. }: JsonBytes,
) -> Result<Json<Answer>, ApiError> {
    let body: Value = serde_json::from_slice(&bytes).map_err(|error| ApiError::Json(error.to_string()))?;
    let model = &gateway.recommender()?;
    let who = who(&body)?;
    let (choice, titles) = (choice(&gateway, model, &query, &body)?, titles::wanted(&query)?);
    let explain = query.flag("explain")?.unwrap_or(false);
    if explain && matches!(who, Who::Visitor(_)) {
        return Err(ApiError::parameter("explain", "is for users, whose history is kept; leave it out"));
    }
    at_least::wait(&gateway, model, &query).await?;
    let (taste, reading) = (model.taste(), std::sync::Arc::clone(model));
    let read = move |view: &View, moment: Moment<'_>| {
        let list = |user, (source, scored): (Source, Vec<_>), explained: Option<u64>| {
            let mut items = match explained {
                Some(key) => view.named_and_explained(&taste, key, &scored),
                None => view.named(&scored),
            };
            titles::fill(titles, &reading, moment, &mut items);
            List { user, items, source }
        };
        let lists = match who {
            Who::Visitor(items) => {
                let items: Vec<u64> = items.iter().map(|item| reading.key(item)).collect();
                Lists::One(list(None, view.recommend_to_visitor(taste, &items, &choice, moment), None))
            }
            Who::Users(users) => {
                let of = |user: String| {
                    let key = reading.key(&user);
                    list(Some(user), view.recommend(taste, key, &choice, moment), explain.then_some(key))
                };
                Lists::Several { users: users.into_iter().map(of).collect() }
            }
        };
        (lists, view.offsets())
    };
    let (lists, offsets) = gateway.scan_shown(model, read).await?;
    Ok(Json(Answer { lists, model: BasedOn::new(model, &offsets) }))
}

fn who(body: &Value) -> Result<Who, ApiError> {
    match (ids(body, "items", MOST_ITEMS)?, ids(body, "users", MOST_USERS)?) {
        (Some(items), None) => Ok(Who::Visitor(items)),
        (None, Some(users)) => Ok(Who::Users(users)),
        (Some(_), Some(_)) => {
            Err(ApiError::field("users", "contradiction", "users: contradicts items; send one of them"))
        }
        (None, None) => {
            let detail = "items: is missing, send {items: [item]} for a visitor or {users: [user]}";
            Err(ApiError::field("items", "missing_field", detail))
        }
    }
}

/// What the query asks for, with the lists of the body.
fn choice(gateway: &Gateway, model: &ServedModel, query: &Parameters, body: &Value) -> Result<Choice, ApiError> {
    let Asked::List(mut choice) = choice::asked(query, gateway.settings.max_k, model)? else {
        return Err(ApiError::parameter("pages", "is for the list of one user; use k and offset"));
    };
    let exclude = ids(body, "exclude", MOST_ITEMS)?.unwrap_or_default();
    let only = ids(body, "only", MOST_ITEMS)?;
    for (name, in_body) in [("exclude", !exclude.is_empty()), ("only", only.is_some())] {
        if in_body && query.all(name).next().is_some() {
            return Err(ApiError::parameter(name, "is in the body too; leave one of them out"));
        }
    }
    let excluded: HashSet<&String> = exclude.iter().collect();
    if let Some(both) = only.iter().flatten().find(|item| excluded.contains(item)) {
        let detail = format!("only: contradicts exclude: both name {both}; take it out of one");
        return Err(ApiError::field("only", "contradiction", detail));
    }
    if !exclude.is_empty() {
        choice.exclude = exclude.iter().map(|item| model.key(item)).collect();
    }
    if let Some(only) = only {
        choice.only = Some(only.iter().map(|item| model.key(item)).collect());
    }
    Ok(choice)
}

/// The ids of a field of the body; none where it is not there.
fn ids(body: &Value, name: &str, most: usize) -> Result<Option<Vec<String>>, ApiError> {
    let values = match body.get(name) {
        None => return Ok(None),
        Some(Value::Array(values)) => values,
        Some(_) => return Err(ApiError::field(name, "wrong_type", format!("{name}: must be an array of ids"))),
    };
    if values.len() > most {
        return Err(ApiError::TooLarge(format!("{} {name} are too many, send at most {most}", values.len())));
    }
    let id = |(index, value)| json_id(&format!("{name}[{index}]"), Some(value), "is missing");
    values.iter().enumerate().map(id).collect::<Result<_, _>>().map(Some)
}
