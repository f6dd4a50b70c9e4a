//! Which list a query asks for: how long, from where on, and of which items.

use std::collections::HashSet;

use super::ApiError;
use super::extract::{Parameters, id_problem};
use crate::catalogue::Categories;
use crate::pages::Cursor;
use crate::served::ServedModel;
use crate::view::{Choice, Keys};

/// Items in a list when the query does not say how many.
const DEFAULT_K: u64 = 10;
/// Items that may be passed over: all of them have to be found first.
const MOST_OFFSET: u64 = 10_000;
/// What only a new list can take.
const OF_NEW_LISTS: [&str; 7] = ["offset", "pages", "exclude_seen", "exclude", "only", "category", "explain"];

/// What a query asks for.
#[derive(Debug)]
pub(super) enum Asked {
    /// One list.
    List(Choice),
    /// The first page of a list.
    Pages(Choice),
    /// That many items of a list that there is.
    Page(Cursor, usize),
}

/// Reads `k`, and `cursor` or `offset`, `pages`, `exclude_seen`, `exclude`, `only` and `category`.
///
/// # Errors
/// [`ApiError::Parameter`] for values that are malformed, out of range or contradict one another.
pub(super) fn asked(query: &Parameters, max_k: usize, model: &ServedModel) -> Result<Asked, ApiError> {
    // A smaller max_k bounds the default too.
    let k = query.number("k", 1, max_k as u64)?.unwrap_or(DEFAULT_K.min(max_k as u64)) as usize;
    if let Some(cursor) = query.one("cursor")? {
        if let Some(name) = OF_NEW_LISTS.into_iter().find(|name| query.all(name).next().is_some()) {
            return Err(ApiError::parameter(name, "cannot be changed from page to page; leave it or cursor out"));
        }
        let malformed = |_| ApiError::parameter("cursor", "must be what `next` was in an answer");
        return Ok(Asked::Page(cursor.parse().map_err(malformed)?, k));
    }
    let choice = Choice {
        k,
        offset: query.number("offset", 0, MOST_OFFSET)?.unwrap_or(0) as usize,
        with_seen: !query.flag("exclude_seen")?.unwrap_or(true),
        exclude: keys(query, "exclude", model)?,
        only: query.all("only").next().map(|_| keys(query, "only", model)).transpose()?,
        categories: categories(query)?,
    };
    let excluded: HashSet<&str> = query.all("exclude").collect();
    if let Some(both) = query.all("only").find(|item| excluded.contains(item)) {
        return Err(ApiError::parameter("only", format!("contradicts exclude: both name {both}; take it out of one")));
    }
    match query.flag("pages")? {
        Some(true) if choice.offset > 0 => {
            Err(ApiError::parameter("offset", "contradicts pages: the first page begins at 0; leave one of them out"))
        }
        Some(true) => Ok(Asked::Pages(choice)),
        _ => Ok(Asked::List(choice)),
    }
}

/// Reads every `category`: one to be in, or with an exclamation mark before it one to be out of.
///
/// # Errors
/// [`ApiError::Parameter`] for one that is empty or too long, or asked for both ways.
pub(super) fn categories(query: &Parameters) -> Result<Categories, ApiError> {
    let wrong = |detail| Err(ApiError::parameter("category", detail));
    for category in query.all("category") {
        let name = category.strip_prefix('!').unwrap_or(category);
        if let Some(problem) = id_problem(name) {
            return wrong(problem);
        }
        if category != name && query.all("category").any(|other| other == name) {
            return wrong(format!("contradicts itself: {name} is asked for both ways; take one of them out"));
        }
    }
    Ok(Categories::new(query.all("category")))
}

fn keys(query: &Parameters, name: &'static str, model: &ServedModel) -> Result<Keys, ApiError> {
    Ok(query.ids(name)?.into_iter().map(|id| model.key(id)).collect())
}
