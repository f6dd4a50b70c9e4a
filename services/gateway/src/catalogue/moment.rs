//! What may be shown, asked of the catalogue for one answer.

use super::{Catalogue, Category};

/// The catalogue as it is for one answer, and when that is.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    /// Milliseconds since 1970.
    pub(crate) now_ms: i64,
    /// What is known of items.
    pub(crate) catalogue: &'a Catalogue,
}

impl Moment<'_> {
    /// Whether an item may be shown, and belongs where it has to.
    pub(crate) fn shows(&self, item: u64, categories: &Categories) -> bool {
        match self.catalogue.get(item) {
            Some(entry) => entry.is_shown(self.now_ms) && categories.take(|category| entry.is_in(category)),
            None => categories.take(|_| false),
        }
    }
}

/// Where items have to belong. Its default is anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Categories {
    /// Hashes of the categories of which they need one; none needed if there are none.
    any: Vec<u64>,
    /// Hashes of those of which they may have none.
    none: Vec<u64>,
}

impl Categories {
    /// Those of a query: each a category to be in, or with an exclamation mark before it one to be out of.
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut categories = Self::default();
        for name in names {
            match name.strip_prefix('!') {
                Some(name) => categories.none.push(Category::key(name)),
                None => categories.any.push(Category::key(name)),
            }
        }
        categories
    }

    fn take(&self, is_in: impl Fn(u64) -> bool) -> bool {
        (self.any.is_empty() || self.any.iter().any(|category| is_in(*category)))
            && !self.none.iter().any(|category| is_in(*category))
    }
}
