//! Which part of all items a list is made of.

use weir_learn::seen::{Ring, chunk_items, chunk_key};
use weir_models::recommender::{SEEN, SEEN_HEADS};
use weir_ps::words;

use super::View;
use crate::catalogue::{Categories, Moment};

/// What a list is to contain. Its default is nothing, of all items.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    /// Items in the list.
    pub(crate) k: usize,
    /// Better items that are passed over.
    pub(crate) offset: usize,
    /// Whether items that the user has seen may be in it.
    pub(crate) with_seen: bool,
    /// Keys of items that may not be in it.
    pub(crate) exclude: Keys,
    /// Keys of the only items that may; none for all.
    pub(crate) only: Option<Keys>,
    /// Where items have to belong.
    pub(crate) categories: Categories,
}

impl Choice {
    /// What may be in the list for a user.
    pub(super) fn allowed<'a>(&'a self, view: &View, ring: Ring, user: u64, moment: Moment<'a>) -> Allowed<'a> {
        let seen = if self.with_seen { Keys::default() } else { seen(view, ring, user) };
        Allowed { choice: self, seen, moment }
    }

    /// What may be in the list for somebody who has seen these items.
    pub(super) fn allowed_but<'a>(&'a self, seen: Keys, moment: Moment<'a>) -> Allowed<'a> {
        Allowed { choice: self, seen: if self.with_seen { Keys::default() } else { seen }, moment }
    }

    /// How many of the best have to be known.
    pub(super) fn reach(&self) -> usize {
        self.offset.saturating_add(self.k)
    }
}

/// A [`Choice`] for one user.
pub(super) struct Allowed<'a> {
    choice: &'a Choice,
    seen: Keys,
    moment: Moment<'a>,
}

impl Allowed<'_> {
    pub(super) fn contains(&self, item: u64) -> bool {
        !self.seen.contains(item)
            && !self.choice.exclude.contains(item)
            && self.choice.only.as_ref().is_none_or(|only| only.contains(item))
            && self.moment.shows(item, &self.choice.categories)
    }
}

/// A set of keys that is asked more often than changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys(Vec<u64>);

impl Keys {
    pub(crate) fn contains(&self, key: u64) -> bool {
        self.0.binary_search(&key).is_ok()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().copied()
    }
}

impl FromIterator<u64> for Keys {
    fn from_iter<T: IntoIterator<Item = u64>>(keys: T) -> Self {
        let mut keys: Vec<u64> = keys.into_iter().collect();
        keys.sort_unstable();
        keys.dedup();
        Self(keys)
    }
}

/// Keys of the items that a user has seen.
fn seen(view: &View, ring: Ring, user: u64) -> Keys {
    let appends = view.row(SEEN_HEADS, user).map_or(0, |head| words::u64_at(head, 0));
    let chunks = (0..ring.chunks_in_use(appends)).filter_map(|number| view.row(SEEN, chunk_key(user, number)));
    chunks.filter_map(|chunk| chunk.as_array()).flat_map(chunk_items).collect()
}
