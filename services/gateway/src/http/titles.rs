//! What the catalogue calls the items of an answer.

use super::ApiError;
use super::extract::Parameters;
use crate::catalogue::Moment;
use crate::served::ServedModel;
use crate::view::Recommendation;

/// Whether a query asks for titles.
///
/// # Errors
/// `titles` is neither true nor false.
pub(super) fn wanted(query: &Parameters) -> Result<bool, ApiError> {
    Ok(query.flag("titles")?.unwrap_or(false))
}

/// Gives each item its title, if any is wanted and there is one.
pub(super) fn fill(wanted: bool, model: &ServedModel, moment: Moment<'_>, items: &mut [Recommendation]) {
    for item in items.iter_mut().filter(|_| wanted) {
        item.title = of(&item.item, model, moment);
    }
}

/// The title of an item, if there is one.
pub(super) fn of(item: &str, model: &ServedModel, moment: Moment<'_>) -> Option<String> {
    let entry = moment.catalogue.get(model.key(item))?;
    entry.title.as_deref().map(str::to_owned)
}
